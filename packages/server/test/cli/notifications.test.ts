import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expectSuccess } from '@watchbell/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { runCommand } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

const run = promisify(execFile);

let server: DevServer;
let receiver: Receiver;
let record: string;

beforeAll(async () => {
  server = await startDevServer();
  receiver = await startReceiver();
  const notify_url = `${receiver.origin}/hook`;
  expectSuccess(await server.client.watch.open([{ channel_id: '7', notify_url, events: ['Contacts.create'] }]));
  const [made] = expectSuccess(await server.client.records.create('Contacts', [{ Last_Name: "O'Neil" }]));
  record = made?.id ?? '';
  await receiver.first(1);
  await vi.waitFor(async () => {
    expect((await server.client.notifications.list({ state: 'delivered' })).items).toHaveLength(1);
  });
  await server.client.channel('7').redeliver(1);
});
afterAll(async () => {
  await server.stop();
  await receiver.close();
});

const cli = (...args: string[]) => runCommand([...args, '--data-dir', server.dataDir]);

test('notifications list prints a line for each, and as JSON the answer of the API', async () => {
  const { code, stdout, stderr } = await cli('notifications', 'list', '--module', 'Contacts', '--record', record);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '1 shown\n' });
  const [head = '', line = ''] = stdout.split('\n');
  expect(head).toMatch(/^id +channel_id +channel_generation +number +change\.at .* next_attempt_at$/);
  expect(line).toMatch(new RegExp(`^msg_[0-9a-f]+ +7 +\\d{19} +1 .* Contacts +insert +${record} +delivered`));
  const found = await server.client.notifications.list({ state: 'delivered' });
  const asJson = await cli('notifications', 'list', '--state', 'delivered', '--outcome', 'delivered', '--json');
  expect(JSON.parse(asJson.stdout)).toEqual(found);
  expect((await cli('notifications', 'list', '--state', 'parked')).stderr).toBe('0 shown\n');
});

test('notifications show prints what is sent, and curl a command that sends it again, byte by byte', async () => {
  const { items } = await server.client.notifications.list();
  const id = items[0]?.id ?? '';
  const shown = await server.client.notifications.show(id);
  expect(shown.attempts.length).toBe(2);
  expect((await cli('notifications', 'show', id)).stdout).toContain(
    `body                ${receiver.received[0]?.text}`,
  );
  const before = receiver.received.length;
  const { stdout, stderr } = await cli('notifications', 'curl', id);
  expect(stderr).toContain('not signed');
  await run('bash', ['-c', stdout]);
  expect(receiver.received.length).toBe(before + 1);
  expect(receiver.received.at(-1)?.text).toBe(receiver.received[0]?.text);
  expect(receiver.received.at(-1)?.headers['webhook-id']).toBe(id);
});

test('attempts list prints those that failed, or all of a channel', async () => {
  expect(await cli('attempts', 'list')).toMatchObject({ code: 0, stdout: '', stderr: '0 shown\n' });
  const { items } = await server.client.notifications.attempts({ channel: '7' });
  const generation = items[0]?.channel_generation ?? '';
  const { stdout, stderr } = await cli('attempts', 'list', '--channel', generation);
  expect(stderr).toBe('2 shown\n');
  expect(stdout.split('\n')[1]).toMatch(/ 7 +\d{19} +1 +2 +delivered +200 /);
});

test('what is not there, and what is no state, is said', async () => {
  const { code, stderr } = await cli('notifications', 'show', 'msg_0');
  expect(code).toBe(1);
  expect(stderr).toContain('There is no such notification');
  expect(await cli('notifications', 'list', '--state', 'lost')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('pending, held, delivered, parked, cancelled'),
  });
});

test('what a receiver answers gives the terminal no orders and no lines', async () => {
  receiver.behave((_, response) => {
    response.writeHead(500).end('\u001b]0;owned\u0007\u009b2J\nforged  line');
  });
  const { generation } = await server.client.channel('7').show();
  const { stdout } = await cli('channels', 'test', generation);
  expect(stdout).toMatch(/^excerpt +\\u001b\]0;owned\\u0007\\u009b2J\\u000aforged {2}line$/m);
  expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});
