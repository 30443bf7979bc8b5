import { ApiError, createInbox, expectSuccess } from '@watchbell/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DevServer, startDevServer } from './dev-server.ts';

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

const inboxOf = () => createInbox({ base: server.base, adminToken: 'dev-admin' });

test('the client opens, lists, replaces, merges, relieves and deletes a channel of the real server', async () => {
  const { watch } = server.client;
  const channel_id = '9223372036854775807';
  const notify_url = `${server.base}/_watchbell/inbox/client`;
  const events = async () => (await watch.list({ channelId: channel_id })).watch.flatMap((row) => row.events);

  const opened = expectSuccess(await watch.open([{ channel_id, notify_url, events: ['Deals.all'], token: 'a' }]));
  expect(opened[0]?.events[0]).toMatchObject({ channel_id, resource_name: 'Deals' });
  expect(await events()).toEqual(['Deals.edit', 'Deals.create', 'Deals.delete']);
  expectSuccess(await watch.replace([{ channel_id, events: ['Deals.edit'] }]));
  expect(await events()).toEqual(['Deals.edit']);
  expectSuccess(await watch.merge([{ channel_id, events: ['Leads.create'] }]));
  expect(await events()).toEqual(['Deals.edit', 'Leads.create']);
  expectSuccess(await watch.disableEvents([{ channel_id, events: ['Leads.create'] }]));
  expect(await events()).toEqual(['Deals.edit']);
  expect(expectSuccess(await watch.delete([channel_id]))).toMatchObject([{ channel_id }]);
  expect(await events()).toEqual([]);
});

test('what the client writes reaches the inbox, which it reads and clears', async () => {
  const { watch, records } = server.client;
  const notify_url = `${server.base}/_watchbell/inbox/writes`;
  expectSuccess(await watch.open([{ channel_id: '7', notify_url, events: ['Contacts.all'] }]));

  const [created] = expectSuccess(
    await records.create('Contacts', [{ Last_Name: 'Lovelace', Email: 'al@example.com' }]),
  );
  const id = created?.id ?? '';
  expect(await records.upsert('Contacts', [{ Last_Name: 'King', Email: 'al@example.com' }])).toMatchObject([
    { status: 'success', action: 'update', duplicate_field: 'Email', details: { id } },
  ]);
  expectSuccess(await records.update('Contacts', [{ id, Title: 'Countess' }]));
  expect(await records.get('Contacts', id)).toMatchObject({ id, Last_Name: 'King', Title: 'Countess' });
  expect((await records.list('Contacts', { ids: [id], fields: ['Last_Name'] })).data).toMatchObject([
    { Last_Name: 'King' },
  ]);
  expectSuccess(await records.delete('Contacts', [id]));
  expect(await records.get('Contacts', id)).toBeUndefined();

  const { messages } = await inboxOf().list('writes', { wait: 20, count: 4 });
  expect(messages.map(({ body }) => body)).toMatchObject(
    ['insert', 'update', 'update', 'delete'].map((operation) => ({ operation, module: 'Contacts', ids: [id] })),
  );
  await inboxOf().clear('writes');
  expect((await inboxOf().list('writes')).messages).toEqual([]);
});

test('refusals of the real server carry its codes and details', async () => {
  const results = await server.client.records.create('Leads', [{ Last_Name: 'Hopper', Company: 'Harbour' }, {}]);
  expect(results).toMatchObject([
    { status: 'success' },
    { status: 'error', code: 'MANDATORY_NOT_FOUND', details: { json_path: expect.stringContaining('$.data[1].') } },
  ]);
  await expect(server.client.records.list('Nonsense')).rejects.toThrow(ApiError);
  await expect(server.client.records.list('Nonsense')).rejects.toMatchObject({ code: 'INVALID_MODULE', status: 400 });
  const stranger = createInbox({ base: server.base, adminToken: 'guessed' });
  await expect(stranger.list('writes')).rejects.toMatchObject({ status: 401 });
});

test('the organisation and its fields are told', async () => {
  expect(await server.client.org()).toMatchObject({ zgid: '3652397' });
  const fields = await server.client.settings.fields('Leads');
  expect(
    fields
      .filter((field) => field.system_mandatory)
      .map((field) => field.api_name)
      .sort(),
  ).toEqual(['Company', 'Last_Name']);
});
