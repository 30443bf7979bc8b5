import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../cli/command.ts';
import { startReceiver } from '../support/receiver.ts';
import { readCredentials, startServerProcess } from '../support/server-process.ts';
import { keepWriting, signIn } from '../support/writing.ts';

// About the embedded store alone: a log that a power cut tore.

const FRAME = 24 + 4096;
const logOf = (dataDir: string) => join(dataDir, 'watchbell.sqlite-wal');

/** What was left on disk by a kill, in a directory of its own. */
function copyOf(dataDir: string): string {
  const made = join(temporaryDirectory(), 'data');
  mkdirSync(made, { mode: 0o700 });
  for (const name of ['watchbell.sqlite', 'watchbell.sqlite-wal', 'secret.key']) {
    copyFileSync(join(dataDir, name), join(made, name));
  }
  return made;
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

/** From `end` on nothing was acknowledged. */
const DAMAGES: readonly (readonly [name: string, damage: (log: string, end: number) => void])[] = [
  ['ends in the middle of a frame', (log, end) => overwrite(log, end, readFileSync(log).subarray(32, 32 + 1000))],
  ['ends in bytes that mean nothing', (log, end) => overwrite(log, end, Buffer.alloc(3 * FRAME, 0xa5))],
  [
    'ends in a whole frame of another place',
    (log, end) => overwrite(log, end, readFileSync(log).subarray(32, 32 + FRAME)),
  ],
  ['was cut where the burst began', (log, end) => truncateSync(log, end)],
  [
    'was cut in the middle of the burst',
    (log, end) => truncateSync(log, end + Math.floor((statSync(log).size - end) / 2)),
  ],
  [
    'has a garbled end',
    (log, end) => overwrite(log, Math.max(end, statSync(log).size - 2000), Buffer.alloc(2000, 0x5a)),
  ],
];

test('a log whose unacknowledged end was torn by a crash opens, and what was acknowledged before is there and is sent', {
  timeout: 120_000,
}, async () => {
  const dataDir = join(temporaryDirectory(), 'data');
  const receiver = await startReceiver((request) => request.socket.destroy());
  onTestFinished(() => receiver.close());
  const server = await startServerProcess({ dataDir, port: 0 });
  onTestFinished(async () => void (await server.kill('SIGKILL')));
  const token = await signIn(server.base, readCredentials(dataDir));
  const headers = { authorization: `Zoho-oauthtoken ${token}` };
  const watch = [{ channel_id: '1', events: ['Contacts.create'], notify_url: receiver.origin }];
  const body = JSON.stringify({ watch });
  await fetch(`${server.base}/crm/v8/actions/watch`, { method: 'POST', headers, body });
  const writing = keepWriting(server.base, token);
  await expect.poll(() => writing.created.length, { timeout: 20_000 }).toBeGreaterThan(30);
  await writing.stop();
  const acknowledged = [...writing.created];
  const end = statSync(logOf(dataDir)).size;
  // Killed in the middle of a burst that nobody is told the end of.
  const burst = keepWriting(server.base, token, 8);
  await expect
    .poll(() => statSync(logOf(dataDir)).size, { interval: 1, timeout: 20_000 })
    .toBeGreaterThan(end + 5 * FRAME);
  await server.kill('SIGKILL');
  await burst.stop();

  for (const [name, damage] of DAMAGES) {
    const copy = copyOf(dataDir);
    damage(logOf(copy), end);
    const db = new Sqlite(join(copy, 'watchbell.sqlite'));
    const pluck = <Value>(text: string) => db.prepare<[], Value>(text).pluck();
    const ids = new Set(pluck<string>('SELECT id FROM record').all());
    expect(
      acknowledged.filter((id) => !ids.has(id)),
      name,
    ).toEqual([]);
    expect(pluck('PRAGMA integrity_check').all(), name).toEqual(['ok']);
    const changes = pluck<number>('SELECT count(*) FROM record_change').get();
    expect(pluck('SELECT last_change FROM org').get(), name).toBe(changes);
    expect(pluck('SELECT last_number FROM channel').get(), name).toBe(pluck('SELECT count(*) FROM notification').get());
    db.close();
  }

  // What is missing is seen: a log cut where it was acknowledged.
  const cut = copyOf(dataDir);
  truncateSync(logOf(cut), Math.floor(end / 2));
  const left = new Sqlite(join(cut, 'watchbell.sqlite'));
  const ids = new Set(left.prepare<[], string>('SELECT id FROM record').pluck().all());
  expect(acknowledged.some((id) => !ids.has(id))).toBe(true);
  left.close();

  // The server itself goes on on the worst of them.
  const copy = copyOf(dataDir);
  overwrite(logOf(copy), end, Buffer.alloc(3 * FRAME, 0xa5));
  receiver.behave((_request, response) => response.end());
  const again = await startServerProcess({ dataDir: copy, port: 0 });
  onTestFinished(async () => void (await again.kill('SIGKILL')));
  const missing = () => {
    const came = new Set(receiver.received.flatMap((received) => received.body.ids));
    return acknowledged.filter((id) => !came.has(id));
  };
  await expect.poll(missing, { timeout: 30_000 }).toEqual([]);
});
