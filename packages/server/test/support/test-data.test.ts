import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startLiveApp } from './live-app.ts';
import { startServerProcess } from './server-process.ts';
import { removeData, rowsIn } from './test-data.ts';

const starts: Readonly<Record<string, (dataDir: string) => Promise<() => Promise<unknown>>>> = {
  'in this process': async (dataDir) => (await startLiveApp({ dataDir })).app.stop,
  'in a process of its own': async (dataDir) => {
    const server = await startServerProcess({ dataDir, port: 0 });
    return () => server.kill('SIGTERM');
  },
};

test.each(Object.entries(starts))('a server that a test starts %s is on the engine of the run', async (_, start) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-test-'));
  onTestFinished(() => removeData(dataDir));
  const stop = await start(dataDir);
  onTestFinished(async () => void (await stop()));
  expect(existsSync(join(dataDir, 'watchbell.sqlite'))).toBe(inject('engine') === 'sqlite');
  expect(await rowsIn(dataDir, 'SELECT id FROM org')).toEqual([{ id: '3652397' }]);
});
