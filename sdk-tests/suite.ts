import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasOas } from '../packages/server/test/support/oas/files.ts';
import { recordAnswer, takeChecked } from '../packages/server/test/support/oas/record.ts';
import { type RecordingProxy, startRecordingProxy } from '../packages/server/test/support/recording-proxy.ts';
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

/** An official SDK as it is published, and what it is driven through. Paths are those of modules in this folder. */
export interface OfficialSdk {
  readonly package: string;
  /** The version of the API which the SDK calls. */
  readonly version: string;
  /** The module whose `connect(session)` signs the SDK in and gives what the topics use of it. */
  readonly connect: string;
  /** In this order, in one process with one channel that hears of everything. */
  readonly topics: readonly string[];
  /** By a process of its own, as another user, who may not use Solutions. */
  readonly asColleague?: readonly string[];
  /** By a process of its own, after the server was restarted, with what the first one left in its folder. */
  readonly afterRestart?: readonly string[];
  /** Cases of these topics, and topics beside them, which the SDK cannot do, each with the reason. */
  readonly leftOut?: Readonly<Record<string, string>>;
  /** What the API offers and no method of the SDK asks for, each with the reason. */
  readonly noMethod: Readonly<Record<string, string>>;
}

/** Runs every topic with an official SDK, unmodified, against a server of its own. */
export async function officialSdk(sdk: OfficialSdk): Promise<void> {
  const { version, leftOut = {}, noMethod, asColleague = [], afterRestart = [] } = sdk;
  const folder = mkdtempSync(join(tmpdir(), 'watchbell-sdk-'));
  const dataDir = join(folder, 'data');
  let proxy: RecordingProxy;
  let server: ServerProcess;
  let driver: ChildProcess;
  let colleague: Colleague;
  let cases = 0;
  let operations = 0;
  /** Notifications compared by each driver. */
  const compared: number[] = [];
  const known = new Set<string>();

  const runTopics = async (names: readonly string[]) => {
    for (const name of names) {
      const topic = (await import(new URL(name, import.meta.url).href)) as Topic;
      const titles = Object.keys(topic.cases).filter((title) => !Object.hasOwn(leftOut, title));
      describe(topic.title, () => {
        for (const title of titles)
          test(title, async () => {
            compared[compared.length - 1] = await ask(driver, { topic: name, title });
          });
      });
      cases += titles.length;
      for (const title of Object.keys(topic.cases)) {
        if (known.has(title)) throw new Error(`Two cases are called "${title}"`);
        known.add(title);
      }
    }
  };

  const startDriver = async (given: object = SAMPLE) => {
    driver?.kill();
    driver = fork(fileURLToPath(new URL('./driver.mjs', import.meta.url)), { execArgv: [] });
    const { admin_token: admin } = readCredentials(dataDir);
    const { base } = proxy;
    compared.push(0);
    await ask(driver, {
      ...SAMPLE,
      sdk: sdk.package,
      connect: sdk.connect,
      version,
      base,
      folder,
      admin,
      colleague,
      ...given,
    });
  };

  const startServer = () => startServerProcess({ dataDir, port: proxy.port, flags: ['--public-url', proxy.base] });

  beforeAll(async () => {
    proxy = await startRecordingProxy(recordAnswer);
    server = await startServer();
    colleague = await addColleague(proxy.base, readCredentials(dataDir).admin_token ?? '');
    await startDriver();
  }, 60_000);

  afterAll(async () => {
    driver?.kill();
    await server?.kill('SIGTERM');
    await proxy?.stop();
    rmSync(folder, { recursive: true, force: true });
    const told = compared.reduce((sum, count) => sum + count, 0);
    const line = `${cases} cases, ${operations} operations of the API, ${told} notifications compared`;
    const skipped = Object.entries(leftOut).map(([title, reason]) => `  left out: ${title} (${reason})\n`);
    process.stdout.write([`${sdk.package}: ${line}\n`, ...skipped].join(''));
  });

  await runTopics(sdk.topics);

  test('every case was asked of the SDK, but for those with a reason', () => {
    const listed = [...sdk.topics, ...asColleague, ...afterRestart];
    const topics = topicsBeside(listed);
    expect(topics.filter((path) => !Object.hasOwn(leftOut, path))).toEqual(listed.toSorted());
    const unknown = Object.keys(leftOut).filter((left) => !known.has(left) && !topics.includes(left));
    expect(unknown, 'left out, and in no topic').toEqual([]);
    expect(Object.values(leftOut)).not.toContain('');
  });

  describe('signed in anew', async () => {
    beforeAll(async () => {
      const own = join(folder, 'colleague');
      mkdirSync(own);
      await startDriver({ folder: own, client: colleague.client, token: { grant: colleague.code } });
    });

    await runTopics(asColleague);
  });

  test('every operation that the API offers and the SDK has was done', async () => {
    const admin = readCredentials(dataDir).admin_token ?? '';
    operations = await expectEverythingCalled({ base: server.base, admin, version, noMethod });
  });

  describe('after a restart of both', async () => {
    beforeAll(async () => {
      await server.kill('SIGTERM');
      server = await startServer();
      await startDriver();
    });

    await runTopics(afterRestart);
  });

  // A fault fails the test in which it was answered.
  if (version === 'v8') {
    test.runIf(hasOas)('every answer is as the public OpenAPI files say', () => {
      const { answers, undescribed } = takeChecked();
      process.stdout.write(
        `${sdk.package}: ${answers} answers are as the OpenAPI files say, ${undescribed} of calls not in them\n`,
      );
      expect(answers).toBeGreaterThan(0);
    });
  }
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

/** Every topic in the folders of these. */
function topicsBeside(names: readonly string[]): string[] {
  const folders = new Set(names.map((name) => posix.dirname(name)));
  const paths = [...folders].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, import.meta.url)).map((file) => `${folder}/${file}`),
  );
  const isTopic = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8').includes('export const cases');
  return paths.filter((path) => path.endsWith('.mjs') && isTopic(path)).toSorted();
}

interface Reply {
  readonly problem?: string;
  readonly compared?: number;
}

/** Has the driver do one thing, and gives how many notifications it has compared. Rejects with what went wrong there. */
async function ask(driver: ChildProcess, question: object): Promise<number> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(driver, 'exit', { signal }).then(
    ([code]): Reply => ({ problem: `the driver ended with ${code}` }),
  );
  const answered = once(driver, 'message', { signal }).then(([reply]) => reply as Reply);
  driver.send(question);
  const { problem, compared = 0 } = await Promise.race([answered, ended]);
  over.abort();
  await Promise.allSettled([answered, ended]);
  if (problem !== undefined) throw new Error(problem);
  return compared;
}
