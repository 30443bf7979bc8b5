import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OrgId } from '../../src/domain/ids.ts';
import { fieldId, findField, findModule, STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import { API_VERSIONS, type ApiVersion } from '../../src/domain/wire/api-version.ts';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { rawCall } from '../support/raw-call.ts';
import { CELLS } from './version-cells.ts';

// Every operation on every version, to the letter: reference §1 (headers) and §4.1 – 4.8. The organisation's offset is
// +05:30, and the clock stands at 09:00Z.
const EXPIRY = '2026-01-05T15:30:00+05:30';
const LATER = '2026-01-05T16:30:00+05:30';
const ORG = '3652397' as OrgId;
const MODULE_IDS = { Contacts: `${ORG}000000002179`, Leads: `${ORG}000000002175` };
const notify_url = 'https://example.com/hook?authorization=Zoho-oauthtoken 1000.x&key=v';
const leads = findModule(STANDARD_CATALOG, 'Leads');
const field = (name: string) => {
  const found = leads && findField(leads, name);
  if (!found) throw new Error(`Leads has no ${name}`);
  return { field: { api_name: name, id: fieldId(ORG, leads, found) } };
};
/** By name alone, as it is asked for. */
const named = (name: string) => ({ field: { api_name: name } });

let app: LiveApp;

beforeAll(async () => {
  app = await startLiveApp({ flags: { timeZone: 'Asia/Kolkata' } });
});

afterAll(() => app.stop());

const call = (method: string, version: ApiVersion, query = '', ...watch: object[]) =>
  rawCall(`${app.base}/crm/${version}/actions/watch${query}`, {
    method,
    headers: { authorization: `Zoho-oauthtoken ${app.owner.accessToken}` },
    ...(watch.length > 0 && { body: JSON.stringify({ watch }) }),
  });

type Module = keyof typeof MODULE_IDS;
const places = (version: ApiVersion, module: Module) => ({
  resource_uri: `${app.base}/crm/${version}/${module}`,
  resource_id: MODULE_IDS[module],
});
const item = (version: ApiVersion, module: Module, channel_id: string) => ({
  ...places(version, module),
  resource_name: module,
  channel_id,
});
const entry = (details: object, message: string) => ({ code: 'SUCCESS', details, message, status: 'success' });
const text = (...watch: object[]) => JSON.stringify({ watch });

const SUBSCRIBED = 'Successfully subscribed for actions-watch of the given module';
const UPDATED = 'Successfully updated the subscribe details';
const REMOVED = 'Successfully removed the subscribe details';
const UNSUBSCRIBED = 'Successfully un-subscribed from actions-watch';

/** One with a numeric id and two modules, one with a negative id beyond 2^53 as text. */
const first = () => ({
  channel_id: 1000000068001,
  events: ['Contacts.create', 'Leads.edit', 'Leads.create'],
  notify_url,
  channel_expiry: LATER,
  token: 'TOKEN',
  return_affected_field_values: true,
  notify_on_related_action: false,
  notification_condition: [
    {
      type: 'field_selection',
      module: { api_name: 'Leads' },
      field_selection: { group_operator: 'or', group: [named('Phone'), named('Last_Name')] },
    },
  ],
  resource_uri: 'ignored',
  unknown_key: 1,
});
const second = () => ({ channel_id: '-9007199254740993', events: ['Leads.all'], notify_url });

describe.each(API_VERSIONS)('%s', (version) => {
  const cells = CELLS[version];

  beforeEach(async () => {
    await call('DELETE', version, '?channel_ids=1000000068001,-9007199254740993');
    const { status } = await call('POST', version, '', first(), second());
    expect(status).toBe(201);
  });

  test('POST', async () => {
    const { status, text: sent } = await call('POST', version, '', first(), second());
    expect(status).toBe(201);
    expect(sent).toBe(
      text(
        entry(
          {
            events: [
              { channel_expiry: LATER, ...item(version, 'Contacts', '1000000068001') },
              { channel_expiry: LATER, ...item(version, 'Leads', '1000000068001') },
            ],
          },
          SUBSCRIBED,
        ),
        entry({ events: [{ channel_expiry: EXPIRY, ...item(version, 'Leads', '-9007199254740993') }] }, SUBSCRIBED),
      ),
    );
  });

  test('GET', async () => {
    const leaf = (name: string) => ({ ...field(name), group_operator: null, group: null });
    const condition = [
      {
        field_selection: { group_operator: 'or', group: [leaf('Phone'), leaf('Last_Name')] },
        module: { api_name: 'Leads', id: MODULE_IDS.Leads },
        type: 'field_selection',
      },
    ];
    const row = (module: Module, values: Record<string, unknown>): object => {
      const all: Record<string, unknown> = {
        ...places(version, module),
        notify_url,
        resource_name: module,
        fields: null,
        notification_condition: null,
        ...values,
      };
      return Object.fromEntries(cells.listKeys.split(' ').map((key) => [key, all[key]]));
    };
    const common = {
      notify_on_related_action: false,
      channel_expiry: LATER,
      return_affected_field_values: cells.hasValues,
      channel_id: '1000000068001',
      token: 'TOKEN',
    };
    const { status, text: sent } = await call('GET', version);
    expect(status).toBe(200);
    expect(sent).toBe(
      JSON.stringify({
        watch: [
          // Opened at the same time, so by id.
          row('Leads', {
            notify_on_related_action: cells.relatedByDefault,
            channel_expiry: EXPIRY,
            return_affected_field_values: false,
            channel_id: '-9007199254740993',
            events: ['Leads.edit', 'Leads.create', 'Leads.delete'],
            token: null,
          }),
          row('Contacts', { ...common, events: ['Contacts.create'] }),
          row('Leads', { ...common, events: ['Leads.edit', 'Leads.create'], notification_condition: condition }),
        ],
        info: { per_page: 200, count: 3, page: 1, more_records: false },
      }),
    );
  });

  test('PUT', async () => {
    const { status, text: sent } = await call(
      'PUT',
      version,
      '',
      { channel_id: '1000000068001', events: ['Leads.delete'] },
      { ...second(), events: ['Contacts.all'], channel_expiry: LATER },
    );
    expect(status).toBe(200);
    expect(sent).toBe(
      text(
        entry({ events: [{ channel_expiry: EXPIRY, ...item(version, 'Leads', '1000000068001') }] }, SUBSCRIBED),
        entry({ events: [{ channel_expiry: LATER, ...item(version, 'Contacts', '-9007199254740993') }] }, SUBSCRIBED),
      ),
    );
  });

  test('PATCH', async () => {
    const { status, text: sent } = await call(
      'PATCH',
      version,
      '',
      { channel_id: '1000000068001', _delete_events: false },
      { channel_id: '-9007199254740993', events: ['Contacts.edit'], channel_expiry: LATER },
    );
    const events = (id: string) => [
      { channel_expiry: LATER, ...item(version, 'Contacts', id) },
      { channel_expiry: LATER, ...item(version, 'Leads', id) },
    ];
    expect(status).toBe(200);
    expect(sent).toBe(
      text(
        entry({ events: events('1000000068001') }, UPDATED),
        entry({ events: events('-9007199254740993').reverse() }, UPDATED),
      ),
    );
  });

  test('PATCH with _delete_events', async () => {
    const { status, text: sent } = await call(
      'PATCH',
      version,
      '',
      { channel_id: '1000000068001', events: ['Leads.edit'], _delete_events: true },
      { channel_id: '-9007199254740993', events: ['Leads.all'], _delete_events: true },
    );
    expect(status).toBe(200);
    expect(sent).toBe(
      text(
        entry({ events: [item(version, 'Leads', '1000000068001')] }, REMOVED),
        entry({ events: [item(version, 'Leads', '-9007199254740993')] }, REMOVED),
      ),
    );
    const { text: left } = await call('GET', version);
    expect(JSON.parse(left).watch.map((row: { events: string[] }) => row.events)).toEqual([
      ['Contacts.create'],
      ['Leads.create'],
    ]);
  });

  test('DELETE', async () => {
    const query = '?channel_ids=-9007199254740993,1000000068001';
    const { status, text: sent } = await call('DELETE', version, query);
    const deleted = (module: Module, channel_id: string) =>
      entry({ ...places(version, module), channel_id }, UNSUBSCRIBED);
    expect(status).toBe(200);
    expect(sent).toBe(
      text(
        deleted('Leads', '-9007199254740993'),
        deleted('Contacts', '1000000068001'),
        deleted('Leads', '1000000068001'),
      ),
    );
    const nothing = await call('GET', version);
    expect([nothing.status, nothing.text]).toEqual([204, '']);
  });

  test.each([
    ['POST', [first()], 201],
    ['GET', [], 200],
    ['PUT', [{ channel_id: '1000000068001', events: ['Leads.edit'] }], 200],
    ['PATCH', [{ channel_id: '1000000068001' }], 200],
    ['DELETE', [], 400],
  ] as const)('the headers of %s', async (method, watch, expected) => {
    const { status, headers } = await call(method, version, '', ...watch);
    expect(status).toBe(expected);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/json;charset=UTF-8',
      'content-disposition': 'attachment; filename=response.json',
      'cache-control': 'no-store, no-cache, must-revalidate, private',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'x-accesstoken-reset': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/),
    });
  });
});
