import { createAdmin, expectSuccess } from '@watchbell/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

let server: DevServer;
let record: string;

beforeAll(async () => {
  server = await startDevServer();
  const notify_url = `${server.base}/_watchbell/inbox/explained`;
  expectSuccess(await server.client.watch.open([{ channel_id: '7', notify_url, events: ['Contacts.create'] }]));
  const [made] = expectSuccess(await server.client.records.create('Contacts', [{ Last_Name: 'Boyle' }]));
  record = made?.id ?? '';
  expectSuccess(await server.client.records.update('Contacts', [{ id: record, Phone: '1' }]));
});
afterAll(() => server.stop());

const explain = (...args: string[]) =>
  runCommand(['explain', ...args, '--module', 'Contacts', '--record', record, '--data-dir', server.dataDir]);

test.each([[[]], [['record']]])('explain %j prints a line for each change and channel, with the rule', async (args) => {
  const { code, stdout, stderr } = await explain(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '2 shown\n' });
  const [head = '', edited = '', created = ''] = stdout.split('\n');
  expect(head).toMatch(/^change\.number +change\.at +change\.operation +channel\.channel_id .* why$/);
  expect(edited).toMatch(
    / update +7 .* not_notified +event_type +It watches Contacts\.create; this was Contacts\.edit\.$/,
  );
  expect(created).toMatch(/ insert +7 .* notified +own_event +It watches Contacts\.create\.$/);
});

test('as JSON it is the answer of the API, and a page says where the next begins', async () => {
  const admin = createAdmin({ base: server.base, adminToken: 'dev-admin' });
  const first = await admin.explain('3652397', { module: 'Contacts', record, limit: 1 });
  const { stdout } = await explain('--limit', '1', '--json');
  // The same place is sealed anew each time.
  expect(JSON.parse(stdout)).toEqual({ ...first, next: expect.any(String) });
  const shown = await explain('--limit', '1');
  const [, cursor = ''] = /^1 shown; go on with --cursor (\S+)\n$/.exec(shown.stderr) ?? [];
  const rest = await explain('--cursor', cursor, '--json');
  expect((JSON.parse(rest.stdout) as typeof first).items).toMatchObject([{ change: { operation: 'insert' } }]);
});

test('an owner asks by the client', async () => {
  const { items } = await server.client.explain({ module: 'Contacts', record, channel: '7' });
  expect(items.map(({ reason }) => reason)).toEqual(['event_type', 'own_event']);
});

test('what is missing, and a channel that nobody has, are said', async () => {
  expect(await runCommand(['explain', '--module', 'Contacts', '--data-dir', server.dataDir])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("required option '--record <id>' not specified"),
  });
  const { code, stderr } = await explain('--channel', '8');
  expect(code).toBe(1);
  expect(stderr).toContain('Nobody has or had a channel of this id');
});
