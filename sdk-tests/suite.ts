import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import {
  readCredentials,
  type ServerProcess,
  startServerProcess,
} from '../packages/server/test/support/server-process.ts';
import { expectEverythingCalled } from './coverage.ts';

/** A topic of `topics/`: what the SDK is shown to do, case by case. */
interface Topic {
  readonly title: string;
  readonly cases: Readonly<Record<string, (crm: unknown) => Promise<void>>>;
}

/** In this order, in one process with one channel that hears of everything. */
const TOPICS = [
  'notifications',
  'records',
  'lists',
  'many-at-once',
  'tags',
  'related',
  'rows',
  'custom-modules',
  'metadata',
  'users',
  'refusals',
  'every-module',
  'nothing-else',
];
/** By a process of its own, as another user, who may not use Solutions. */
const AS_COLLEAGUE = ['sign-in'];
/** By a process of its own, after the server was restarted, with what the first one left in its folder. */
const AFTER_RESTART = ['after-restart'];

/** Runs every topic with an official SDK, unmodified, against a server of its own. */
export async function officialSdk(sdk: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'watchbell-sdk-'));
  const dataDir = join(folder, 'data');
  let server: ServerProcess;
  let driver: ChildProcess;
  let colleague: Colleague;
  let cases = 0;

  const runTopics = async (names: readonly string[]) => {
    for (const name of names) cases += await runTopic(name, () => driver);
  };

  const startDriver = async (given: object = SAMPLE) => {
    driver?.kill();
    driver = fork(fileURLToPath(new URL('./driver.mjs', import.meta.url)), { execArgv: [] });
    const { admin_token: admin } = readCredentials(dataDir);
    const { base } = server;
    await ask(driver, { ...SAMPLE, sdk, base, folder, admin, colleague, ...given });
  };

  beforeAll(async () => {
    server = await startServerProcess({ dataDir, port: 0 });
    colleague = await addColleague(server.base, readCredentials(dataDir).admin_token ?? '');
    await startDriver();
  }, 60_000);

  afterAll(async () => {
    driver?.kill();
    await server?.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  await runTopics(TOPICS);

  describe('signed in anew', async () => {
    beforeAll(async () => {
      const own = join(folder, 'colleague');
      mkdirSync(own);
      await startDriver({ folder: own, client: colleague.client, token: { grant: colleague.code } });
    });

    await runTopics(AS_COLLEAGUE);
  });

  test('every operation that the API offers and the SDK has was done', async () => {
    const operations = await expectEverythingCalled(server.base, readCredentials(dataDir).admin_token ?? '');
    process.stdout.write(`${sdk}: ${cases} cases, ${operations} operations of the API\n`);
  });

  describe('after a restart of both', async () => {
    beforeAll(async () => {
      const port = Number(new URL(server.base).port);
      await server.kill('SIGTERM');
      server = await startServerProcess({ dataDir, port });
      await startDriver();
    });

    await runTopics(AFTER_RESTART);
  });
}

interface Colleague {
  readonly id: string;
  readonly email: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** A grant token. */
  readonly code: string;
}

/** Another user of the sample organisation, with a client and a grant token, all made as an operator makes them. */
async function addColleague(base: string, admin: string): Promise<Colleague> {
  const post = async <T>(path: string, body: object): Promise<T> => {
    const url = `${base}/_watchbell/v1/orgs/${SAMPLE.org}${path}`;
    const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const email = 'colleague@example.com';
  const profile = await post<{ id: string }>('/profiles', { name: 'Limited', denied_modules: ['Solutions'] });
  const { id } = await post<{ id: string }>('/users', { email, last_name: 'Colleague', profile: profile.id });
  const made = await post<{ client: { id: string }; client_secret: string }>('/clients', { name: 'Colleague' });
  const scopes = ['ZohoCRM.modules.ALL', 'ZohoCRM.settings.ALL', 'ZohoCRM.users.READ', 'ZohoCRM.org.READ'];
  const { code } = await post<{ code: string }>(`/clients/${made.client.id}/grants`, { user: id, scopes });
  return { id, email, client: { id: made.client.id, secret: made.client_secret }, code };
}

/** What the dev profile starts with. */
const SAMPLE = {
  org: '3652397',
  client: { id: '1000.DEV', secret: 'dev-secret' },
  token: { refresh: '1000.dev.refresh' },
};

/** Makes a test of each case of a topic, and says how many. */
async function runTopic(name: string, driver: () => ChildProcess): Promise<number> {
  const topic = (await import(new URL(`./topics/${name}.mjs`, import.meta.url).href)) as Topic;
  describe(topic.title, () => {
    for (const title of Object.keys(topic.cases)) {
      test(title, async () => {
        await ask(driver(), { topic: name, title });
      });
    }
  });
  return Object.keys(topic.cases).length;
}

/** Has the driver do one thing. Rejects with what went wrong there. */
async function ask(driver: ChildProcess, question: object): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(driver, 'exit', { signal }).then(([code]) => ({ problem: `the driver ended with ${code}` }));
  const answered = once(driver, 'message', { signal }).then(([reply]) => reply as { readonly problem?: string });
  driver.send(question);
  const { problem } = await Promise.race([answered, ended]);
  over.abort();
  await Promise.allSettled([answered, ended]);
  if (problem !== undefined) throw new Error(problem);
}
