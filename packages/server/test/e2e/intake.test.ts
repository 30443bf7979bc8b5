import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Operate, operatorOf } from '../support/operator.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const ORG = '3652397';

let app: LiveApp;
let operate: Operate;
let receiver: Receiver;

beforeAll(async () => {
  app = await startLiveApp();
  operate = operatorOf(app.base);
  await addModule({
    api_name: 'Customers',
    singular: 'Customer',
    plural: 'Customers',
    external: true,
    fields: [{ api_name: 'City', type: 'text' }],
  });
  await addModule({
    api_name: 'Orders',
    singular: 'Order',
    plural: 'Orders',
    external: true,
    fields: [
      { api_name: 'Stage', type: 'picklist', pick_list: ['New', 'Paid', 'Sent'] },
      { api_name: 'Total', type: 'currency' },
      { api_name: 'Gift', type: 'boolean' },
      { api_name: 'Labels', type: 'multiselectpicklist', pick_list: ['A', 'B'] },
      { api_name: 'Customer', type: 'lookup', lookup: 'Customers' },
      { api_name: 'Contact', type: 'lookup', lookup: 'Contacts' },
      { api_name: 'Items', type: 'subform', rows: [{ api_name: 'Article', type: 'text' }] },
    ],
  });
});
beforeEach(async () => {
  receiver = await startReceiver();
  return () => receiver.close();
});
afterAll(() => app.stop());

async function addModule(module: object): Promise<void> {
  expect((await operate('POST', `/orgs/${ORG}/modules`, module)).status).toBe(201);
}

interface Told {
  readonly module: string;
  readonly operation: string;
  readonly records: readonly object[];
}

const told = (operation: string, ...records: object[]): Told => ({ module: 'Orders', operation, records });

/** As the owner, unless another caller does it. */
const send = (changes: readonly object[], caller: Caller = app.owner): Promise<Answer> =>
  caller.call('POST', '/_watchbell/v1/changes', { changes });

const sendAsOperator = (changes: readonly object[], more: object = {}): Promise<Answer> =>
  operate('POST', `/orgs/${ORG}/changes`, { changes, ...more });

/** With a key; as the operator, or as a user. */
async function sendWithKey(key: string, changes: readonly object[], as?: Caller): Promise<Answer> {
  const response = await fetch(`${app.base}/_watchbell/v1/${as ? '' : `orgs/${ORG}/`}changes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${as?.accessToken ?? 'dev-admin'}`, 'idempotency-key': key },
    body: JSON.stringify({ changes }),
  });
  return { status: response.status, body: await response.json() };
}

const numberOf = ({ body }: Answer, i = 0): number =>
  (body as { changes: { number: number }[] }).changes[i]?.number ?? 0;

let channels = 700;

/** Opens a channel of its own for the test; gone with it. */
async function watch(more: object, version = 'v8'): Promise<void> {
  channels += 1;
  const channel_id = String(channels);
  const watch = [{ channel_id, events: ['Orders.all'], notify_url: receiver.origin, ...more }];
  const { status, body } = await app.owner.call('POST', `/crm/${version}/actions/watch`, { watch });
  expect(body).toMatchObject({ watch: [{ status: 'success' }] });
  expect(status).toBe(201);
  watched.push(channel_id);
}

const watched: string[] = [];
beforeEach(() => async () => {
  const ids = watched.splice(0).join(',');
  if (ids !== '') await app.owner.call('DELETE', `/crm/v8/actions/watch?channel_ids=${ids}`);
});

describe('changes of an external module', () => {
  test('are told, numbered and notified as changes of records here are', async () => {
    await watch({ return_affected_field_values: true });
    const order = {
      Stage: 'New',
      Total: 12.5,
      Customer: { id: 'c-1', name: 'Ada' },
      Items: [{ Article: 'X' }],
      Gift: null,
    };
    const { status, body } = await send([
      told('insert', { id: 'o-1', values: order }),
      told('update', { id: 'o-1', old_values: { ...order, Total: 12 }, values: order }),
      told('delete', { id: 'o-1' }),
    ]);
    expect(status).toBe(200);
    const first = (body as { changes: [{ number: number }] }).changes[0].number;
    expect(body).toEqual({
      changes: [0, 1, 2].map((i) => ({ number: first + i, records: 1, notifications: 1 })),
    });
    const bodies = (await receiver.first(3)).map((received) => received.body);
    const customer = { name: 'Ada', id: 'c-1' };
    expect(bodies).toMatchObject([
      {
        module: 'Orders',
        operation: 'insert',
        resource_uri: `${app.base}/crm/v2/Orders`,
        ids: ['o-1'],
        affected_fields: [],
        affected_values: [{ record_id: 'o-1', values: { Stage: 'New', Total: 12.5, Customer: customer } }],
      },
      {
        operation: 'update',
        affected_fields: [{ 'o-1': ['Total'] }],
        affected_values: [{ record_id: 'o-1', values: { Total: 12.5 } }],
      },
      { operation: 'delete', affected_fields: [{ 'o-1': ['Modified_By', 'Record_Status__s'] }] },
    ]);
    expect(bodies[0]).not.toHaveProperty('affected_values.0.values.Gift');
    expect(bodies[2]).toHaveProperty('affected_values.0.values.Record_Status__s', 0);
  });

  test.each(['v2', 'v3', 'v8'])('are told to channels of %s in its shape', async (version) => {
    await watch({ return_affected_field_values: true, token: 'T' }, version);
    await send([told('update', { id: 'o-2', values: { Total: 3, Labels: ['A'] }, fields: ['Total', 'Stage'] })]);
    const [received] = await receiver.first(1);
    const common = {
      module: 'Orders',
      operation: 'update',
      ids: ['o-2'],
      token: 'T',
      query_params: {},
      resource_uri: `${app.base}/crm/v2/Orders`,
      channel_id: expect.anything(),
    };
    const fields = { server_time: app.clock.now(), affected_fields: [{ 'o-2': ['Total', 'Stage'] }] };
    const affected_values = [{ record_id: 'o-2', values: { Total: 3, Stage: null } }];
    expect(received?.body).toEqual(version === 'v2' ? common : { ...common, ...fields, affected_values });
  });

  test('pass conditions on their fields, record by record', async () => {
    const field_selection = { field: { api_name: 'Stage' } };
    const condition = { type: 'field_selection', module: { api_name: 'Orders' }, field_selection };
    await watch({ notification_condition: [condition] });
    const paid = { old_values: { Stage: 'New', Total: 1 }, values: { Stage: 'Paid', Total: 1 } };
    const dearer = { old_values: { Stage: 'New', Total: 1 }, values: { Stage: 'New', Total: 2 } };
    const { body } = await send([
      told('update', { id: 'a', ...dearer }),
      told('update', { id: 'a', ...paid }, { id: 'b', ...dearer }, { id: 'c', ...paid }),
      told('insert', { id: 'd', values: { Total: 1 } }),
    ]);
    expect(body).toMatchObject({ changes: [0, 1, 1].map((notifications) => ({ notifications })) });
    const bodies = (await receiver.first(2)).map((received) => received.body);
    expect(bodies.map(({ operation, ids }) => [operation, ids])).toEqual([
      ['update', ['a', 'c']],
      ['insert', ['d']],
    ]);
  });

  test('notify of what they point at, here and elsewhere, as related actions', async () => {
    const contact = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
    const id = at(contact.body, 'data', 0, 'details', 'id');
    await watch({ events: ['Contacts.edit', 'Customers.edit'], notify_on_related_action: true });
    const gone = `${ORG}999999999999`;
    await send([
      told('update', { id: 'x', values: { Contact: { id }, Customer: 'x' } }),
      told('update', { id: 'x', old_values: { Contact: id }, values: { Contact: { id: gone } } }),
    ]);
    const bodies = (await receiver.first(3)).map((received) => received.body);
    expect(
      bodies.map(({ module, operation, ids, affected_fields }) => [module, operation, ids, affected_fields]),
    ).toEqual(
      expect.arrayContaining([
        ['Contacts', 'update', [id], [{ [id]: [] }]],
        ['Customers', 'update', ['x'], [{ x: [] }]],
        ['Contacts', 'update', [id], [{ [id]: [] }]],
      ]),
    );
  });

  test('about one record arrive in their order, however fast they are told', async () => {
    await watch({});
    const tell = (id: string) => send([told('update', { id, fields: ['Stage'] })]);
    await Promise.all(
      ['r0', 'r1', 'r2'].map(async (id) => {
        for (let i = 0; i < 20; i += 1) await tell(id);
      }),
    );
    const arrivals = await receiver.first(60);
    for (const record of ['r0', 'r1', 'r2']) {
      const numbers = arrivals
        .filter(({ body }) => body.ids[0] === record)
        .map(({ headers }) => Number(headers['watchbell-sequence']));
      expect(numbers).toHaveLength(20);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  test('are explained by the numbers that the answer gave', async () => {
    await watch({ events: ['Orders.create'] });
    const answer = await send([told('insert', { id: 'why' }), told('update', { id: 'why', values: { Total: 1 } })]);
    const path = `/_watchbell/v1/explain?module=Orders&record=why&channel=${channels}`;
    const { body } = await app.owner.call('GET', path);
    const { items } = body as { items: { change: { number: number }; verdict: string; reason: string }[] };
    const sorted = items.toSorted((a, b) => a.change.number - b.change.number);
    expect(sorted.map(({ change, verdict, reason }) => [change.number, verdict, reason])).toEqual([
      [numberOf(answer, 0), 'notified', 'own_event'],
      [numberOf(answer, 1), 'not_notified', 'event_type'],
    ]);
  });

  test('are told in the name of the user who calls, of one that the operator names, or of nobody', async () => {
    await watch({ return_affected_field_values: true });
    const { body } = await operate('GET', `/orgs/${ORG}/users`);
    const user = at(body, 'users', 0, 'id');
    await send([told('delete', { id: 'who' })]);
    expect((await sendAsOperator([told('delete', { id: 'who' })], { by: user })).status).toBe(200);
    expect((await sendAsOperator([told('delete', { id: 'who' })])).status).toBe(200);
    expect(await sendAsOperator([told('delete', { id: 'who' })], { by: `${ORG}999999999999` })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { api_name: 'by', json_path: '$.by' } },
    });
    const bodies = (await receiver.first(3)).map((received) => received.body);
    const names = bodies.map((one) => at(one, 'affected_values', 0, 'values', 'Modified_By', 'id'));
    expect(names).toEqual([user, user, `${ORG}000000000000`]);
  });
});

describe('a call', () => {
  test('is taken as a whole or refused as a whole, with the place of its first fault', async () => {
    await watch({});
    const good = told('insert', { id: 'w1' });
    const refused = await send([good, told('insert', { id: 'w2', values: { Colour: 'red' } })]);
    expect(refused).toEqual({
      status: 400,
      body: {
        code: 'INVALID_DATA',
        status: 'error',
        message: 'changes[1].records[0].values.Colour is no field of Orders',
        details: { api_name: 'Colour', json_path: '$.changes[1].records[0].values.Colour' },
      },
    });
    await send([told('insert', { id: 'w3' })]);
    expect((await receiver.first(1))[0]?.body.ids).toEqual(['w3']);
    expect(receiver.received).toHaveLength(1);
  });

  test.each<[string, unknown, string]>([
    ['no changes', {}, '$.changes'],
    ['an empty list', { changes: [] }, '$.changes'],
    ['too many changes', { changes: Array(101).fill(told('delete', { id: 'a' })) }, '$.changes'],
    ['no records', { changes: [told('delete')] }, '$.changes[0].records'],
    ['a record without id', { changes: [told('delete', {})] }, '$.changes[0].records[0].id'],
    ['an id that is a number', { changes: [told('delete', { id: 7 })] }, '$.changes[0].records[0].id'],
    ['another operation', { changes: [told('edit', { id: 'a' })] }, '$.changes[0].operation'],
    ['an unknown key', { changes: [told('update', { id: 'a', old: {} })] }, '$.changes[0].records[0].old'],
    ['values that are none', { changes: [told('update', { id: 'a', values: [] })] }, '$.changes[0].records[0].values'],
    ['a module that is none', { changes: [{ ...told('delete', { id: 'a' }), module: 'No' }] }, '$.changes[0].module'],
    [
      'a module of records here',
      { changes: [{ ...told('delete', { id: 'a' }), module: 'Deals' }] },
      '$.changes[0].module',
    ],
    ['by, which is for operators', { changes: [told('delete', { id: 'a' })], by: `${ORG}000000186017` }, '$.by'],
  ])('with %s is refused', async (_, body, json_path) => {
    const answer = await app.owner.call('POST', '/_watchbell/v1/changes', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_DATA', details: { json_path } } });
  });

  test('needs scopes on each module for each operation, and a profile that allows the module', async () => {
    const changes = [
      told('insert', { id: 's' }),
      told('update', { id: 's', fields: ['Total'] }),
      told('delete', { id: 's' }),
    ];
    const scopes = ['CREATE', 'UPDATE', 'DELETE'].map((operation) => `ZohoCRM.modules.Orders.${operation}`);
    expect((await send(changes, await app.colleague({ scopes }))).status).toBe(200);
    expect((await send(changes, await app.colleague({ scopes: ['ZohoCRM.modules.ALL'] }))).status).toBe(200);
    for (const [i, change] of changes.entries()) {
      const lacking = await app.colleague({ scopes: scopes.filter((_, k) => k !== i) });
      expect(await send([change], lacking)).toMatchObject({ status: 401, body: { code: 'OAUTH_SCOPE_MISMATCH' } });
    }
    expect(await send(changes, await app.colleague({ deniedModules: ['Orders'] }))).toMatchObject({
      status: 403,
      body: { code: 'NO_PERMISSION', details: { permissions: ['Crm_Implied_Create_Orders'] } },
    });
    expect((await send(changes, await app.stranger())).status).toBe(400);
  });

  test.each(['an owner', 'the operator'])('of %s with a key is done once', async (name) => {
    const as = name === 'an owner' ? app.owner : undefined;
    await watch({});
    const changes = [told('insert', { id: 'k1' }), told('insert', { id: 'k2' })];
    const first = await sendWithKey('once', changes, as);
    expect(first.status).toBe(200);
    const at = await Promise.all([1, 2, 3].map(() => sendWithKey('once', changes, as)));
    expect(at).toEqual([first, first, first]);
    expect(await sendWithKey('once', changes.slice(1), as)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { api_name: 'Idempotency-Key' } },
    });
    expect(await sendWithKey('a b', changes, as)).toMatchObject({ status: 400 });
    const next = await sendWithKey('twice', changes, as);
    expect(numberOf(next)).toBe(numberOf(first, 1) + 1);
    const arrived = (await receiver.first(4)).map(({ headers }) => headers['watchbell-sequence']);
    expect(new Set(arrived)).toEqual(new Set(['1', '2', '3', '4']));
  });

  test('that was refused keeps no answer under its key', async () => {
    expect((await sendWithKey('mended', [told('insert', { id: '?' })])).status).toBe(400);
    expect((await sendWithKey('mended', [told('insert', { id: 'm' })])).status).toBe(200);
  });
});

describe('the record API', () => {
  const here = (path: string) => `/crm/v8/${path}`;
  test.each<[string, string, object?]>([
    ['GET', 'Orders?fields=Stage'],
    ['GET', 'Orders/1'],
    ['POST', 'Orders', { data: [{ Stage: 'New' }] }],
    ['PUT', 'Orders', { data: [{ id: '1', Stage: 'New' }] }],
    ['PUT', 'Orders/1', { data: [{ Stage: 'New' }] }],
    ['DELETE', 'Orders?ids=1'],
    ['DELETE', 'Orders/1'],
    ['POST', 'Orders/upsert', { data: [{ Stage: 'New' }] }],
    ['GET', 'Orders/search?word=new'],
    ['GET', 'Orders/deleted?type=all'],
    ['GET', 'Orders/actions/count'],
    ['POST', 'Orders/actions/add_tags', { tags: [{ name: 'x' }], ids: ['1'] }],
    ['POST', 'Orders/actions/remove_tags', { tags: [{ name: 'x' }], ids: ['1'] }],
    ['POST', 'Orders/actions/change_owner', { ids: ['1'], owner: { id: '1' } }],
    ['POST', 'Orders/actions/mass_update', { data: [{ Stage: 'New' }], ids: ['1'] }],
    ['POST', 'Orders/actions/mass_delete', { ids: ['1'] }],
    ['GET', 'Orders/1/Notes?fields=Note_Title'],
    ['GET', 'Contacts/1/Orders?fields=Stage'],
    ['GET', 'settings/tags?module=Orders'],
    ['POST', 'settings/tags?module=Orders', { tags: [{ name: 'x' }] }],
  ])('refuses %s %s: the records are elsewhere', async (method, path, body) => {
    expect(await app.owner.call(method, here(path), body)).toMatchObject({
      status: 400,
      body: {
        code: 'INVALID_MODULE',
        message: 'the records of this module are kept elsewhere',
        details: { module: 'Orders' },
      },
    });
  });

  test('shows the module with its fields, as one whose records it does not serve', async () => {
    const { body } = await app.owner.call('GET', here('settings/modules/Orders'));
    expect(body).toMatchObject({
      modules: [{ api_name: 'Orders', generated_type: 'custom', api_supported: false, creatable: false }],
    });
    const fields = await app.owner.call('GET', here('settings/fields?module=Orders'));
    expect(JSON.stringify(fields.body)).toContain('"Customer"');
    const lists = await app.owner.call('GET', here('settings/related_lists?module=Contacts'));
    expect(JSON.stringify(lists.body)).not.toContain('"Orders"');
  });
});

describe('a module', () => {
  test('says whether it is external, and stays so', async () => {
    expect((await operate('GET', `/orgs/${ORG}/modules/Orders`)).body).toMatchObject({ custom: true, external: true });
    expect((await operate('GET', `/orgs/${ORG}/modules/Deals`)).body).toMatchObject({ external: false });
    expect(await operate('PATCH', `/orgs/${ORG}/modules/Orders`, { external: false })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { api_name: 'external' } },
    });
    const pointing = { api_name: 'Order', type: 'lookup', lookup: 'Orders' };
    expect(await operate('POST', `/orgs/${ORG}/modules/Contacts/fields`, pointing)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { json_path: '$.lookup' } },
    });
  });
});

test('what is told outlives a restart: what is owed, the keys, and that the module is external', async () => {
  receiver.behave((_request, response) => response.writeHead(500).end());
  await watch({});
  const changes = [told('insert', { id: 'late' })];
  const first = await sendWithKey('before', changes);
  app = await app.restart();
  operate = operatorOf(app.base);
  expect(await sendWithKey('before', changes)).toEqual(first);
  receiver.behave((_request, response) => response.end());
  app.clock.advance(60_000);
  await expect.poll(() => receiver.received.at(-1)?.headers['watchbell-attempt']).not.toBe('1');
  expect(receiver.received.at(-1)?.body.ids).toEqual(['late']);
  expect(numberOf(await send([told('insert', { id: 'later' })]))).toBe(numberOf(first) + 1);
});

test('an organisation that is not there, or is suspended, takes nothing', async () => {
  const change = told('insert', { id: 'no' });
  expect(await operate('POST', '/orgs/4999999/changes', { changes: [change] })).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND', details: { api_name: 'org' } },
  });
  const before = numberOf(await sendAsOperator([change]));
  await operate('POST', `/orgs/${ORG}/suspend`);
  const refused = [await sendAsOperator([change]), await send([change])];
  expect((await operate('POST', `/orgs/${ORG}/resume`)).status).toBe(200);
  expect(refused.map(({ status }) => status)).toEqual([403, 403]);
  expect(numberOf(await sendAsOperator([change]))).toBe(before + 1);
});

test('too many calls at once are told to come again, and those that were taken stand in the log without a gap', async () => {
  const small = await startLiveApp({ flags: { maxQueuedWrites: '1' } });
  onTestFinished(() => small.stop());
  const orders = { api_name: 'Orders', singular: 'Order', plural: 'Orders', external: true };
  await operatorOf(small.base)('POST', `/orgs/${ORG}/modules`, orders);
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const response = await fetch(`${small.base}/_watchbell/v1/orgs/${ORG}/changes`, {
        method: 'POST',
        headers: { authorization: 'Bearer dev-admin' },
        body: JSON.stringify({ changes: [told('insert', { id: `${i}` })] }),
      });
      return { status: response.status, wait: response.headers.get('retry-after'), body: await response.json() };
    }),
  );
  const taken = answers.filter(({ status }) => status === 200).map((answer) => numberOf(answer));
  const busy = answers.filter(({ status }) => status === 503);
  expect(taken.length + busy.length).toBe(60);
  expect(busy.length).toBeGreaterThan(0);
  expect(new Set(busy.map(({ wait }) => wait))).toEqual(new Set(['1']));
  const sorted = taken.toSorted((a, b) => a - b);
  expect(sorted).toEqual(sorted.map((_, i) => (sorted[0] ?? 0) + i));
});
