import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

interface Made {
  readonly module: string;
  readonly operation: string;
  readonly id: string;
  readonly values: Record<string, unknown>;
}

/** Runs `trigger --json`; the changes that it says it made. */
async function trigger(...args: readonly string[]): Promise<Made[]> {
  const { code, stdout, stderr } = await runCommand(['trigger', ...args, '--data-dir', server.dataDir, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Made);
}

test.each(['Leads', 'Contacts', 'Accounts', 'Deals', 'Tasks', 'Sales_Orders'])(
  'a record of %s is created with its mandatory fields filled',
  async (module) => {
    const [made] = await trigger(`${module}.create`);
    expect(made).toMatchObject({ module, operation: 'create' });
    expect(await server.client.records.get(module, made?.id ?? '')).toMatchObject({ id: made?.id });
  },
);

test('a note is created of the newest record of a module that has some, changed and deleted', async () => {
  const [contact] = await trigger('Contacts.create');
  const [note] = await trigger('Notes.create');
  expect(await server.client.records.get('Notes', note?.id ?? '')).toMatchObject({ Parent_Id: { id: contact?.id } });
  const [edited] = await trigger('Notes.edit');
  expect(edited).toMatchObject({ id: note?.id, values: { Note_Title: expect.anything() } });
  await trigger('Notes.delete');
  expect(await server.client.records.get('Notes', note?.id ?? '')).toBeUndefined();
});

test('a lookup to any module takes the module with the id', async () => {
  const [lead] = await trigger('Leads.create');
  const [note] = await trigger('Notes.create', '--set', `Parent_Id=Leads/${lead?.id}`);
  expect(await server.client.records.get('Notes', note?.id ?? '')).toMatchObject({ Parent_Id: { id: lead?.id } });
});

test('given values win, in the types of their fields', async () => {
  const [made] = await trigger('Leads.create', '--set', 'Company=a=b', '--set', 'Annual_Revenue=12.5');
  expect(await server.client.records.get('Leads', made?.id ?? '')).toMatchObject({
    Company: 'a=b',
    Annual_Revenue: 12.5,
  });
});

test('--count makes that many changes, one call each', async () => {
  const before = (await server.client.records.list('Contacts')).info.count;
  expect(new Set((await trigger('Contacts.create', '--count', '3')).map(({ id }) => id)).size).toBe(3);
  expect((await server.client.records.list('Contacts')).info.count).toBe(before + 3);
});

test('an edit changes a value of the newest record each time', async () => {
  const [created] = await trigger('Deals.create', '--set', 'Stage=Qualification');
  const [first, second] = await trigger('Deals.edit', '--count', '2');
  expect([first?.id, second?.id]).toEqual([created?.id, created?.id]);
  expect(first?.values.Stage).not.toBe('Qualification');
  expect(second?.values.Stage).not.toBe(first?.values.Stage);
  expect(await server.client.records.get('Deals', created?.id ?? '')).toMatchObject({ Stage: second?.values.Stage });
});

test('an edit and a delete of a given record leave the newest alone', async () => {
  const [older, newest] = await trigger('Leads.create', '--count', '2');
  const id = older?.id ?? '';
  await trigger('Leads.edit', '--id', id, '--set', 'Company=Renamed', '--set', 'Phone=');
  expect(await server.client.records.get('Leads', id)).toMatchObject({ Company: 'Renamed', Phone: null });
  await trigger('Leads.delete', '--id', id);
  expect(await server.client.records.get('Leads', id)).toBeUndefined();
  expect(await server.client.records.get('Leads', newest?.id ?? '')).toBeDefined();
});

test('people are shown one line a change', async () => {
  const args = ['trigger', 'Contacts.create', '--set', 'Last_Name=Hopper', '--data-dir', server.dataDir];
  expect((await runCommand(args)).stdout).toMatch(/^Contacts\.create {2}\d{19} {2}Last_Name=Hopper\n$/);
});

test.each([
  [['Nonsense.create'], 'INVALID_MODULE'],
  [['Contacts.create', '--set', 'Nonsense=1'], 'Contacts has no field Nonsense that could be set.'],
  [['Contacts.create', '--set', 'Email=nobody'], 'INVALID_DATA'],
  [['Contacts.edit', '--id', '3652397999999999999'], 'Contacts has no record 3652397999999999999.'],
  [['users.edit'], 'users are no records; change them with: watchbell users'],
  [['Invoices.edit'], 'Invoices has no records yet; make one with: watchbell trigger Invoices.create'],
])('%j fails in one line with exit code 1', async (args, said) => {
  const { code, stdout, stderr } = await runCommand(['trigger', ...args, '--data-dir', server.dataDir]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`watchbell: ${said}`);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
