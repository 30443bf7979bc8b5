import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAdmin, createClient } from '@watchbell/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { operatorOf } from '../support/operator.ts';
import { runCommand, temporaryDirectory } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

const ORG = '3652397';
const OWNER = '3652397000000186017';

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
  const fields = [
    { api_name: 'Stage', type: 'text' },
    { api_name: 'Total', type: 'currency' },
  ];
  const orders = { api_name: 'Orders', singular: 'Order', plural: 'Orders', external: true, fields };
  expect((await operatorOf(server.base)('POST', `/orgs/${ORG}/modules`, orders)).status).toBe(201);
});
afterAll(() => server.stop());

const run = (...args: readonly string[]) =>
  runCommand(['changes', 'send', ...args, '--json', '--data-dir', server.dataDir]);

async function send(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { code, stdout, stderr } = await run(...args);
  expect({ args, code, stderr }).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const file = (name: string, lines: readonly string[]): string => {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, lines.join('\n'));
  return path;
};
const line = (id: number, stage = 'New'): string =>
  JSON.stringify({ module: 'Orders', operation: 'insert', records: [{ id: `o-${id}`, values: { Stage: stage } }] });

test('one change is told, once for its key', async () => {
  const order = ['--module', 'Orders', '--id', 'A-1'];
  const made = await send(...order, '--operation', 'insert', '--field', 'Stage=New', '--values', '{"Total":12.5}');
  expect(made).toEqual({ number: expect.any(Number), records: 1, notifications: 0 });
  const update = [...order, '--operation', 'update', '--changed', 'Stage', '--by', OWNER, '--key', 'k1'];
  const first = await send(...update);
  expect(first).toMatchObject({ number: Number(made.number) + 1 });
  expect(await send(...update)).toEqual(first);
  expect(await send(...order, '--operation', 'delete')).toMatchObject({ number: Number(made.number) + 2 });
});

test('a file is sent in its order, in batches, and sent again repeats nothing', async () => {
  const path = file('changes.jsonl', [...Array.from({ length: 250 }, (_, i) => line(i)), '']);
  const sent = await send('--file', path);
  expect(sent).toMatchObject({ calls: 3, changes: 250, records: 250, notifications: 0 });
  expect(Number(sent.last_number) - Number(sent.first_number)).toBe(249);
  expect(await send('--file', path)).toEqual(sent);
  // Under another name it is another sending.
  const again = await send('--file', path, '--key', 'second');
  expect(again.first_number).toBe(Number(sent.last_number) + 1);
});

test('a file that many channels watch is sent in smaller parts, and sent again repeats nothing, also when they are gone', async () => {
  const client = createClient({
    base: server.base,
    clientId: '1000.DEV',
    clientSecret: 'dev-secret',
    refreshToken: '1000.dev.refresh',
  });
  // Conditions are not looked at when it is reckoned what the changes may come to.
  const field_selection = { field: { api_name: 'Total' } };
  const watch = {
    events: ['Orders.edit' as const],
    notify_url: `${server.base}/_watchbell/inbox/many`,
    notification_condition: [{ type: 'field_selection' as const, module: { api_name: 'Orders' }, field_selection }],
  };
  const ids = Array.from({ length: 201 }, (_, i) => String(i + 1));
  for (let from = 0; from < ids.length; from += 10) {
    const opened = await client.watch.open(ids.slice(from, from + 10).map((id) => ({ channel_id: id, ...watch })));
    expect(opened.every(({ status }) => status === 'success')).toBe(true);
  }
  const lines = Array.from({ length: 130 }, (_, i) => line(5000 + i).replace('insert', 'update'));
  const path = file('watched.jsonl', lines);
  const sent = await send('--file', path);
  expect(sent).toMatchObject({ calls: 3, changes: 130, notifications: 0 });
  expect(Number(sent.last_number) - Number(sent.first_number)).toBe(129);
  expect((await client.watch.delete(ids.slice(0, 100))).every(({ status }) => status === 'success')).toBe(true);
  expect(await send('--file', path)).toEqual(sent);
  // Nor is it taken for another file.
  const { code, stderr } = await run('--file', file('other.jsonl', lines.slice(0, 120)));
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('Line 101 was sent within 24') });
});

test('what is wrong with a file is said with its line, and what came before it is taken', async () => {
  const path = file('broken.jsonl', [
    ...Array.from({ length: 100 }, (_, i) => line(1000 + i)),
    line(2000),
    '{"module"',
  ]);
  const broken = await run('--file', path);
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining('Line 102 is no JSON') });
  const refused = await run('--file', file('refused.jsonl', [line(1), line(2).replace('Stage', 'Colour')]));
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('In the call from line 1: INVALID_DATA');
  expect(refused.stderr).toContain('$.changes[1].records[0].values.Colour');
  for (const number of ['12345678901234567890', '1e400']) {
    const long = await run('--file', file('long.jsonl', [line(1).replace('"New"', number)]));
    expect(long.stderr).toContain('Line 1: a number is too large, or a whole one beyond 2^53');
  }
  expect((await run('--file', '/nowhere')).stderr).toContain('The file /nowhere cannot be read.');
});

test.each([
  [['--module', 'Orders'], 'Name the change with --module, --operation and --id'],
  [['--file', 'x', '--id', 'A-1'], '--file goes with --by and --key only'],
  [['--module', 'Orders', '--id', 'A', '--operation', 'edit'], 'An operation is insert, update or delete.'],
  [['--values', '[1]'], 'It must be a JSON object.'],
  [['--values', '{"Total":12345678901234567890}'], 'a whole one beyond 2^53: give it as text.'],
])('%j is used wrongly', async (args, said) => {
  const { code, stderr } = await run(...args);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
});

test("the client package sends in an operator's name, or in a user's", async () => {
  const change = { module: 'Orders', operation: 'insert', records: [{ id: 'c-1', values: { Stage: 'New' } }] } as const;
  const admin = createAdmin({ base: server.base, adminToken: 'dev-admin' });
  const first = await admin.changes.send(ORG, [change], { by: OWNER, idempotencyKey: 'c1' });
  expect(await admin.changes.send(ORG, [change], { by: OWNER, idempotencyKey: 'c1' })).toEqual(first);
  await expect(admin.changes.send(ORG, [change], { idempotencyKey: 'c1' })).rejects.toMatchObject({
    code: 'INVALID_DATA',
  });
  const client = createClient({
    base: server.base,
    clientId: '1000.DEV',
    clientSecret: 'dev-secret',
    refreshToken: '1000.dev.refresh',
  });
  expect(await client.changes.send([change])).toEqual([
    { number: (first[0]?.number ?? 0) + 1, records: 1, notifications: 0 },
  ]);
});
