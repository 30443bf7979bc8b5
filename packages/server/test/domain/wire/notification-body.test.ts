import { describe, expect, test } from 'vitest';
import type { Change, ChangedRecord, Operation } from '../../../src/domain/change.ts';
import type { ChannelId, Generation, NotificationId, OrgId, RecordId, UserId } from '../../../src/domain/ids.ts';
import type { Notification } from '../../../src/domain/notification.ts';
import type { ApiVersion } from '../../../src/domain/wire/api-version.ts';
import { type Compat, DEFAULT_COMPAT } from '../../../src/domain/wire/compat.ts';
import { notificationBody, queryParams, requestUrl } from '../../../src/domain/wire/notification-body.ts';

const changed = (id: string, fields: readonly string[] = [], values: ChangedRecord['values'] = {}): ChangedRecord => ({
  id: id as RecordId,
  fields,
  values,
  related: [],
});

interface Case {
  readonly version?: ApiVersion;
  readonly module?: string;
  readonly operation?: Operation;
  readonly withValues?: boolean;
  readonly ids?: readonly string[];
  readonly change?: Partial<Change>;
  readonly channelId?: string;
  readonly token?: string | null;
  readonly notifyUrl?: string;
  readonly compat?: Partial<Compat>;
}

function body(of: Case): string {
  const change: Change = {
    number: 1,
    channelVersion: 1,
    module: 'Deals',
    operation: 'update',
    at: 1719309544639,
    by: 'u' as UserId,
    records: [changed('11', ['Stage'], { Stage: 'Won' }), changed('12', ['Amount'], { Amount: 5 })],
    ...of.change,
  };
  const notification: Notification = {
    org: '5725767' as OrgId,
    generation: 'g' as Generation,
    number: 1,
    id: 'n' as NotificationId,
    module: of.module ?? change.module,
    operation: of.operation ?? change.operation,
    ids: (of.ids ?? change.records.map(({ id }) => id)) as RecordId[],
    version: of.version ?? 'v8',
    withValues: of.withValues ?? false,
    change,
  };
  const target = {
    channelId: (of.channelId ?? '1') as ChannelId,
    token: of.token === undefined ? 't' : of.token,
    notifyUrl: of.notifyUrl ?? 'https://example.com/hook',
  };
  const compat = { ...DEFAULT_COMPAT, ...of.compat };
  return notificationBody(notification, target, { base: 'https://www.zohoapis.com', compat });
}

describe('the published samples', () => {
  test('a created contact on v2, with its seven keys in order', () => {
    const change = { module: 'Contacts', operation: 'insert', records: [changed('3652397000001565035')] } as const;
    const text = body({ version: 'v2', change, channelId: '10000007828', token: 'contacts_deals_accounts_7828' });
    expect(text).toBe(
      '{"query_params":{},"module":"Contacts","resource_uri":"https://www.zohoapis.com/crm/v2/Contacts",' +
        '"ids":["3652397000001565035"],"operation":"insert","channel_id":"10000007828",' +
        '"token":"contacts_deals_accounts_7828"}',
    );
  });

  test("a deal's new stage on v3, with values and the query of its notify URL", () => {
    const id = '5725767000003093005';
    const values = { Stage: 'Proposal/Price Quote', Probability: 75 };
    const text = body({
      version: 'v3',
      withValues: true,
      change: { records: [changed(id, ['Stage', 'Probability'], values)] },
      channelId: '1000000068002',
      token: 'TOKEN_FOR_VERIFICATION_OF_1000000068001',
      notifyUrl: 'https://www.zoho.com/callback?authorization=Zoho-oauthtoken 1000.23dnsbbbh455jnn&key1=val1&key2=val2',
    });
    const sample = {
      server_time: 1719309544639,
      affected_values: [
        { record_id: '5725767000003093005', values: { Probability: 75, Stage: 'Proposal/Price Quote' } },
      ],
      query_params: {
        key1: 'val1',
        key2: 'val2',
        '?authorization': 'Zoho-oauthtoken 1000.23dnsbbbh455jnn',
      },
      module: 'Deals',
      resource_uri: 'https://www.zohoapis.com/crm/v2/Deals',
      ids: ['5725767000003093005'],
      affected_fields: [{ '5725767000003093005': ['Stage', 'Probability'] }],
      operation: 'update',
      channel_id: '1000000068002',
      token: 'TOKEN_FOR_VERIFICATION_OF_1000000068001',
    };
    expect(JSON.parse(text)).toEqual(sample);
    expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(sample));
  });
});

describe('keys by version', () => {
  const seven = 'query_params module resource_uri ids operation channel_id token';
  const nine = 'server_time query_params module resource_uri ids affected_fields operation channel_id token';
  const ten = nine.replace('server_time', 'server_time affected_values');
  test.each([
    ['v2', false, seven],
    ['v2', true, seven],
    ['v2.1', true, seven],
    ['v3', false, nine],
    ['v3', true, ten],
    ['v5', true, ten],
    ['v8', false, nine],
    ['v8', true, ten],
  ] as const)('%s with values %s', (version, withValues, keys) => {
    expect(Object.keys(JSON.parse(body({ version, withValues }))).join(' ')).toBe(keys);
  });
});

const said = (of: Case): unknown => {
  const { affected_fields, affected_values } = JSON.parse(body({ withValues: true, ...of })) as Record<string, unknown>;
  return { affected_fields, affected_values };
};

describe('what is said of the records', () => {
  test('an update names the fields of each record, and only of those it is about', () => {
    expect(said({ ids: ['12'] })).toEqual({
      affected_fields: [{ 12: ['Amount'] }],
      affected_values: [{ record_id: '12', values: { Amount: 5 } }],
    });
    expect(said({})).toEqual({
      affected_fields: [{ 11: ['Stage'] }, { 12: ['Amount'] }],
      affected_values: [
        { record_id: '11', values: { Stage: 'Won' } },
        { record_id: '12', values: { Amount: 5 } },
      ],
    });
  });

  test('an insert names no field and gives the values it was made with', () => {
    const records = [changed('11', [], { Deal_Name: 'Lamp' })];
    expect(said({ change: { operation: 'insert', records } })).toEqual({
      affected_fields: [],
      affected_values: [{ record_id: '11', values: { Deal_Name: 'Lamp' } }],
    });
  });

  test('a delete reads as an update of who modified it and of its state', () => {
    const values = { Modified_By: { name: 'P', id: '1', email: 'p@example.com' }, Record_Status__s: 0 };
    const records = [changed('11', ['Modified_By', 'Record_Status__s'], values)];
    expect(said({ change: { operation: 'delete', records } })).toEqual({
      affected_fields: [{ 11: ['Modified_By', 'Record_Status__s'] }],
      affected_values: [{ record_id: '11', values }],
    });
  });

  test.each([
    ['of another module', { module: 'Accounts', operation: 'update', ids: ['77'] }],
    ['of the same module', { operation: 'update', ids: ['77'] }],
    ['of the same module, by an insert', { operation: 'update', ids: ['77'], change: { operation: 'insert' } }],
    [
      'that a deleted record of the call pointed at',
      { operation: 'update', ids: ['77'], change: { operation: 'delete' } },
    ],
  ] as const)('a related record %s has no fields and no values', (_what, of: Case) => {
    expect(said(of)).toEqual({
      affected_fields: [{ 77: [] }],
      affected_values: [{ record_id: '77', values: {} }],
    });
  });

  test('the token is null when the channel has none', () => {
    expect(JSON.parse(body({ token: null }))).toHaveProperty('token', null);
  });
});

test.each([
  ['v8', 'v2', '/crm/v2/Deals'],
  ['v8', 'own', '/crm/v8/Deals'],
  ['v2.1', 'own', '/crm/v2.1/Deals'],
] as const)('a %s channel, URIs told as %s, points at %s', (version, callbackUriVersion, path) => {
  const { resource_uri } = JSON.parse(body({ version, compat: { callbackUriVersion } })) as { resource_uri: string };
  expect(resource_uri).toBe(`https://www.zohoapis.com${path}`);
});

describe('query_params', () => {
  test.each([
    ['https://e.com/', {}, {}],
    ['https://e.com/?', {}, {}],
    ['https://e.com/?isdebug=false', { '?isdebug': 'false' }, { isdebug: 'false' }],
    ['https://e.com/?a=1&b=2', { '?a': '1', b: '2' }, { a: '1', b: '2' }],
    ['https://e.com/?a=x y&b=x%20y', { '?a': 'x y', b: 'x y' }, { a: 'x y', b: 'x y' }],
    ['https://e.com/?a=1+2', { '?a': '1+2' }, { a: '1+2' }],
    ['https://e.com/?a=%zz&%C3%A9=%C3%A9', { '?a': '%zz', é: 'é' }, { a: '%zz', é: 'é' }],
    ['https://e.com/?a&b=', { '?a': '', b: '' }, { a: '', b: '' }],
    ['https://e.com/?a=b=c', { '?a': 'b=c' }, { a: 'b=c' }],
    ['https://e.com/?&&a=1&', { '?a': '1' }, { a: '1' }],
    ['https://e.com/?a=1?b=2', { '?a': '1?b=2' }, { a: '1?b=2' }],
    ['https://e.com/?b=1&a=2&a=3', { '?b': '1', a: '3' }, { b: '1', a: '3' }],
    ['https://e.com/?a=1#b?c', { '?a': '1' }, { a: '1' }],
    ['https://e.com/#a?b=1', {}, {}],
  ])('%s', (url, documented, clean) => {
    expect(queryParams(url, { queryParams: 'documented' })).toEqual(documented);
    expect(queryParams(url, { queryParams: 'clean' })).toEqual(clean);
  });

  test('a key that objects inherit is a key like any other', () => {
    const text = body({ notifyUrl: 'https://e.com/?a=1&__proto__=2', compat: { queryParams: 'clean' } });
    expect(text).toContain('"query_params":{"a":"1","__proto__":"2"}');
  });
});

test.each([
  [
    'https://e.com/hook?authorization=Zoho-oauthtoken 1000.x&k=v',
    'https://e.com/hook?authorization=Zoho-oauthtoken%201000.x&k=v',
  ],
  ['https://e.com/a b?c=%20d+e', 'https://e.com/a%20b?c=%20d+e'],
  ['https://e.com/?a=1#part', 'https://e.com/?a=1'],
  ['HTTP://E.com:80', 'http://e.com/'],
  ['https://bücher.example/ä?ö=ü', 'https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC'],
])('%s is requested as %s', (notifyUrl, requested) => {
  expect(requestUrl(notifyUrl)).toBe(requested);
});
