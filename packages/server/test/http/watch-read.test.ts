import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { onlyDeletesEvents, readWatch } from '../../src/http/watch/request.ts';
import { call, good, invalid, judge, missing, refusal, request, settings, wrongType } from './watch-call.ts';

const { channel_id: _id, ...withoutId } = good;
const { notify_url: _url, ...withoutUrl } = good;
const { events: _events, ...withoutEvents } = good;

describe('a whole call', () => {
  const refused: readonly (readonly [string, string, object])[] = [
    ['without a body', '', { code: 'INVALID_DATA', message: 'body', details: { expected_data_type: 'jsonobject' } }],
    ['with a list', '[]', { code: 'INVALID_DATA', message: 'body' }],
    [
      'without watch',
      '{}',
      {
        code: 'MANDATORY_NOT_FOUND',
        message: 'required field not found',
        details: { api_name: 'watch', json_path: '$.watch' },
      },
    ],
    ['with watch null', '{"watch":null}', { code: 'MANDATORY_NOT_FOUND' }],
    [
      'with a bare channel',
      '{"watch":{"channel_id":"1"}}',
      {
        code: 'INVALID_DATA',
        message: 'invalid data',
        details: { expected_data_type: 'jsonarray', api_name: 'watch', json_path: '$.watch' },
      },
    ],
    [
      'with no channel',
      '{"watch":[]}',
      { code: 'INVALID_DATA', details: { minimum_length: 1, api_name: 'watch', json_path: '$.watch' } },
    ],
    [
      'with 101 channels',
      JSON.stringify({ watch: Array.from({ length: 101 }, (_, i) => ({ ...good, channel_id: i })) }),
      { code: 'LIMIT_EXCEEDED', details: { maximum_length: 100, api_name: 'watch', json_path: '$.watch' } },
    ],
  ];
  describe.each(['POST', 'PUT', 'PATCH'] as const)('%s', (method) => {
    test.each(refused)('%s is refused', (_what, text, expected) => {
      let thrown: unknown;
      try {
        readWatch(call(text), method, judge);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(AppError);
      expect(thrown).toMatchObject(expected);
    });
  });

  test('of 100 channels is read', () => {
    const watch = Array.from({ length: 100 }, (_, i) => ({ ...good, channel_id: i }));
    expect(readWatch(call(JSON.stringify({ watch })), 'POST', judge).every(({ kind }) => kind === 'read')).toBe(true);
  });

  test('judges each entry alone and names its place', () => {
    const watch = [good, withoutId, { ...good, channel_id: 1 }, 7, { ...good, channel_id: '2' }];
    const read = readWatch(call(JSON.stringify({ watch })), 'POST', judge);
    expect(read.map((entry) => (entry.kind === 'read' ? 'read' : entry.refusal))).toEqual([
      'read',
      { ...missing('channel_id'), details: { api_name: 'channel_id', json_path: '$.watch[1].channel_id' } },
      {
        code: 'DUPLICATE_DATA',
        message: 'duplicate data',
        details: { api_name: 'channel_id', json_path: '$.watch[2].channel_id' },
      },
      {
        code: 'INVALID_DATA',
        message: 'invalid data',
        details: { expected_data_type: 'jsonobject', api_name: 'watch', json_path: '$.watch[3]' },
      },
      'read',
    ]);
  });
});

describe('channel_id', () => {
  test.each([
    ['"1"', '1'],
    ['1', '1'],
    ['-5', '-5'],
    ['"007"', '7'],
    ['9223372036854775807', '9223372036854775807'],
    ['"9223372036854775807"', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['1000000068001', '1000000068001'],
  ])('%s is read to the last digit', (json, expected) => {
    const text = `{"watch":[{"channel_id":${json},"notify_url":"https://example.com/","events":["Leads.create"]}]}`;
    expect(readWatch(call(text), 'POST', judge)[0]).toMatchObject({ kind: 'read', value: { channelId: expected } });
  });

  test.each([
    '9223372036854775808',
    '"9223372036854775808"',
    '1.5',
    '1e30',
    '1e17',
    '""',
    '" 1"',
    '"a1b2"',
    'true',
    '[]',
    '{}',
  ])('%s is refused', (json) => {
    const text = `{"watch":[{"channel_id":${json},"notify_url":"https://example.com/","events":["Leads.create"]}]}`;
    expect(readWatch(call(text), 'POST', judge)[0]).toEqual({
      kind: 'refused',
      refusal: wrongType('long', 'channel_id'),
    });
  });
});

describe('which keys a call needs', () => {
  test.each([
    ['POST', withoutId, 'channel_id'],
    ['POST', { ...good, channel_id: null }, 'channel_id'],
    ['POST', withoutUrl, 'notify_url'],
    ['POST', { ...good, notify_url: null }, 'notify_url'],
    ['POST', withoutEvents, 'events'],
    ['PUT', withoutId, 'channel_id'],
    ['PUT', withoutEvents, 'events'],
    ['PATCH', withoutId, 'channel_id'],
    ['PATCH', { channel_id: '1', _delete_events: true }, 'events'],
  ] as const)('%s of %j misses its %s', (method, entry, key) => {
    expect(refusal(entry, method)).toEqual(missing(key));
  });

  test.each([
    ['PUT', withoutUrl, 'replace'],
    ['PATCH', { channel_id: '1' }, 'merge'],
    ['PATCH', { channel_id: '1', _delete_events: false }, 'merge'],
    ['PATCH', { channel_id: '1', events: ['Leads.all'], _delete_events: true }, 'prune'],
    ['POST', { ...good, _delete_events: 'x', resource_id: 5, other: {} }, 'open'],
  ] as const)('%s of %j is complete', (method, entry, kind) => {
    expect(request(entry, method).kind).toBe(kind);
  });

  test('the first fault in the documented order is told', () => {
    const bad = { token: '', channel_expiry: 1, events: 1, notify_url: 1, channel_id: 'x' };
    const inOrder = ['channel_id', 'notify_url', 'events', 'token', 'channel_expiry'] as const;
    inOrder.forEach((key, i) => {
      const mended = Object.fromEntries(
        inOrder.slice(0, i).map((name) => [name, (good as Record<string, unknown>)[name] ?? null]),
      );
      expect(refusal({ ...bad, ...mended })).toMatchObject({ details: { api_name: key } });
    });
  });
});

describe('notify_url', () => {
  test.each([
    'https://www.zoho.com/callback?authorization=Zoho-oauthtoken 1000.23dnsbbbh455jnn&key1=val1',
    'http://127.0.0.1:8080/a',
    'HTTPS://EXAMPLE.com',
    'https://[::1]/',
    `https://example.com/${'x'.repeat(2028)}`,
  ])('%s is kept byte for byte', (url) => {
    expect(settings({ ...good, notify_url: url })?.notifyUrl).toBe(url);
  });

  test.each([
    ['', {}],
    ['example.com', {}],
    ['/hook', {}],
    ['ftp://example.com', {}],
    ['javascript:alert(1)', {}],
    ['https://', {}],
    ['https:example.com', {}],
    ['https://a b/', {}],
    ['https://user@example.com/', {}],
    ['https://user:secret@example.com/', {}],
    ['https://example.com/\u0000', {}],
    ['https://example.com/\nx', {}],
    ['https://example.com/\ud800', {}],
    [`https://example.com/${'x'.repeat(2029)}`, { maximum_length: 2048 }],
    [5, { expected_data_type: 'string' }],
    [{}, { expected_data_type: 'string' }],
  ])('%j is refused', (url, more) => {
    for (const method of ['POST', 'PUT', 'PATCH'] as const) {
      expect(refusal({ ...good, notify_url: url }, method)).toEqual(invalid('notify_url', more));
    }
  });
});

describe('events', () => {
  test('say create and edit for what a notification calls insert and update', () => {
    const names = ['Leads.create', 'Deals.edit', 'Contacts.delete', 'Sales_Orders.all', 'Notes.create', 'users.all'];
    expect(settings({ ...good, events: names })?.events).toEqual([
      { module: 'Leads', operation: 'insert' },
      { module: 'Deals', operation: 'update' },
      { module: 'Contacts', operation: 'delete' },
      { module: 'Sales_Orders', operation: 'all' },
      { module: 'Notes', operation: 'insert' },
      { module: 'users', operation: 'all' },
    ]);
  });

  test.each([
    [['Leads.created'], {}],
    [['Leads.insert'], {}],
    [['leads.create'], {}],
    [['Nothing.create'], {}],
    [['Leads'], {}],
    [['Leads.'], {}],
    [['.create'], {}],
    [['create'], {}],
    [[''], {}],
    [['Leads.create', { module: 'Leads' }], {}],
    [['Leads.create', null], {}],
    [[['Leads.create']], {}],
    [[], { minimum_length: 1 }],
    [Array.from({ length: 101 }, () => 'Leads.create'), { maximum_length: 100 }],
    ['Leads.create', { expected_data_type: 'jsonarray' }],
    [{}, { expected_data_type: 'jsonarray' }],
  ])('%j is refused', (events, more) => {
    expect(refusal({ ...good, events })).toEqual(invalid('events', more));
    expect(refusal({ channel_id: '1', events, _delete_events: true }, 'PATCH')).toEqual(invalid('events', more));
  });

  test('of a denied module can be taken away, and nothing else', () => {
    const events = ['Invoices.create'];
    for (const method of ['POST', 'PUT', 'PATCH'] as const) {
      expect(refusal({ ...good, events }, method)).toEqual(invalid('events', {}));
    }
    expect(refusal({ channel_id: '1', events, _delete_events: true }, 'PATCH')).toMatchObject({ kind: 'read' });
  });
});

describe('token', () => {
  test.each([
    ['x', 'x'],
    ['x'.repeat(50), 'x'.repeat(50)],
    ['🔔'.repeat(50), '🔔'.repeat(50)],
    [null, null],
    [undefined, undefined],
  ])('%j is read as %j', (token, expected) => {
    expect(settings({ ...good, token })?.token).toBe(expected);
  });

  test.each([
    ['x'.repeat(51), { maximum_length: 50 }],
    ['', { minimum_length: 1 }],
    [5, { expected_data_type: 'string' }],
    ['a\u0000', {}],
  ])('%j is refused', (token, more) => {
    expect(refusal({ ...good, token })).toEqual(invalid('token', more));
  });
});

describe('channel_expiry', () => {
  test.each([
    ['2026-01-05T10:00:00Z', Date.UTC(2026, 0, 5, 10)],
    ['2018-02-02T10:30:00+05:30', Date.UTC(2018, 1, 2, 5)],
    [null, undefined],
  ])('%j is read as %j', (given, expected) => {
    expect(settings({ ...good, channel_expiry: given })?.expiresAt).toBe(expected);
  });

  test.each([
    '2026-01-05T10:00:00.000Z',
    '2026-01-05T10:00:00',
    '2026-02-30T10:00:00Z',
    'tomorrow',
    '',
    1767607200000,
    {},
  ])('%j is refused', (given) => {
    expect(refusal({ ...good, channel_expiry: given })).toEqual(wrongType('datetime', 'channel_expiry'));
  });
});

describe('flags', () => {
  test.each(['notify_on_related_action', 'return_affected_field_values'])('%s is a boolean or left open', (key) => {
    const setting = key === 'notify_on_related_action' ? 'notifyOnRelated' : 'withValues';
    for (const [given, expected] of [
      [true, true],
      [false, false],
      [null, undefined],
    ]) {
      expect(settings({ ...good, [key as string]: given })?.[setting]).toBe(expected);
    }
    for (const given of ['true', 1, {}, []]) {
      expect(refusal({ ...good, [key]: given })).toEqual(wrongType('boolean', key));
    }
  });

  test.each([null, 'true', 1, {}])('_delete_events of %j is refused', (given) => {
    expect(refusal({ channel_id: '1', events: ['Leads.all'], _delete_events: given }, 'PATCH')).toEqual(
      wrongType('boolean', '_delete_events'),
    );
  });

  test.each(API_VERSIONS)('on %s values are read only where the version has them', (version) => {
    const expected = version === 'v2' || version === 'v2.1' ? undefined : true;
    expect(settings({ ...good, return_affected_field_values: true }, 'POST', version)?.withValues).toBe(expected);
  });
});

test.each([
  [[{ _delete_events: true }], true],
  [[{ _delete_events: true }, { _delete_events: true }], true],
  [[{ _delete_events: true }, {}], false],
  [[{ _delete_events: false }], false],
  [[{ _delete_events: 'true' }], false],
  [['x'], false],
])('a PATCH of %j takes only events away: %s', (watch, expected) => {
  expect(onlyDeletesEvents(call(JSON.stringify({ watch })))).toBe(expected);
});

test.each(['', '{', '[]', '{}', '{"watch":{}}', '{"watch":[]}'])(
  'a PATCH of the body %j takes no events away',
  (text) => {
    expect(onlyDeletesEvents(call(text))).toBe(false);
  },
);
