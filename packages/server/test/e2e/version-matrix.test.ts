import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { API_VERSIONS, type ApiVersion } from '../../src/domain/wire/api-version.ts';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { CELLS } from './version-cells.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

let app: LiveApp;
let receiver: Receiver;

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}+00:00`;

const watch = (version: ApiVersion, method: string, ...entries: object[]) =>
  app.owner.call(method, `/crm/${version}/actions/watch`, { watch: entries });

/** Opens channel 1 and says what GET says of its first module. */
async function open(version: ApiVersion, settings: object): Promise<Record<string, unknown>> {
  const entry = { channel_id: '1', notify_url: receiver.origin, events: ['Leads.all'], ...settings };
  const { status, body } = await watch(version, 'POST', entry);
  expect(status).toBe(201);
  const { body: listed } = await app.owner.call('GET', `/crm/${version}/actions/watch?channel_id=1`);
  const [row] = (listed as { watch: Record<string, unknown>[] }).watch;
  expect(row?.channel_expiry).toBe(at(body, 'watch', 0, 'details', 'events', 0, 'channel_expiry'));
  return row ?? {};
}

async function write(method: string, path: string, fields?: object): Promise<string> {
  const { status, body } = await app.owner.call(method, `/crm/v8/${path}`, fields && { data: [fields] });
  expect(status).toBe(method === 'POST' ? 201 : 200);
  return at(body, 'data', 0, 'details', 'id');
}

/** Texts of all that came since the last look. */
async function came(): Promise<string[]> {
  await app.app.idle();
  const texts = receiver.received.slice(looked).map(({ text }) => text);
  looked += texts.length;
  return texts;
}
let looked = 0;

function serve(flags: Parameters<typeof startLiveApp>[0] = {}): void {
  beforeAll(async () => {
    looked = 0;
    receiver = await startReceiver();
    app = await startLiveApp(flags);
  });
  afterEach(async () => {
    await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1,2');
  });
  afterAll(async () => {
    await app.stop();
    await receiver.close();
  });
}

describe('as documented', () => {
  serve();

  describe.each(API_VERSIONS)('%s', (version) => {
    const cells = CELLS[version];
    const most = cells.maxLifeDays * DAY;

    test.each([
      ['left out', undefined, HOUR],
      ['null', null, HOUR],
      ['a minute', 60 * SECOND, 60 * SECOND],
      ['a second below the maximum', most - SECOND, most - SECOND],
      ['the maximum', most, most],
      ['a second beyond it', most + SECOND, HOUR],
      ['a year', 365 * DAY, HOUR],
      ['now', 0, HOUR],
      ['a second ago', -SECOND, HOUR],
      ['years ago', -3000 * DAY, HOUR],
    ])('an expiry that is %s', async (_what, asked, granted) => {
      const now = app.clock.now();
      const channel_expiry = typeof asked === 'number' ? iso(now + asked) : asked;
      const row = await open(version, { channel_expiry });
      expect(row.channel_expiry).toBe(iso(now + granted));
      const again = await watch(version, 'PUT', { channel_id: '1', events: ['Leads.all'], channel_expiry });
      expect(at(again.body, 'watch', 0, 'details', 'events', 0, 'channel_expiry')).toBe(iso(now + granted));
    });

    test('PATCH grants the same, and keeps the expiry that it does not name', async () => {
      const now = app.clock.now();
      await open(version, { channel_expiry: iso(now + 2 * HOUR) });
      const grants = async (channel_expiry: string | null | undefined) => {
        const { body } = await watch(version, 'PATCH', { channel_id: '1', channel_expiry });
        return at(body, 'watch', 0, 'details', 'events', 0, 'channel_expiry');
      };
      expect(await grants(undefined)).toBe(iso(now + 2 * HOUR));
      expect(await grants(null)).toBe(iso(now + 2 * HOUR));
      expect(await grants(iso(now + most))).toBe(iso(now + most));
      expect(await grants(iso(now + most + SECOND))).toBe(iso(now + HOUR));
    });

    test('what is granted is enforced to the second', async () => {
      await open(version, { channel_expiry: iso(app.clock.now() + most) });
      app.clock.advance(most - SECOND);
      const lead = await write('POST', 'Leads', { Last_Name: 'Boyle', Company: 'Zylker' });
      expect(await came()).toHaveLength(1);
      app.clock.advance(SECOND);
      await write('PUT', `Leads/${lead}`, { City: 'Pune' });
      expect(await came()).toEqual([]);
      expect((await app.owner.call('GET', `/crm/${version}/actions/watch`)).status).toBe(204);
    });

    test.each([
      ['left out', undefined, cells.relatedByDefault],
      ['null', null, cells.relatedByDefault],
      ['true', true, true],
      ['false', false, false],
    ])('notify_on_related_action %s', async (_what, given, related) => {
      const row = await open(version, { events: ['Accounts.edit'], notify_on_related_action: given });
      expect(row.notify_on_related_action).toBe(related);
      const account = await write('POST', 'Accounts', { Account_Name: 'Zylker' });
      await write('POST', 'Contacts', { Last_Name: 'Boyle', Account_Name: { id: account } });
      const told = (await came()).map((text) => JSON.parse(text).ids);
      expect(told).toEqual(related ? [[account]] : []);
    });

    test('return_affected_field_values is honoured or ignored', async () => {
      const row = await open(version, { return_affected_field_values: true });
      expect(row.return_affected_field_values).toBe(cells.hasValues ? true : undefined);
      const lead = await write('POST', 'Leads', { Last_Name: 'Boyle', Company: 'Zylker' });
      const [insert = ''] = await came();
      expect('affected_values' in JSON.parse(insert)).toBe(cells.hasValues);
      await open(version, { return_affected_field_values: null });
      await write('PUT', `Leads/${lead}`, { City: 'Pune' });
      const [update = ''] = await came();
      expect(JSON.parse(update)).not.toHaveProperty('affected_values');
      // A version without the key does not judge it either.
      const wrong = { channel_id: '2', notify_url: receiver.origin, events: ['Leads.all'], fields: null };
      const { status } = await watch(version, 'POST', { ...wrong, return_affected_field_values: 'yes' });
      expect(status).toBe(cells.hasValues ? 400 : 201);
    });

    test.each([
      [
        'notification_condition',
        [
          {
            type: 'field_selection',
            module: { api_name: 'Leads' },
            field_selection: { field: { api_name: 'Phone' } },
          },
        ],
      ],
      ['fields', ['Phone']],
    ])('%s is honoured or ignored', async (key, value) => {
      await open(version, { [key]: value });
      const lead = await write('POST', 'Leads', { Last_Name: 'Boyle', Company: 'Zylker', Phone: '1' });
      await write('PUT', `Leads/${lead}`, { City: 'Pune' });
      await write('PUT', `Leads/${lead}`, { Phone: '2' });
      await write('DELETE', `Leads/${lead}`);
      const operations = (await came()).map((text) => JSON.parse(text).operation);
      const updates = cells.hasConditions ? ['update'] : ['update', 'update'];
      expect(operations).toEqual(['insert', ...updates, 'delete']);
    });

    test('GET gives the keys of the version, in order', async () => {
      const row = await open(version, { return_affected_field_values: true, fields: null, token: 't' });
      expect(Object.keys(row).join(' ')).toBe(cells.listKeys);
      expect(row.resource_uri).toBe(`${app.base}/crm/${version}/Leads`);
    });

    test('when entries fail', async () => {
      const good = { channel_id: '1', notify_url: receiver.origin, events: ['Leads.all'] };
      const bad = { channel_id: '2', events: ['Leads.all'] };
      const statuses = await failing(version, good, bad);
      expect(statuses).toEqual({ all: 400, some: cells.someFailed, none: 201 });
    });

    test.each([true, false])('a notification of each operation, with values: %s', async (withValues) => {
      const { insert, update, related, remove } = await allOperations(version, { withValues });
      const body = bodyOf(version, withValues, 'v2');
      const who = await owner();
      expect(insert.texts).toEqual([
        body({ id: insert.id, operation: 'insert', fields: undefined, values: { Account_Name: 'Zylker' } }),
      ]);
      expect(update.texts).toEqual([
        body({ id: insert.id, operation: 'update', fields: ['Phone'], values: { Phone: '1' } }),
      ]);
      expect(related.texts).toEqual([body({ id: insert.id, operation: 'update', fields: [], values: {} })]);
      expect(remove.texts).toEqual([
        body({
          id: insert.id,
          operation: 'delete',
          fields: ['Modified_By', 'Record_Status__s'],
          values: { Modified_By: who, Record_Status__s: 0 },
        }),
      ]);
    });
  });
});

describe('with every switch turned', () => {
  const flags = { failedStatus: 'observed', callbackUriVersion: 'own', strictExpiry: 'true', queryParams: 'clean' };
  serve({ flags });

  describe.each(API_VERSIONS)('%s', (version) => {
    const cells = CELLS[version];

    test('when entries fail', async () => {
      const good = { channel_id: '1', notify_url: receiver.origin, events: ['Leads.all'] };
      const bad = { channel_id: '2', events: ['Leads.all'] };
      expect(await failing(version, good, bad)).toEqual({ ...cells.observed, none: 201 });
    });

    test('answers say their own version, as do notifications', async () => {
      const { insert } = await allOperations(version, { withValues: false });
      const body = bodyOf(version, false, version);
      expect(insert.texts).toEqual([
        body({ id: insert.id, operation: 'insert', fields: undefined, values: {} }).replace('?key', 'key'),
      ]);
      const row = await open(version, {});
      expect(row.resource_uri).toBe(`${app.base}/crm/${version}/Leads`);
    });

    test('an expiry that is refused is told after the other faults of its entry', async () => {
      const entry = { channel_id: '1', notify_url: receiver.origin, events: ['Leads.all'], channel_expiry: iso(0) };
      const { body } = await watch(version, 'POST', { ...entry, notify_on_related_action: 'no' });
      expect(at(body, 'watch', 0, 'details', 'api_name')).toBe('notify_on_related_action');
      const unknown = await watch(version, 'PATCH', entry);
      expect(at(unknown.body, 'watch', 0, 'code')).toBe('NOT_SUBSCRIBED');
    });

    test.each([
      ['the maximum', cells.maxLifeDays * DAY, true],
      ['a second beyond it', cells.maxLifeDays * DAY + SECOND, false],
      ['a second ago', -SECOND, false],
      ['a second ahead', SECOND, true],
    ])('an expiry that is %s', async (_what, asked, isTaken) => {
      const channel_expiry = iso(app.clock.now() + asked);
      const entry = { channel_id: '1', notify_url: receiver.origin, events: ['Leads.all'] };
      await watch(version, 'POST', entry);
      for (const [method, success] of [
        ['POST', 201],
        ['PUT', 200],
        ['PATCH', 200],
      ] as const) {
        const { status, body } = await watch(version, method, { ...entry, channel_expiry });
        expect([method, status]).toEqual([method, isTaken ? success : cells.observed.all]);
        if (isTaken) continue;
        expect(body).toEqual({
          watch: [
            {
              code: 'INVALID_DATA',
              details: { api_name: 'channel_expiry', json_path: '$.watch[0].channel_expiry' },
              message: 'invalid data',
              status: 'error',
            },
          ],
        });
      }
    });
  });
});

async function failing(version: ApiVersion, good: object, bad: object) {
  const [all, some, none] = [
    await watch(version, 'POST', bad),
    await watch(version, 'POST', good, bad),
    await watch(version, 'POST', good),
  ];
  return { all: all.status, some: some.status, none: none.status };
}

/** An account is made, changed, pointed at and deleted; the texts that each step brought. */
async function allOperations(version: ApiVersion, { withValues }: { withValues: boolean }) {
  await open(version, {
    notify_url: `${receiver.origin}/hook?key=a b`,
    events: ['Accounts.all'],
    return_affected_field_values: withValues,
    notify_on_related_action: true,
  });
  const id = await write('POST', 'Accounts', { Account_Name: 'Zylker' });
  const insert = { id, texts: await came() };
  await write('PUT', `Accounts/${id}`, { Phone: '1' });
  const update = { texts: await came() };
  await write('POST', 'Contacts', { Last_Name: 'Boyle', Account_Name: { id } });
  const related = { texts: await came() };
  await write('DELETE', `Accounts/${id}`);
  return { insert, update, related, remove: { texts: await came() } };
}

interface Told {
  readonly id: string;
  readonly operation: string;
  /** Undefined: no record is named. */
  readonly fields: readonly string[] | undefined;
  readonly values: object;
}

/** The text of a notification, keys in their order. */
const bodyOf = (version: ApiVersion, withValues: boolean, uriVersion: string) => (told: Told) => {
  const { reportsFields, hasValues } = CELLS[version];
  return JSON.stringify({
    ...(reportsFields && { server_time: app.clock.now() }),
    ...(hasValues && withValues && { affected_values: [{ record_id: told.id, values: told.values }] }),
    query_params: { '?key': 'a b' },
    module: 'Accounts',
    resource_uri: `${app.base}/crm/${uriVersion}/Accounts`,
    ids: [told.id],
    ...(reportsFields && { affected_fields: told.fields === undefined ? [] : [{ [told.id]: told.fields }] }),
    operation: told.operation,
    channel_id: '1',
    token: null,
  });
};

async function owner(): Promise<object> {
  const { body } = await app.owner.call('GET', '/crm/v8/users?type=CurrentUser');
  const [user] = (body as { users: { full_name: string; id: string; email: string }[] }).users;
  return { name: user?.full_name, id: user?.id, email: user?.email };
}
