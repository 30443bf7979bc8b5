import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand, temporaryDirectory } from '../cli/command.ts';
import { hanging, ok, type Received, type Receiver, startReceiver } from '../support/receiver.ts';
import { readCredentials, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { keepWriting, signIn } from '../support/writing.ts';

// About the embedded store alone: copies of its files.

interface Served {
  readonly server: ServerProcess;
  readonly token: string;
}

async function serve(dataDir: string, flags: readonly string[] = []): Promise<Served> {
  const server = await startServerProcess({ dataDir, port: 0, flags });
  onTestFinished(async () => void (await server.kill('SIGKILL')));
  return { server, token: await signIn(server.base, readCredentials(dataDir)) };
}

async function listen(behaviour = ok): Promise<Receiver> {
  const receiver = await startReceiver(behaviour);
  onTestFinished(() => receiver.close());
  return receiver;
}

async function open({ server, token }: Served, receivers: readonly Receiver[]): Promise<void> {
  const watch = receivers.map(({ origin }, index) => ({
    channel_id: String(index + 1),
    events: ['Contacts.create'],
    notify_url: origin,
  }));
  const response = await fetch(`${server.base}/crm/v8/actions/watch`, {
    method: 'POST',
    headers: { authorization: `Zoho-oauthtoken ${token}` },
    body: JSON.stringify({ watch }),
  });
  expect(response.status).toBe(201);
}

interface Arrival {
  readonly generation: string;
  readonly number: number;
  readonly id: string;
}

const arrivals = (received: readonly Received[]): Arrival[] =>
  received.map(({ headers }) => ({
    generation: String(headers['watchbell-generation']),
    number: Number(headers['watchbell-sequence']),
    id: String(headers['webhook-id']),
  }));

/** A number may come again, but only with the id that it had. */
function idsByNumber(receivers: readonly Receiver[]): Map<string, string> {
  const ids = new Map<string, string>();
  for (const { generation, number, id } of receivers.flatMap(({ received }) => arrivals(received))) {
    const known = `${generation} ${number}`;
    expect(ids.get(known) ?? id, known).toBe(id);
    ids.set(known, id);
  }
  return ids;
}

function owedIn(file: string): string[] {
  const db = new Sqlite(file, { readonly: true });
  try {
    return db
      .prepare<[], string>('SELECT id FROM notification JOIN owed USING (org_id, generation, number)')
      .pluck()
      .all();
  } finally {
    db.close();
  }
}

/** An empty data directory that has the key of another. */
function directoryWithKeyOf(dataDir: string): string {
  const made = join(temporaryDirectory(), 'restored');
  mkdirSync(made, { mode: 0o700 });
  copyFileSync(join(dataDir, 'secret.key'), join(made, 'secret.key'));
  return made;
}

test('backed up under load, killed and restored twice, it gives no number twice, and what was owed comes with its id', {
  timeout: 90_000,
}, async () => {
  const root = temporaryDirectory();
  const dataDir = join(root, 'data');
  const backup = join(root, 'backup.sqlite');
  const well = await listen();
  const hung = await listen(hanging);
  const both = [well, hung];

  const first = await serve(dataDir);
  await open(first, both);
  const writing = keepWriting(first.server.base, first.token);
  await well.first(60);
  const { code, stdout, stderr } = await runCommand(['backup', '--data-dir', dataDir, '--to', backup, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ file: backup, bytes: statSync(backup).size, organisations: 1 });
  // The original goes further than its backup.
  await well.first(well.received.length + 60);
  await first.server.kill('SIGKILL');
  await writing.stop();
  const owed = owedIn(backup);
  // What the hanging receiver was sent was not answered, and much waits behind.
  expect(owed.length).toBeGreaterThan(50);
  const original = idsByNumber(both);
  hung.behave(ok);

  for (const flags of [[], ['--restored']]) {
    const restored = directoryWithKeyOf(dataDir);
    const done = await runCommand(['restore', '--dev', '--from', backup, '--data-dir', restored]);
    expect(done.code, done.stderr).toBe(0);
    const before = both.map(({ received }) => received.length);
    const since = () => both.flatMap(({ received }, index) => arrivals(received.slice(before[index])));
    const served = await serve(restored, flags);
    const further = keepWriting(served.server.base, served.token, 2);
    await well.first((before[0] ?? 0) + 40);
    await further.stop();
    const missing = () => {
      const came = new Set(since().map(({ id }) => id));
      return owed.filter((id) => !came.has(id));
    };
    await expect.poll(missing, { timeout: 20_000 }).toEqual([]);
    expect(await served.server.kill('SIGTERM')).toBe(0);
    idsByNumber(both);
    // What is new counts from 1, without a gap, in a generation of its own for each channel.
    const anew = since().filter(({ id }) => !owed.includes(id) && ![...original.values()].includes(id));
    const generations = new Set(anew.map(({ generation }) => generation));
    expect(generations.size).toBe(2);
    for (const one of generations) {
      const numbers = new Set(anew.filter(({ generation }) => generation === one).map(({ number }) => number));
      expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from(numbers, (_, index) => index + 1));
    }
  }
});

test('a copy put in place by hand and served with --restored numbers anew', { timeout: 60_000 }, async () => {
  const root = temporaryDirectory();
  const dataDir = join(root, 'data');
  const receiver = await listen();
  const write = async ({ server, token }: Served) => {
    const goal = receiver.received.length + 20;
    const writing = keepWriting(server.base, token, 1);
    await receiver.first(goal);
    await writing.stop();
    expect(await server.kill('SIGTERM')).toBe(0);
  };
  const first = await serve(dataDir);
  await open(first, [receiver]);
  await write(first);
  const copied = directoryWithKeyOf(dataDir);
  copyFileSync(join(dataDir, 'watchbell.sqlite'), join(copied, 'watchbell.sqlite'));
  await write(await serve(dataDir));
  await write(await serve(copied, ['--restored']));
  expect(idsByNumber([receiver]).size).toBeGreaterThanOrEqual(60);
});

test('a reader of the feed that was ahead of the copy is sent back to what is numbered anew', async () => {
  const dataDir = join(temporaryDirectory(), 'data');
  const first = await serve(dataDir);
  const call = async ({ server, token }: Served, path: string, body?: object): Promise<Response> => {
    const headers = { authorization: `Zoho-oauthtoken ${token}` };
    const post = body && { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(server.base + path, { headers, ...post });
    expect(response.ok).toBe(true);
    return response;
  };
  const write = async (to: Served, count: number) => {
    for (let i = 0; i < count; i += 1) await call(to, '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  };
  const read = async (from: Served, query: string) =>
    (await call(from, `/_watchbell/v1/channels/1/feed?${query}`)).json();
  await open(first, [await listen()]);
  await write(first, 3);
  expect(await first.server.kill('SIGTERM')).toBe(0);

  const restored = await serve(dataDir, ['--restored']);
  // It has seen five of the original.
  expect(await read(restored, 'after=5&wait=60')).toMatchObject({ notifications: [], through: 3 });
  await write(restored, 1);
  expect(await read(restored, 'after=5')).toMatchObject({ notifications: [], through: 3, last_number: 4 });
  expect(await read(restored, 'after=3')).toMatchObject({ notifications: [{ number: 4, sequence: 1 }], through: 4 });
});
