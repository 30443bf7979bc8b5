import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { type Answer, at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
});

afterAll(async () => {
  await app.stop();
  await receiver.close();
});

const call = (method: string, path: string, body?: unknown): Promise<Answer> => app.owner.call(method, path, body);

/** A watch call in which the id stands as it is written here, digit by digit. */
const watch = (method: string, version: string, json: string, more = '') =>
  call(
    method,
    `/crm/${version}/actions/watch`,
    `{"watch":[{"channel_id":${json},"events":["Leads.all"],"notify_url":"${receiver.origin}"${more}}]}`,
  );

const idIn = (answer: Answer) => at(answer.body, 'watch', 0, 'details', 'events', 0, 'channel_id');

describe('channel_id', () => {
  const taken = [
    ['9007199254740993', '9007199254740993'],
    ['"9007199254740993"', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['1745564708612968001', '1745564708612968001'],
    ['9223372036854775807', '9223372036854775807'],
    ['"9223372036854775807"', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['"-9223372036854775808"', '-9223372036854775808'],
    ['-5', '-5'],
    ['0', '0'],
    ['-0', '0'],
    ['"-0"', '0'],
    ['"007"', '7'],
    ['"+7"', '7'],
    ['1.0', '1'],
    ['1e3', '1000'],
    ['1E+3', '1000'],
  ] as const;

  test.each(taken)('%s is %s in every answer and in notifications', async (json, id) => {
    const before = receiver.received.length;
    expect(idIn(await watch('POST', 'v8', json))).toBe(id);
    expect(idIn(await watch('PUT', 'v3', json))).toBe(id);
    expect(idIn(await watch('PATCH', 'v2', json))).toBe(id);
    const listed = await call('GET', `/crm/v8/actions/watch?channel_id=${id}`);
    expect(listed.body).toMatchObject({ watch: [{ channel_id: id }], info: { count: 1 } });
    await call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'Boyle', Company: 'Zylker' }] });
    const notification = (await receiver.first(before + 1)).at(-1);
    expect(notification?.text).toContain(`"channel_id":"${id}"`);
    const pruned = await watch('PATCH', 'v7', json, ',"_delete_events":true');
    expect(idIn(pruned)).toBe(id);
    await watch('POST', 'v8', `"${id}"`);
    const deleted = await call('DELETE', `/crm/v8/actions/watch?channel_ids=${id}`);
    expect(deleted.status).toBe(200);
    expect(at(deleted.body, 'watch', 0, 'details', 'channel_id')).toBe(id);
  });

  test.each([
    '9223372036854775808',
    '"9223372036854775808"',
    '-9223372036854775809',
    '"-9223372036854775809"',
    '123456789012345678901234567890',
    '1e19',
    '9007199254740993.0',
    '9.007199254740993e15',
    '1.5',
    '"1e3"',
    '"1.0"',
    '"--5"',
    '"0x10"',
    '"1 000"',
    '"1_000"',
    '"١٢٣"',
  ])('%s is refused, and names its type', async (json) => {
    for (const [method, more] of [
      ['POST', ''],
      ['PUT', ''],
      ['PATCH', ''],
      ['PATCH', ',"_delete_events":true'],
    ] as const) {
      const { status, body } = await watch(method, 'v8', json, more);
      expect([method, status]).toEqual([method, 400]);
      expect(body).toMatchObject({
        watch: [
          {
            code: 'INVALID_DATA',
            details: { expected_data_type: 'long', api_name: 'channel_id', json_path: '$.watch[0].channel_id' },
          },
        ],
      });
    }
  });

  test('with a leading zero is no JSON number', async () => {
    const { status, body } = await watch('POST', 'v8', '007');
    expect([status, body]).toMatchObject([400, { code: 'INVALID_DATA', message: 'body' }]);
  });

  test('is the same channel in each of its forms, and no neighbour', async () => {
    const one = '{"channel_id":9007199254740993,"events":["Leads.all"],"notify_url":"https://example.com/"}';
    const near = one.replace('0993', '0992');
    const twice = await call(
      'POST',
      '/crm/v8/actions/watch',
      `{"watch":[${one},${near},${one.replace(/(\d{16})/, '"$1"')}]}`,
    );
    expect(twice.status).toBe(207);
    expect(twice.body).toMatchObject({ watch: [{ code: 'SUCCESS' }, { code: 'SUCCESS' }, { code: 'DUPLICATE_DATA' }] });
    const deleted = await call('DELETE', '/crm/v8/actions/watch?channel_ids=9007199254740993');
    expect(deleted.status).toBe(200);
    const left = await call('GET', '/crm/v8/actions/watch');
    expect(left.body).toMatchObject({ watch: [{ channel_id: '9007199254740992' }], info: { count: 1 } });
    expect((await call('DELETE', '/crm/v8/actions/watch?channel_ids=-1,9007199254740992')).status).toBe(207);
  });
});

describe.each(API_VERSIONS)('ids of records as JSON numbers, on %s', (version) => {
  const base = `/crm/${version}`;
  const create = async (module: string, fields: string): Promise<string> => {
    const made = await call('POST', `${base}/${module}`, `{"data":[${fields}]}`);
    expect(made.status).toBe(201);
    return at(made.body, 'data', 0, 'details', 'id');
  };
  const idOf = (answer: Answer) => at(answer.body, 'data', 0, 'details', 'id');
  const show = async (module: string, id: string) => {
    const { body } = await call('GET', `${base}/${module}/${id}`);
    return (body as { data: Record<string, unknown>[] }).data[0] ?? {};
  };

  test('are read to the last digit, and said as text', async () => {
    const account = await create('Accounts', '{"Account_Name":"Zylker"}');
    await create('Accounts', '{"Account_Name":"Neighbour"}');
    // Written as text or not, an id of 19 digits is beyond 2^53: its neighbours would be the same floating-point number.
    expect(Number(account) === Number(account) + 1).toBe(true);
    const contact = await create('Contacts', `{"Last_Name":"Boyle","Account_Name":{"id":${account}}}`);
    expect(await show('Contacts', contact)).toMatchObject({ Account_Name: { name: 'Zylker', id: account } });

    expect(idOf(await call('PUT', `${base}/Contacts`, `{"data":[{"id":${contact},"First_Name":"A"}]}`))).toBe(contact);
    const upsert = await call('POST', `${base}/Contacts/upsert`, `{"data":[{"id":${contact},"Last_Name":"B"}]}`);
    expect(idOf(upsert)).toBe(contact);
    expect(await show('Contacts', contact)).toMatchObject({ First_Name: 'A', Last_Name: 'B' });

    const mass = `{"data":[{"First_Name":"C"}],"ids":[${contact}]}`;
    expect(idOf(await call('POST', `${base}/Contacts/actions/mass_update`, mass))).toBe(contact);
    const tags = `{"tags":[{"name":"vip"}],"ids":[${contact}]}`;
    expect((await call('POST', `${base}/Contacts/actions/add_tags`, tags)).status).toBe(200);
    const { Owner: owner, Tag: tagged } = (await show('Contacts', contact)) as {
      Owner: { id: string };
      Tag: readonly unknown[];
    };
    expect(tagged).toHaveLength(1);
    const give = `{"owner":{"id":${owner.id}}}`;
    expect((await call('POST', `${base}/Contacts/${contact}/actions/change_owner`, give)).status).toBe(200);
    const note = `{"Note_Content":"A","Parent_Id":{"id":${contact},"module":{"api_name":"Contacts"}}}`;
    expect(await show('Notes', await create('Notes', note))).toMatchObject({ Parent_Id: { id: contact } });
    const remove = `{"ids":[${contact}]}`;
    expect(idOf(await call('POST', `${base}/Contacts/actions/mass_delete`, remove))).toBe(contact);
    const restore = await call('POST', `${base}/settings/recycle_bin/actions/restore`, remove);
    expect(restore.status).toBe(200);
  });
});
