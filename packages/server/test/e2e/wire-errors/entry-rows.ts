import { API_VERSIONS, type ApiVersion } from '../../../src/domain/wire/api-version.ts';
import { type Ask, type ErrorRow, SOUND, since, type Told, WATCH, watch } from './row.ts';

const LIVE = 'live captures';
const OURS = 'ours';
const ALL = ['POST', 'PUT', 'PATCH'] as const;
type Method = (typeof ALL)[number];

interface EntryRow {
  readonly source: string;
  readonly told: Told;
  readonly on?: readonly Method[];
  readonly versions?: readonly ApiVersion[];
}

const at = (path: string) => `$.watch[0].${path}`;
export const missing = (key: string, path = key): Told => ({
  code: 'MANDATORY_NOT_FOUND',
  details: { api_name: key, json_path: at(path) },
  message: 'required field not found',
});
export const invalid = (key: string, more: Record<string, unknown> = {}, path = key): Told => ({
  code: 'INVALID_DATA',
  details: { ...(more as Told['details']), api_name: key, json_path: at(path) },
  message: 'invalid data',
});
export const wrongType = (expected: string, key: string, path = key): Told =>
  invalid(key, { expected_data_type: expected }, path);

const row = (cause: string, asks: readonly Ask[], { source, told, versions = API_VERSIONS }: EntryRow): ErrorRow => ({
  cause,
  reference: '4.9',
  source,
  versions,
  status: 400,
  told,
  place: 'entry',
  stage: 'served',
  asks,
});

/** The entry's keys, changed; each variant is asked on each method. */
export const entryRow = (cause: string, variants: readonly object[], given: EntryRow): ErrorRow =>
  row(
    cause,
    (given.on ?? ALL).flatMap((method) =>
      variants.map((more) => ({ method, path: WATCH, body: watch({ ...SOUND, ...more }) })),
    ),
    given,
  );

const notSubscribed = (what: string): Told => ({
  code: 'NOT_SUBSCRIBED',
  details: {},
  message: `Not subscribed for actions-watch of the given ${what}`,
});

/** Faults of the plain keys of a channel (reference §2.2), and of channels that are not there. */
export const ENTRY_ROWS: readonly ErrorRow[] = [
  row(
    'an entry is no object',
    [null, 5, 'x', [SOUND]].map((entry) => ({ method: 'POST', path: WATCH, body: watch(entry) })),
    {
      source: OURS,
      told: {
        code: 'INVALID_DATA',
        details: { expected_data_type: 'jsonobject', api_name: 'watch', json_path: '$.watch[0]' },
        message: 'invalid data',
      },
    },
  ),
  entryRow('`channel_id` is missing', [{ channel_id: undefined }, { channel_id: null }], {
    source: 'OpenAPI 2026',
    told: missing('channel_id'),
  }),
  entryRow(
    '`channel_id` is no integer of 64 bits',
    ['', 'x', '1.5', '6d7e-uuid', '9223372036854775808', '-9223372036854775809', 1.5, 1e300, true, {}, ['1']].map(
      (channel_id) => ({ channel_id }),
    ),
    { source: OURS, told: wrongType('long', 'channel_id') },
  ),
  {
    ...row(
      '`channel_id` is that of an entry before',
      ALL.map((method) => ({ method, path: WATCH, body: watch({ channel_id: '7', token: 5 }, { channel_id: 7 }) })),
      {
        source: 'SDK 2',
        told: {
          code: 'DUPLICATE_DATA',
          details: { api_name: 'channel_id', json_path: '$.watch[1].channel_id' },
          message: 'duplicate data',
        },
      },
    ),
    reference: '4.10',
    place: 'second',
  },
  entryRow('`notify_url` is missing', [{ notify_url: undefined }, { notify_url: null }], {
    source: 'page v7, OpenAPI 2026',
    on: ['POST'],
    told: missing('notify_url'),
  }),
  entryRow('`notify_url` is no text', [{ notify_url: 5 }, { notify_url: {} }], {
    source: OURS,
    told: wrongType('string', 'notify_url'),
  }),
  entryRow(
    '`notify_url` is no absolute http or https URL, or has a user name',
    [
      '',
      'hook',
      'ftp://example.com/',
      'https://',
      'https:///a.test/',
      'https://\\\\a.test/',
      'https://ada@example.com/',
      'https://a.test/\u0000',
    ].map((notify_url) => ({ notify_url })),
    { source: OURS, told: invalid('notify_url') },
  ),
  entryRow(
    '`notify_url` has an address, name or port that is never connected to; `reason` says why',
    ['http://10.0.0.1/', 'https://192.168.1.7:8443/hook', 'http://0xac100001/', 'http://[::ffff:10.0.0.1]/'].map(
      (notify_url) => ({ notify_url }),
    ),
    { source: OURS, told: invalid('notify_url', { reason: 'private' }) },
  ),
  entryRow('`notify_url` has more than 2048 characters', [{ notify_url: `https://a.test/${'x'.repeat(2048)}` }], {
    source: OURS,
    told: invalid('notify_url', { maximum_length: 2048 }),
  }),
  entryRow('`events` is missing', [{ events: undefined }, { events: null }], {
    source: 'page v7, OpenAPI 2026',
    on: ['POST', 'PUT'],
    told: missing('events'),
  }),
  entryRow('`events` is missing, and `_delete_events` is true', [{ events: undefined, _delete_events: true }], {
    source: 'Kaizen #14',
    on: ['PATCH'],
    told: missing('events'),
  }),
  entryRow('`events` is no list', [{ events: 'Leads.all' }, { events: {} }, { events: 5 }], {
    source: OURS,
    told: wrongType('jsonarray', 'events'),
  }),
  entryRow('`events` is empty', [{ events: [] }], { source: OURS, told: invalid('events', { minimum_length: 1 }) }),
  entryRow('`events` has more than 100 items', [{ events: Array.from({ length: 101 }, () => 'Leads.all') }], {
    source: OURS,
    told: invalid('events', { maximum_length: 100 }),
  }),
  entryRow(
    '`events` names an unknown or denied module, or an unknown operation',
    ['Nothings.create', 'leads.create', 'Leads.insert', 'Leads.', '.create', 'Leads', '', 'Invoices.all', 5, null].map(
      (event) => ({ events: ['Leads.create', event] }),
    ),
    { source: `${LIVE}, Enable v3`, told: invalid('events') },
  ),
  entryRow('`token` is no text', [{ token: 5 }, { token: {} }, { token: true }], {
    source: OURS,
    told: wrongType('string', 'token'),
  }),
  entryRow('`token` is empty', [{ token: '' }], { source: 'SDK 2', told: invalid('token', { minimum_length: 1 }) }),
  entryRow('`token` has more than 50 characters', [{ token: 'x'.repeat(51) }, { token: '😀'.repeat(51) }], {
    source: 'page v7, OpenAPI 2025',
    told: invalid('token', { maximum_length: 50 }),
  }),
  entryRow('`token` has a character that cannot be kept', [{ token: 'a\0' }, { token: 'a\ud800' }], {
    source: OURS,
    told: invalid('token'),
  }),
  entryRow(
    '`channel_expiry` is no time, or has a fraction of a second',
    ['', 'soon', '2026-11-22', '2026-11-22T10:00:00', '2026-11-22T10:00:00.000Z', '2026-13-01T10:00:00Z', 5, {}].map(
      (channel_expiry) => ({ channel_expiry }),
    ),
    { source: LIVE, told: wrongType('datetime', 'channel_expiry') },
  ),
  entryRow(
    '`notify_on_related_action` is no truth value',
    ['true', 1, {}].map((given) => ({ notify_on_related_action: given })),
    { source: OURS, told: wrongType('boolean', 'notify_on_related_action') },
  ),
  entryRow(
    '`return_affected_field_values` is no truth value',
    ['true', 1, {}].map((given) => ({ return_affected_field_values: given })),
    { source: OURS, versions: since('v3'), told: wrongType('boolean', 'return_affected_field_values') },
  ),
  entryRow(
    '`_delete_events` is no truth value',
    ['true', 1, null].map((given) => ({ _delete_events: given })),
    {
      source: 'OpenAPI 2026',
      on: ['PATCH'],
      told: {
        code: 'INVALID_DATA',
        details: {
          api_name: '_delete_events',
          expected_data_type: 'boolean',
          json_path: at('_delete_events'),
        },
        message: 'invalid data',
      },
    },
  ),
  entryRow('PUT or PATCH of a channel that is not there', [{ channel_id: '404' }], {
    source: LIVE,
    on: ['PUT', 'PATCH'],
    told: notSubscribed('channel'),
  }),
  row(
    'DELETE, or `_delete_events`, of a channel or event that is not there',
    [
      { method: 'DELETE', path: `${WATCH}?channel_ids=404` },
      { method: 'PATCH', path: WATCH, body: watch({ channel_id: '404', events: ['Leads.all'], _delete_events: true }) },
    ],
    { source: 'collection', told: notSubscribed('module/channel') },
  ),
  row(
    'an item of `channel_ids` is no integer of 64 bits',
    ['x', ' x ', '9'.repeat(200), '1.5', '%00'].map((ids) => ({
      method: 'DELETE',
      path: `${WATCH}?channel_ids=${ids}`,
    })),
    {
      source: OURS,
      told: {
        code: 'INVALID_DATA',
        details: { expected_data_type: 'long', api_name: 'channel_ids' },
        message: 'invalid data',
      },
    },
  ),
  {
    ...entryRow('a channel more than a user may have', [{ channel_id: '404' }], {
      source: 'SDK 8, OpenAPI 2026',
      on: ['POST'],
      told: { code: 'LIMIT_REACHED', details: { limit: 10_000 }, message: 'limit reached' },
    }),
    reference: '4.10',
    stage: 'full',
  },
];
