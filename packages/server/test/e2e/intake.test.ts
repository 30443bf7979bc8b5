import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
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
});
