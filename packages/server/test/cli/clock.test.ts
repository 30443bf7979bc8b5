import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

const HOUR = 3_600_000;

interface Shown {
  readonly now: string;
  readonly frozen: boolean;
  readonly reached?: boolean;
}

async function run(...args: readonly string[]): Promise<Shown> {
  const { code, stdout, stderr } = await runCommand(['clock', ...args, '--json', '--data-dir', server.dataDir]);
  expect({ args, code, stderr }).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Shown;
}

test('the clock is shown, frozen, set, advanced and resumed by commands', async () => {
  expect(await run('show')).toMatchObject({ frozen: false });
  const { now, frozen } = await run('freeze');
  expect(frozen).toBe(true);
  const later = (hours: number) => new Date(Date.parse(now) + hours * HOUR).toISOString();
  expect(await run('set', '2h')).toMatchObject({ now: later(2), frozen: true });
  expect(await run('advance', '1d')).toMatchObject({ now: later(26), reached: true });
  expect(await run('advance', later(27))).toMatchObject({ now: later(27), reached: true });
  expect(await run()).toMatchObject({ now: later(27), frozen: true });
  // It ticks again, from where it stood.
  const resumed = await run('resume');
  expect(resumed.frozen).toBe(false);
  expect(resumed.now >= later(27)).toBe(true);
});

test.each([
  ['2020-01-01T00:00:00Z', 'The clock cannot be set back'],
  ['soon', 'to must be an ISO 8601 time'],
])('it is not set to %s, and the server says why', async (howFar, said) => {
  const { code, stderr } = await runCommand(['clock', 'set', howFar, '--data-dir', server.dataDir]);
  expect(code).toBe(1);
  expect(stderr).toContain(said);
});

test('an expiry in a minute: opened, the clock advanced by an hour, gone', async () => {
  const notify_url = `${server.base}/_watchbell/inbox/a`;
  await server.client.watch.open([{ channel_id: '1', events: ['Contacts.all'], notify_url }]);
  expect((await server.client.watch.list()).watch).toHaveLength(1);
  await run('advance', '1h');
  expect((await server.client.watch.list()).watch).toHaveLength(0);
});
