import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ExplainedItem, explainAll, explainPage, SAMPLE_ORG } from '../support/explaining.ts';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, hanging, type Receiver, startReceiver } from '../support/receiver.ts';
import { changeIn } from '../support/test-data.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const begin = async (flags: Record<string, string> = {}): Promise<void> => {
  app = await startLiveApp({ flags });
};

type Method = 'POST' | 'PUT' | 'PATCH';
async function watch(
  entry: Record<string, unknown>,
  { by = app.owner, method = 'POST' as Method } = {},
): Promise<void> {
  const full = { channel_id: '1', ...(method === 'PATCH' ? {} : { notify_url: receiver.origin }), ...entry };
  const { status, body } = await by.call(method, '/crm/v8/actions/watch', { watch: [full] });
  expect(status, JSON.stringify(body)).toBe(method === 'POST' ? 201 : 200);
}

async function write(method: 'POST' | 'PUT', module: string, ...data: Record<string, unknown>[]): Promise<string> {
  const { status, body } = await app.owner.call(method, `/crm/v8/${module}`, { data });
  expect(status, JSON.stringify(body)).toBeLessThan(300);
  return at(body, 'data', 0, 'details', 'id');
}

const contact = (fields: Record<string, unknown> = {}) => write('POST', 'Contacts', { Last_Name: 'Boyle', ...fields });
const edit = (id: string, fields: Record<string, unknown>) => write('PUT', 'Contacts', { id, ...fields });
const remove = async (...ids: string[]) =>
  expect((await app.owner.call('DELETE', `/crm/v8/Contacts?ids=${ids.join(',')}`)).status).toBe(200);

/** All that the operator is told of a record, and its newest change first. */
const ask = (module: string, record: string, query: Record<string, string | number> = {}) =>
  explainAll(app, { module, record, ...query });
async function newest(module: string, record: string, query: Record<string, string | number> = {}) {
  const [item] = await ask(module, record, query);
  if (!item) throw new Error('nothing was explained');
  return item;
}

const short = ({ change, verdict, reason }: ExplainedItem) => `${change.operation} ${verdict} ${reason}`;
const isoAt = (ms: number) => new Date(ms).toISOString();

describe('a channel was notified', () => {
  test('because it watches what happened, and its notification is shown as it stands', async () => {
    await begin();
    await watch({ events: ['Contacts.create'] });
    const id = await contact();
    await receiver.first(1);
    await app.app.idle();
    const item = await newest('Contacts', id);
    expect(item).toMatchObject({
      change: { operation: 'insert', module: 'Contacts', fields: [] },
      channel: { channel_id: '1' },
      verdict: 'notified',
      reason: 'own_event',
      why: 'It watches Contacts.create.',
      channel_as_it_was: { kind: 'opened', events: ['Contacts.create'], conditions: [], overflow_from: null },
      notifications: [{ number: 1, module: 'Contacts', ids: [id], state: 'delivered', attempts: 1, held_by: null }],
    });
    expect(item.notifications[0]?.id).toBe(receiver.received[0]?.headers['webhook-id']);
  });

  test('because its condition holds', async () => {
    await begin();
    await watch({ events: ['Deals.edit'], ...stageOrAmount });
    const id = await write('POST', 'Deals', { Deal_Name: 'D', Stage: 'Qualification' });
    await write('PUT', 'Deals', { id, Stage: 'Closed Won' });
    expect((await newest('Deals', id)).why).toBe(
      'It watches Deals.edit, and its condition asks that Stage or Amount changed, as it did.',
    );
  });

  test('because it takes related actions: told of the record that is pointed at, and asked from either end', async () => {
    await begin();
    await watch({ events: ['Accounts.edit'], notify_on_related_action: true });
    const account = await write('POST', 'Accounts', { Account_Name: 'King' });
    const id = await contact({ Account_Name: { id: account } });
    await receiver.first(1);
    await app.app.idle();
    const why = `It watches Accounts.edit with related actions, and what changed points at Accounts ${account}.`;
    const told = { verdict: 'notified', reason: 'related_action', why };
    expect(await newest('Accounts', account)).toMatchObject({
      ...told,
      change: { module: 'Contacts', operation: 'insert', fields: null },
      notifications: [{ number: 1, module: 'Accounts', ids: [account], state: 'delivered' }],
    });
    expect(await newest('Contacts', id)).toMatchObject({ ...told, change: { fields: [] } });
  });

  test('by two notifications of one change, each with its own number', async () => {
    await begin();
    await watch({ events: ['Contacts.all', 'Accounts.edit'], notify_on_related_action: true });
    const account = await write('POST', 'Accounts', { Account_Name: 'King' });
    const id = await contact({ Account_Name: { id: account } });
    const { notifications, reason } = await newest('Contacts', id);
    expect(reason).toBe('own_event');
    expect(notifications.map(({ number, module }) => `${number} ${module}`)).toEqual(['1 Contacts', '2 Accounts']);
    const ofAccount = await newest('Accounts', account);
    expect(ofAccount.notifications.map(({ number, module }) => `${number} ${module}`)).toEqual(['2 Accounts']);
  });
});

const stageOrAmount = {
  notification_condition: [
    {
      type: 'field_selection',
      module: { api_name: 'Deals' },
      field_selection: {
        group_operator: 'or',
        group: [{ field: { api_name: 'Stage' } }, { field: { api_name: 'Amount' } }],
      },
    },
  ],
};

describe('a channel was not notified', () => {
  test('because of its event types', async () => {
    await begin();
    await watch({ events: ['Contacts.create', 'Contacts.delete'] });
    const id = await contact();
    await edit(id, { Phone: '1' });
    expect((await ask('Contacts', id)).map(short)).toEqual([
      'update not_notified event_type',
      'insert notified own_event',
    ]);
    expect((await newest('Contacts', id)).why).toBe(
      'It watches Contacts.create and Contacts.delete; this was Contacts.edit.',
    );
  });

  test('because of its condition, though a later one would let it pass', async () => {
    await begin();
    await watch({ events: ['Deals.edit'], ...stageOrAmount });
    const id = await write('POST', 'Deals', { Deal_Name: 'D', Stage: 'Qualification' });
    await write('PUT', 'Deals', { id, Description: 'x' });
    await watch({ events: ['Deals.edit'] }, { method: 'PUT' });
    expect(await newest('Deals', id)).toMatchObject({
      verdict: 'not_notified',
      reason: 'condition',
      why: 'Its condition asks that Stage or Amount changed; this change changed Description.',
      channel_as_it_was: { kind: 'opened', conditions: [{ module: 'Deals', rule: 'Stage or Amount' }] },
      notifications: [],
    });
  });

  test('because it does not ask for related actions, or has a condition that takes none', async () => {
    await begin();
    await watch({ channel_id: '1', events: ['Accounts.edit'], notify_on_related_action: false });
    await watch({
      channel_id: '2',
      events: ['Accounts.edit'],
      notify_on_related_action: true,
      notification_condition: [
        {
          type: 'field_selection',
          module: { api_name: 'Accounts' },
          field_selection: { field: { api_name: 'Phone' } },
        },
      ],
    });
    await watch({ channel_id: '3', events: ['Accounts.create'], notify_on_related_action: true });
    const account = await write('POST', 'Accounts', { Account_Name: 'King' });
    const id = await contact({ Account_Name: { id: account } });
    const lines = (items: ExplainedItem[]) =>
      items.filter(({ change }) => change.module === 'Contacts').map((item) => `${item.reason}: ${item.why}`);
    expect(lines(await ask('Accounts', account))).toEqual([
      'related_off: It watches Accounts.edit, but does not ask for related actions.',
      'related_condition: It has a condition on Accounts, which takes no related actions: these change none of its fields.',
      'event_type: It watches Accounts.create; this was Accounts.edit.',
    ]);
    // One that watches nothing but the creation of accounts could not have been told of a contact.
    expect((await ask('Contacts', id)).map(({ reason }) => reason)).toEqual(['related_off', 'related_condition']);
  });

  test('because the record itself changed in the same call', async () => {
    await begin();
    const boss = await contact({ Last_Name: 'Boss' });
    const id = await contact({ Reporting_To: { id: boss } });
    await watch({ events: ['Contacts.edit'], notify_on_related_action: true });
    await remove(id, boss);
    expect(await newest('Contacts', boss)).toMatchObject({
      reason: 'changed_itself',
      why: 'It watches Contacts.edit; this was Contacts.delete. The record itself changed in the same call, so it is not also told as related.',
    });
    expect((await newest('Contacts', id)).reason).toBe('event_type');
  });

  test('because it had expired: in which lapse, and that it was renewed since', async () => {
    await begin();
    const expiry = app.clock.now() + HOUR;
    await watch({ events: ['Contacts.all'], channel_expiry: isoAt(expiry).replace('.000Z', '+00:00') });
    const id = await contact();
    app.clock.advance(2 * HOUR);
    await edit(id, { Phone: '1' });
    const [gone, told] = await ask('Contacts', id);
    const from = told?.change.number ?? 0;
    expect(gone).toMatchObject({
      verdict: 'not_notified',
      reason: 'expired',
      why: `It had expired at ${isoAt(expiry)}, in a lapse after change ${from}, which goes on; else it would have been told.`,
      channel_as_it_was: { kind: 'expired', expires_at: isoAt(expiry) },
    });
    await watch({ events: ['Contacts.all'] });
    await edit(id, { Phone: '2' });
    const items = await ask('Contacts', id);
    expect(items.map(short)).toEqual([
      'update notified own_event',
      'update not_notified expired',
      'insert notified own_event',
    ]);
    expect(items[1]?.why).toContain(`in a lapse after change ${from}, up to change ${from + 1}; else`);
  });

  test('until the change was matched again: by which job, and as which number', async () => {
    await begin();
    await watch({ events: ['Contacts.all'] });
    app.clock.advance(2 * HOUR);
    const id = await contact();
    await watch({ events: ['Contacts.delete'] });
    const asked = await app.owner.call('POST', '/_watchbell/v1/channels/1/rematches', { all: true });
    expect(asked.status).toBe(201);
    await receiver.first(1);
    await app.app.idle();
    const item = await newest('Contacts', id);
    expect(item).toMatchObject({
      verdict: 'notified',
      reason: 'expired',
      notifications: [{ number: 1, ids: [id], state: 'delivered', rematch: at(asked.body, 'jobs', 0, 'id') }],
    });
    expect(item.why).toContain(
      `else it would have been told. The change was matched again later, by job ${item.notifications[0]?.rematch}, as number 1.`,
    );
  });

  test('because it owed too much', async () => {
    await begin({ maxBacklog: '20' });
    receiver.behave(hanging);
    await watch({ events: ['Contacts.create', 'Contacts.edit'] });
    let item: ExplainedItem;
    do {
      item = await newest('Contacts', await contact());
    } while (item.verdict === 'notified' && item.change.number < 2000);
    expect(item).toMatchObject({ verdict: 'not_notified', reason: 'overflow', notifications: [] });
    const from = item.channel_as_it_was?.overflow_from;
    expect(from).toBeGreaterThanOrEqual(20);
    expect(item.why).toBe(
      `It owed too much and took nothing after change ${from}, which goes on; else it would have been told.`,
    );
    await receiver.close();
    await app.app.idle();
    receiver = await startReceiver();
  });

  test('because it was deleted, or its user was taken away', async () => {
    await begin();
    const colleague = await app.colleague();
    await watch({ events: ['Contacts.all'] });
    await watch({ channel_id: '2', events: ['Contacts.all'] }, { by: colleague });
    const id = await contact();
    const deleted = app.clock.now();
    expect((await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1')).status).toBe(200);
    const user = (await newest('Contacts', id, { channel: '2' })).channel.user;
    await operatorOf(app.base)('PATCH', `/orgs/${SAMPLE_ORG}/users/${user}`, { status: 'inactive' });
    await edit(id, { Phone: '1' });
    const items = (await ask('Contacts', id)).filter(({ change }) => change.operation === 'update');
    expect(items.map(({ channel, reason, why }) => `${channel.channel_id} ${reason}: ${why}`)).toEqual([
      `1 deleted: It had ended at ${isoAt(deleted)}: its owner deleted it.`,
      `2 ended: It had ended at ${isoAt(deleted)}: its user was deactivated.`,
    ]);
  });

  test('because it was not open yet; its id may have had a channel before', async () => {
    await begin();
    const id = await contact();
    await watch({ events: ['Contacts.all'] });
    expect(await newest('Contacts', id, { channel: '1' })).toMatchObject({
      reason: 'not_opened',
      why: `It was not open yet: it was opened at ${isoAt(app.clock.now())}.`,
      channel_as_it_was: null,
    });
    // It could not have been told, so it is not shown unless it is asked for.
    expect(await ask('Contacts', id)).toEqual([]);
    await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
    await edit(id, { Phone: '1' });
    await watch({ events: ['Contacts.all'] });
    await edit(id, { Phone: '2' });
    expect((await ask('Contacts', id, { channel: '1' })).map(short)).toEqual([
      'update notified own_event',
      'update not_notified deleted',
      'insert not_notified not_opened',
    ]);
    expect((await ask('Contacts', id)).map(short)).toEqual([
      'update notified own_event',
      'update not_notified deleted',
    ]);
  });

  test('because it is another user’s, of whom nothing is told but to an operator', async () => {
    await begin();
    const colleague = await app.colleague();
    await watch({ channel_id: '7', events: ['Contacts.all'] }, { by: colleague });
    const id = await contact();
    const mine = async (channel: string): Promise<Omit<ExplainedItem, 'channel'>> => {
      const [item, ...others] = await explainAll(app, { module: 'Contacts', record: id, channel }, app.owner);
      expect(others).toEqual([]);
      const { channel: named, ...rest } = item as ExplainedItem;
      expect(named).toMatchObject({ channel_id: channel, generation: null });
      return rest;
    };
    expect(await mine('7')).toMatchObject({
      verdict: 'not_notified',
      reason: 'other_user',
      why: 'You have no channel of this id, and a channel of another user tells that user alone.',
    });
    expect(await mine('7')).toEqual(await mine('8'));
    expect(await explainAll(app, { module: 'Contacts', record: id }, app.owner)).toEqual([]);
    const holder = (await newest('Contacts', id)).channel.user;
    const owner = at((await app.owner.call('GET', '/crm/v8/users?type=CurrentUser')).body, 'users', 0, 'id');
    expect(await newest('Contacts', id, { channel: '7', user: owner })).toMatchObject({
      reason: 'other_user',
      why: `The user has no channel of this id; ${holder} has one, which tells its own user alone.`,
    });
    expect((await newest('Contacts', id, { channel: '7' })).verdict).toBe('notified');
    const nobody = await operatorOf(app.base)(
      'GET',
      `/orgs/${SAMPLE_ORG}/explain?module=Contacts&record=${id}&channel=8`,
    );
    expect(nobody).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', details: { api_name: 'channel' } } });
  });
});

describe('what is owed is held', () => {
  test('while the channel is suspended: numbered then, and sent once it is resumed', async () => {
    await begin();
    await watch({ events: ['Contacts.all'] });
    const channel = (await newest('Contacts', await contact())).channel.generation;
    await app.app.idle();
    const suspendedAt = app.clock.now();
    const operate = operatorOf(app.base);
    await operate('POST', `/orgs/${SAMPLE_ORG}/channels/${channel}/suspend`);
    const id = await contact();
    const why =
      'It watches Contacts.create; it was suspended then, so its notification was numbered and waits, or waited, until it is resumed.';
    expect(await newest('Contacts', id)).toMatchObject({
      verdict: 'notified',
      reason: 'suspended',
      why,
      notifications: [{ number: 2, held_by: { kind: 'suspended', since: isoAt(suspendedAt) } }],
    });
    await operate('POST', `/orgs/${SAMPLE_ORG}/channels/${channel}/resume`);
    await edit(id, { Phone: '1' });
    await receiver.first(3);
    await app.app.idle();
    expect((await ask('Contacts', id)).map(short)).toEqual(['update notified own_event', 'insert notified suspended']);
    expect((await ask('Contacts', id)).flatMap(({ notifications }) => notifications)).toMatchObject([
      { number: 3, state: 'delivered', held_by: null },
      { number: 2, state: 'delivered', held_by: null },
    ]);
  });

  test('by one before it, however many numbers the channel was given before', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-test-'));
    app = await startLiveApp({ dataDir });
    receiver.behave(failing);
    await watch({ events: ['Contacts.all'] });
    await changeIn(dataDir, 'UPDATE channel SET last_number = 20000');
    app = await app.restart();
    const id = await contact();
    await receiver.first(1);
    await app.app.idle();
    for (const Phone of ['1', '2']) await edit(id, { Phone });
    await app.app.idle();
    expect((await newest('Contacts', id)).notifications).toMatchObject([
      { number: 20_003, state: 'pending', held_by: { kind: 'order', behind: 20_001 } },
    ]);
  });

  test('while a retry waits, while one before it waits, and when the channel has expired', async () => {
    await begin();
    receiver.behave(failing);
    await watch({ events: ['Contacts.all'] });
    const id = await contact();
    await receiver.first(1);
    await app.app.idle();
    await edit(id, { Phone: '1' });
    await app.app.idle();
    const [second, first] = await ask('Contacts', id);
    expect(first?.notifications).toMatchObject([
      {
        number: 1,
        state: 'pending',
        attempts: 1,
        held_by: { kind: 'retry' },
        last_attempt: { outcome: 'rejected', status: 500 },
      },
    ]);
    expect(second?.notifications).toMatchObject([
      { number: 2, state: 'pending', attempts: 0, held_by: { kind: 'order', behind: 1 } },
    ]);
    app.clock.advance(2 * HOUR);
    await app.app.idle();
    expect((await newest('Contacts', id)).notifications).toMatchObject([
      { number: 2, state: 'held', held_by: { kind: 'expired' } },
    ]);
  });

  test('while its organisation is suspended; and what is cancelled says why', async () => {
    await begin();
    receiver.behave(failing);
    await watch({ events: ['Contacts.all'] });
    const id = await contact();
    await receiver.first(1);
    await app.app.idle();
    const operate = operatorOf(app.base);
    await operate('POST', `/orgs/${SAMPLE_ORG}/suspend`);
    expect((await newest('Contacts', id)).notifications).toMatchObject([
      { state: 'pending', held_by: { kind: 'organisation_suspended' } },
    ]);
    await operate('POST', `/orgs/${SAMPLE_ORG}/resume`);
    await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
    expect(await newest('Contacts', id)).toMatchObject({
      verdict: 'notified',
      notifications: [{ state: 'cancelled', reason: 'deleted', held_by: null }],
    });
  });
});

describe('pages', () => {
  test('go on where the last one ended, whatever their size, in one order', async () => {
    await begin();
    for (const id of ['1', '2', '3', '4', '5']) await watch({ channel_id: id, events: ['Contacts.all'] });
    const id = await contact();
    for (const phone of ['1', '2', '3']) await edit(id, { Phone: phone });
    const all = await ask('Contacts', id);
    expect(all).toHaveLength(20);
    const key = ({ change, channel }: ExplainedItem) => `${change.number} ${channel.channel_id}`;
    const [newestNumber = 0] = all.map(({ change }) => change.number);
    expect(all.map(key)).toEqual(
      [0, 1, 2, 3].flatMap((back) => ['1', '2', '3', '4', '5'].map((one) => `${newestNumber - back} ${one}`)),
    );
    await app.app.idle();
    for (const limit of [1, 3, 5, 7]) expect((await ask('Contacts', id, { limit })).map(key)).toEqual(all.map(key));
  });

  test('are of one change, or of changes within times', async () => {
    await begin();
    await watch({ events: ['Contacts.all'] });
    const id = await contact();
    const times: string[] = [isoAt(app.clock.now())];
    for (const phone of ['1', '2', '3']) {
      app.clock.advance(MINUTE);
      times.push(isoAt(app.clock.now()));
      await edit(id, { Phone: phone });
    }
    const all = (await ask('Contacts', id)).map(({ change }) => change.number);
    const [last = 0] = all;
    const numbers = async (query: Record<string, string | number>) =>
      (await ask('Contacts', id, query)).map(({ change }) => last - change.number);
    expect(await numbers({ change: last - 2 })).toEqual([2]);
    expect(await numbers({ from: times[1] ?? '', to: times[2] ?? '' })).toEqual([1, 2]);
    expect(await numbers({ to: times[0] ?? '' })).toEqual([3]);
    expect(await numbers({ from: times[3] ?? '' })).toEqual([0]);
  });

  test('say from where on the change log is known', async () => {
    await begin();
    const id = await contact();
    const { oldest_change: oldest } = await explainPage(app, { module: 'Contacts', record: id });
    expect(oldest?.number).toBe(1);
    expect(await explainPage(app, { module: 'Contacts', record: '1' })).toMatchObject({ items: [], next: null });
  });

  test('tell of a notification that retention removed its number, and nothing of changes that it removed', async () => {
    await begin({ retentionHours: '24' });
    const expiry = isoAt(app.clock.now() + 100 * HOUR).replace('.000Z', '+00:00');
    await watch({ events: ['Contacts.all'], channel_expiry: expiry });
    // What is owed keeps the changes after it.
    const owing = await startReceiver(failing);
    const id = await contact();
    await app.app.idle();
    await watch({ channel_id: '2', events: ['Contacts.edit'], channel_expiry: expiry, notify_url: owing.origin });
    await edit(id, { Phone: '1' });
    await app.app.idle();
    const [item] = await ask('Contacts', id, { channel: '2' });
    await operatorOf(app.base)('POST', `/orgs/${SAMPLE_ORG}/channels/${item?.channel.generation}/suspend`);
    for (let hour = 0; hour < 30; hour += 1) {
      app.clock.advance(HOUR);
      await app.app.idle();
    }
    const page = await explainPage(app, { module: 'Contacts', record: id });
    expect(page.items.map(short)).toEqual(['update notified own_event', 'update notified own_event']);
    expect(page.items.map(({ notifications }) => notifications[0])).toMatchObject([
      { number: 2, state: 'removed', id: null, attempts: null },
      { number: 1, state: 'held', attempts: 1 },
    ]);
    expect(page.oldest_change?.number).toBe(page.items[0]?.change.number);
    await owing.close();
  });

  test.each([
    ['module=Contacts', 'record'],
    ['module=Contacts&record=1&channel=x', 'channel'],
    ['module=Contacts&record=1&from=yesterday', 'from'],
    ['module=Contacts&record=1&cursor=x', 'cursor'],
    ['module=Contacts&record=1&user=1', 'user'],
  ])('%s is refused by name', async (query, name) => {
    await begin();
    const caller: Caller = app.owner;
    const { status, body } = await caller.call('GET', `/_watchbell/v1/explain?${query}`);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(name);
  });
});

test('an owner who may not use the module of a change is told neither its name nor its record', async () => {
  await begin();
  const colleague = await app.colleague({ deniedModules: ['Contacts'] });
  await watch({ events: ['Accounts.edit'], notify_on_related_action: true }, { by: colleague });
  const account = await write('POST', 'Accounts', { Account_Name: 'King' });
  const id = await contact({ Account_Name: { id: account } });
  const [item] = await explainAll(app, { module: 'Accounts', record: account }, colleague);
  expect(item).toMatchObject({ verdict: 'notified', change: { module: null, fields: null } });
  expect(JSON.stringify(item)).not.toContain(id);
  expect(JSON.stringify(item)).not.toContain('Contacts');
  const refused = await colleague.call('GET', `/_watchbell/v1/explain?module=Contacts&record=${id}`);
  expect(refused).toMatchObject({ status: 403, body: { code: 'NO_PERMISSION' } });
});
