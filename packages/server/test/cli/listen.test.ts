import { createAdmin } from '@watchbell/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { forward } from '../../src/cli/forward.ts';
import { failing, ok, startReceiver } from '../support/receiver.ts';
import { freePort, startCommand } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

const ORG = '3652397';

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

/** Starts `listen`; resolves when its channel is open. */
async function startListening(...args: readonly string[]) {
  const running = startCommand(['listen', ...args, '--data-dir', server.dataDir]);
  onTestFinished(async () => void (await running.stop('SIGKILL')));
  const [, channelId = ''] = await running.says(/\(channel (\d+)\)/);
  return { ...running, channelId };
}

async function createContact(Last_Name: string): Promise<string> {
  const [created] = await server.client.records.create('Contacts', [{ Last_Name }]);
  return String(created?.details.id);
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  'listen prints what arrives and deletes its channel on %s',
  async (signal) => {
    const listening = await startListening('Contacts.all');
    const id = await createContact('Lovelace');
    await server.client.records.update('Contacts', [{ id, Title: 'Countess' }]);
    await listening.says(/^#2 /m);
    const { code, stdout } = await listening.stop(signal);
    expect(code).toBe(0);
    expect(stdout).toBe(`#1 Contacts insert ${id}\n#2 Contacts update ${id} (Title)\n`);
    expect((await server.client.watch.list({ channelId: listening.channelId })).watch).toEqual([]);
  },
);

test('listen --json prints the bodies, with values when asked for', async () => {
  const listening = await startListening('Contacts.create', '--json', '--values');
  const id = await createContact('Turing');
  const [line = ''] = await listening.says(/^\{.*\}$/m);
  expect(JSON.parse(line)).toMatchObject({
    module: 'Contacts',
    operation: 'insert',
    ids: [id],
    channel_id: listening.channelId,
    affected_values: [{ record_id: id, values: { Last_Name: 'Turing' } }],
  });
});

test('listen --secret prints what the secret signed, and refuses what it did not', async () => {
  const admin = createAdmin({ base: server.base, adminToken: 'dev-admin' });
  const first = await admin.signing.renew(ORG);
  onTestFinished(() => admin.signing.end(ORG));
  const listening = await startListening('Contacts.create', '--secret', first.secret);
  const id = await createContact('Noether');
  await listening.says(/^#1 /m);
  const second = await admin.signing.renew(ORG);
  await createContact('Germain');
  await listening.says(/^#2 /m);
  await admin.signing.renew(ORG, { keepSeconds: 0 });
  await createContact('Kovalevskaya');
  await listening.says(/Refused a request: NO_MATCH/);
  await admin.signing.end(ORG);
  await createContact('Agnesi');
  await listening.says(/Refused a request: MISSING_HEADER/);
  expect(second.secret).not.toBe(first.secret);
  const { stdout } = await listening.stop('SIGINT');
  expect(stdout).toMatch(new RegExp(`^#1 Contacts insert ${id}\\n#2 Contacts insert \\d+\\n$`));
});

test('listen --forward passes body and headers on unchanged', async () => {
  const target = await startReceiver(ok);
  onTestFinished(() => target.close());
  const listening = await startListening('Contacts.create', '--json', '--forward', `${target.origin}/hooks?key=1`);
  await createContact('Hopper');
  const [line] = await listening.says(/^\{.*\}$/m);
  const [forwarded] = await target.first(1);
  expect(forwarded?.text).toBe(line);
  expect(forwarded?.target).toBe('/hooks?key=1');
  expect(forwarded?.headers).toMatchObject({
    'content-type': 'application/json;charset=utf-8',
    'webhook-id': expect.stringMatching(/^msg_/),
    'watchbell-sequence': '1',
    'watchbell-attempt': '1',
    'user-agent': expect.stringMatching(/^Watchbell\//),
  });
});

test('a notification that comes twice is printed once, one with another token not at all', async () => {
  const listening = await startListening('Leads.create');
  const [row] = (await server.client.watch.list({ channelId: listening.channelId })).watch;
  const send = (id: string, token: string) =>
    fetch(row?.notify_url ?? '', {
      method: 'POST',
      headers: { 'webhook-id': id, 'watchbell-sequence': '7', 'watchbell-attempt': '1' },
      body: JSON.stringify({ module: 'Leads', operation: 'insert', ids: [id], token }),
    }).then(({ status }) => status);
  const token = row?.token ?? '';
  expect([await send('1', token), await send('1', token), await send('2', 'guessed'), await send('3', token)]).toEqual([
    200, 200, 403, 200,
  ]);
  const { stdout, stderr } = await listening.stop();
  expect(stdout).toBe('#7 Leads insert 1\n#7 Leads insert 3\n');
  expect(stderr).toContain('Refused a request');
});

test('what cannot be forwarded is neither printed nor acknowledged, and comes through when it is sent again', async () => {
  const target = await startReceiver(failing);
  onTestFinished(() => target.close());
  const listening = await startListening('Leads.delete', '--forward', target.origin);
  const [row] = (await server.client.watch.list({ channelId: listening.channelId })).watch;
  const send = () =>
    fetch(row?.notify_url ?? '', {
      method: 'POST',
      headers: { 'webhook-id': '1', 'watchbell-sequence': '1', 'watchbell-attempt': '1' },
      body: JSON.stringify({ module: 'Leads', operation: 'delete', ids: ['1'], token: row?.token }),
    }).then(({ status }) => status);
  expect(await send()).toBe(500);
  target.behave(ok);
  expect(await send()).toBe(200);
  expect(target.received).toHaveLength(2);
  expect((await listening.stop()).stdout).toBe('#1 Leads delete 1\n');
});

test('a target that is not there is answered for with 502', async () => {
  const target = new URL(`http://127.0.0.1:${await freePort()}`);
  expect(await forward({ body: Buffer.from('{}'), headers: {} }, target)).toBe(502);
});

test('an event type that the server does not know is refused in one line, and no channel stays', async () => {
  const running = startCommand(['listen', 'Nonsense.all', '--data-dir', server.dataDir]);
  const { code, stderr } = await running.finished;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^watchbell: INVALID_DATA: invalid data .*"events".*\n$/);
});

test('when nobody reads its output any more, listen deletes its channel and ends', async () => {
  const listening = await startListening('Contacts.create');
  listening.stopReading();
  await createContact('Johnson');
  expect((await listening.finished).code).toBe(0);
  expect((await server.client.watch.list({ channelId: listening.channelId })).watch).toEqual([]);
});
