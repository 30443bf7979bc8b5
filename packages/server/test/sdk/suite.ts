import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { readCredentials, type ServerProcess, startServerProcess } from '../support/server-process.ts';

/** A topic of `topics/`: what the SDK is shown to do, case by case. */
interface Topic {
  readonly title: string;
  readonly cases: Readonly<Record<string, (crm: unknown) => Promise<void>>>;
}

/** In this order, in one process with one channel that hears of everything. */
const TOPICS = ['notifications', 'records', 'metadata', 'users', 'refusals', 'nothing-else'];
/** By a process of its own, after the server was restarted, with what the first one left in its folder. */
const AFTER_RESTART = ['after-restart'];

/** Runs every topic with an official SDK, unmodified, against a server of its own. */
export async function officialSdk(sdk: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'watchbell-sdk-'));
  const dataDir = join(folder, 'data');
  let server: ServerProcess;
  let driver: ChildProcess;

  const startDriver = async () => {
    driver = fork(fileURLToPath(new URL('./driver.mjs', import.meta.url)), { execArgv: [] });
    const { admin_token: admin } = readCredentials(dataDir);
    await ask(driver, { ...SAMPLE, sdk, base: server.base, folder, admin });
  };

  beforeAll(async () => {
    server = await startServerProcess({ dataDir, port: 0 });
    await startDriver();
  }, 60_000);

  afterAll(async () => {
    driver?.kill();
    await server?.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  for (const name of TOPICS) await runTopic(name, () => driver);

  describe('after a restart of both', async () => {
    beforeAll(async () => {
      driver.kill();
      const port = Number(new URL(server.base).port);
      await server.kill('SIGTERM');
      server = await startServerProcess({ dataDir, port });
      await startDriver();
    }, 60_000);

    for (const name of AFTER_RESTART) await runTopic(name, () => driver);
  });
}

/** What the dev profile starts with. */
const SAMPLE = {
  org: '3652397',
  client: { id: '1000.DEV', secret: 'dev-secret' },
  token: { refresh: '1000.dev.refresh' },
};

async function runTopic(name: string, driver: () => ChildProcess): Promise<void> {
  const topic = (await import(new URL(`./topics/${name}.mjs`, import.meta.url).href)) as Topic;
  describe(topic.title, () => {
    for (const title of Object.keys(topic.cases)) {
      test(title, async () => {
        await ask(driver(), { topic: name, title });
      });
    }
  });
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
