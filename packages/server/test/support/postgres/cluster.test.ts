import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { startPostgres } from './cluster.mjs';
import { withClient } from './with-client.ts';

const STARTER = `
  const { startPostgres } = await import(process.argv[1]);
  const { url, dataDir } = await startPostgres();
  console.log(JSON.stringify({ url, dataDir }));
  setInterval(() => {}, 1000);
`;

interface Started {
  readonly url: string;
  readonly dataDir: string;
}

async function startElsewhere(): Promise<{ starter: ChildProcess; started: Started }> {
  const cluster = new URL('./cluster.mjs', import.meta.url).href;
  const starter = spawn(process.execPath, ['--input-type=module', '--eval', STARTER, cluster], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void starter.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: starter.stdout }), 'line');
  return { starter, started: JSON.parse(String(line)) as Started };
}

test.each(['SIGINT', 'SIGKILL'] as const)(
  'a server leaves nothing behind when its starter ends by %s',
  async (signal) => {
    const { starter, started } = await startElsewhere();
    expect(await withClient(started.url, async (client) => (await client.query('SELECT 1 AS one')).rows)).toEqual([
      { one: 1 },
    ]);
    starter.kill(signal);
    await expect.poll(() => existsSync(dirname(started.dataDir)), { timeout: 20_000 }).toBe(false);
    await expect(withClient(started.url, async () => {})).rejects.toThrow('ECONNREFUSED');
  },
);

test('a server keeps what was committed when it is killed, stopped and started again on its data', async () => {
  const first = await startPostgres();
  onTestFinished(() => first.remove());
  const { url } = first;
  const rows = (text: string) => withClient(url, async (client) => (await client.query(text)).rows as unknown[]);
  await rows('CREATE TABLE kept (one integer)');
  await rows('INSERT INTO kept VALUES (1)');
  const { pid } = first;
  await first.kill();
  expect(first.pid).toBeUndefined();
  await expect(rows('SELECT 1')).rejects.toThrow('ECONNREFUSED');
  await first.restart();
  expect(first.pid).not.toBe(pid);
  expect(await rows('SELECT * FROM kept')).toEqual([{ one: 1 }]);
  await first.stop();
  const { dataDir, password } = first;
  const second = await startPostgres({ dataDir, password, settings: { max_connections: '17' } });
  onTestFinished(() => second.remove());
  await withClient(second.url, async (client) => {
    expect((await client.query('SELECT * FROM kept')).rows).toEqual([{ one: 1 }]);
    expect((await client.query('SHOW max_connections')).rows).toEqual([{ max_connections: '17' }]);
  });
});
