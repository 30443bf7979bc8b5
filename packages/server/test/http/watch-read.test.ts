import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import type { OrgId, ProfileId, UserId } from '../../src/domain/ids.ts';
import { fieldId, findField, findModule, moduleId } from '../../src/domain/modules/catalog.ts';
import { API_VERSIONS, type ApiVersion } from '../../src/domain/wire/api-version.ts';
import type { Call } from '../../src/http/call.ts';
import { parseJsonObject } from '../../src/http/json.ts';
import { readListQuery } from '../../src/http/watch/list.ts';
import { onlyDeletesEvents, readDelete, readWatch } from '../../src/http/watch/request.ts';

const org = '3652397' as OrgId;

function call(text: string, version: ApiVersion = 'v8', query: Record<string, string> = {}): Call {
  return {
    version,
    principal: {
      org: { id: org, name: 'Sample', timeZone: 'UTC' },
      user: { id: '1' as UserId, email: 'p@example.com', firstName: '', lastName: 'P', profileId: '2' as ProfileId },
      profile: { id: '2' as ProfileId, name: 'Most', deniedModules: ['Invoices'] },
      clientId: 'c',
      scopes: [],
    },
    params: {},
    query: new Map(Object.entries(query)),
    ifModifiedSince: undefined,
    body: () => parseJsonObject(new TextEncoder().encode(text)),
  };
}

type Method = 'POST' | 'PUT' | 'PATCH';
const good = { channel_id: '1', notify_url: 'https://example.com/', events: ['Leads.create'] };
const readOne = (entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') =>
  readWatch(call(JSON.stringify({ watch: [entry] }), version), method)[0];

function request(entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') {
  const read = readOne(entry, method, version);
  if (read?.kind !== 'read') throw new Error(JSON.stringify(read));
  return read.value;
}
function settings(entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') {
  const read = request(entry, method, version);
  return 'settings' in read ? read.settings : undefined;
}
function refusal(entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') {
  const read = readOne(entry, method, version);
  return read?.kind === 'refused' ? read.refusal : read;
}

const missing = (key: string, path = key) => ({
  code: 'MANDATORY_NOT_FOUND',
  message: 'required field not found',
  details: { api_name: key, json_path: `$.watch[0].${path}` },
});
const invalid = (key: string, more: object = {}, path = key) => ({
  code: 'INVALID_DATA',
  message: 'invalid data',
  details: { ...more, api_name: key, json_path: `$.watch[0].${path}` },
});
const wrongType = (type: string, key: string, path = key) => invalid(key, { expected_data_type: type }, path);
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
        readWatch(call(text), method);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(AppError);
      expect(thrown).toMatchObject(expected);
    });
  });

  test('of 100 channels is read', () => {
    const watch = Array.from({ length: 100 }, (_, i) => ({ ...good, channel_id: i }));
    expect(readWatch(call(JSON.stringify({ watch })), 'POST').every(({ kind }) => kind === 'read')).toBe(true);
  });

  test('judges each entry alone and names its place', () => {
    const watch = [good, withoutId, { ...good, channel_id: 1 }, 7, { ...good, channel_id: '2' }];
    const read = readWatch(call(JSON.stringify({ watch })), 'POST');
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
    expect(readWatch(call(text), 'POST')[0]).toMatchObject({ kind: 'read', value: { channelId: expected } });
  });

  test.each([
    '9223372036854775808',
    '"9223372036854775808"',
    '1.5',
    '1e30',
    '""',
    '" 1"',
    '"a1b2"',
    'true',
    '[]',
    '{}',
  ])('%s is refused', (json) => {
    const text = `{"watch":[{"channel_id":${json},"notify_url":"https://example.com/","events":["Leads.create"]}]}`;
    expect(readWatch(call(text), 'POST')[0]).toEqual({ kind: 'refused', refusal: wrongType('long', 'channel_id') });
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
    [['Invoices.create'], {}],
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

describe('fields', () => {
  test('watch for any of them, in each module that has them', () => {
    const entry = {
      ...good,
      events: ['Leads.all', 'Deals.edit', 'Notes.create'],
      fields: ['Phone', 'Company', 'Stage'],
    };
    expect(settings(entry)?.conditions).toEqual([
      {
        module: 'Leads',
        rule: {
          kind: 'group',
          operator: 'or',
          members: [
            { kind: 'field', field: 'Phone' },
            { kind: 'field', field: 'Company' },
          ],
        },
      },
      { module: 'Deals', rule: { kind: 'field', field: 'Stage' } },
    ]);
  });

  test.each([null, undefined])('%j says nothing', (fields) => {
    expect(settings({ ...good, fields })?.conditions).toBeUndefined();
  });

  test.each([
    [['Phone', 'Nothing'], invalid('fields', {}, 'fields[1]')],
    [[5], invalid('fields', {}, 'fields[0]')],
    [['Stage'], invalid('fields', {}, 'fields[0]')],
    [{}, wrongType('jsonarray', 'fields')],
    [Array.from({ length: 11 }, () => 'Phone'), invalid('fields', { maximum_length: 10 })],
  ])('%j is refused', (fields, expected) => {
    expect(refusal({ ...good, fields })).toEqual(expected);
  });

  test('need the events they are about', () => {
    expect(refusal({ channel_id: '1', fields: ['Phone'] }, 'PATCH')).toEqual({
      code: 'DEPENDENT_FIELD_MISSING',
      message: 'DEPENDENT_FIELD_MISSING',
      details: {
        api_name: 'fields',
        json_path: '$.watch[0].fields',
        dependee: { api_name: 'events', json_path: '$.watch[0].events' },
      },
    });
  });
});

describe('notification_condition', () => {
  const leads = findModule('Leads')!;
  const leadsId = moduleId(org, leads);
  const idOf = (name: string) => fieldId(org, leads, findField(leads, name)!);
  const field = (name: string) => ({ field: { api_name: name } });
  const group = (operator: string, ...members: unknown[]) => ({ group_operator: operator, group: members });
  const condition = (selection: unknown, module: unknown = { api_name: 'Leads' }) => ({
    type: 'field_selection',
    module,
    field_selection: selection,
  });
  const read = (...conditions: unknown[]) => settings({ ...good, notification_condition: conditions })?.conditions;
  const phone = { kind: 'field', field: 'Phone' };

  test('a group of two with a nested one, named by API name, by id or by both', () => {
    const sample = {
      type: 'field_selection',
      module: { api_name: 'Leads', id: leadsId },
      field_selection: {
        group_operator: 'or',
        group: [
          { field: { api_name: 'Last_Name', id: idOf('Last_Name') } },
          { group_operator: 'and', group: [{ field: { api_name: 'Company' } }, { field: { id: idOf('Phone') } }] },
        ],
      },
    };
    expect(read(sample)).toEqual([
      {
        module: 'Leads',
        rule: {
          kind: 'group',
          operator: 'or',
          members: [
            { kind: 'field', field: 'Last_Name' },
            { kind: 'group', operator: 'and', members: [{ kind: 'field', field: 'Company' }, phone] },
          ],
        },
      },
    ]);
  });

  test('a single field without a group, as it is listed too', () => {
    expect(read(condition(field('Phone')))).toEqual([{ module: 'Leads', rule: phone }]);
    expect(read(condition({ ...field('Phone'), group_operator: null, group: null }))).toEqual([
      { module: 'Leads', rule: phone },
    ]);
  });

  test('one for each of several modules, and none', () => {
    expect(read(condition(field('Phone')), condition(field('Stage'), { api_name: 'Deals' }))).toHaveLength(2);
    expect(read()).toEqual([]);
    expect(settings({ ...good, notification_condition: null })?.conditions).toEqual([]);
    expect(settings(good)?.conditions).toBeUndefined();
  });

  test('ten fields, nested two at a time', () => {
    const nest = (count: number): unknown =>
      count === 1 ? field('Phone') : group('or', field('Phone'), nest(count - 1));
    expect(read(condition(nest(10)))).toHaveLength(1);
    expect(refusal({ ...good, notification_condition: [condition(nest(11))] })).toEqual(
      invalid('field_selection', { maximum_length: 10 }, 'notification_condition.field_selection'),
    );
  });

  test.each(API_VERSIONS)('on %s it is read, or ignored however it looks', (version) => {
    const hasConditions = ['v6', 'v7', 'v8'].includes(version);
    const bad = { ...good, notification_condition: 'x', fields: 'x' };
    expect(readOne(bad, 'POST', version)?.kind).toBe(hasConditions ? 'refused' : 'read');
  });

  const first = 'notification_condition[0]';
  const at = (path: string) => `$.watch[0].${first}.${path}`;
  const selection = `${first}.field_selection`;
  const refused: readonly (readonly [string, unknown, unknown])[] = [
    ['not a list', {}, invalid('notification_condition')],
    ['no object', ['x'], wrongType('jsonobject', 'notification_condition', first)],
    ['no module', [{ type: 'field_selection', field_selection: field('Phone') }], missing('module', `${first}.module`)],
    [
      'a module that is no object',
      [condition(field('Phone'), 'Leads')],
      wrongType('jsonobject', 'module', `${first}.module`),
    ],
    [
      'a module name that is no text',
      [condition(field('Phone'), { api_name: 5 })],
      wrongType('string', 'api_name', `${first}.module.api_name`),
    ],
    [
      'a module id that is no text',
      [condition(field('Phone'), { id: 5 })],
      wrongType('string', 'id', `${first}.module.id`),
    ],
    [
      'a module without name and id',
      [condition(field('Phone'), {})],
      {
        code: 'EXPECTED_FIELD_MISSING',
        message: 'Specify atleast one field',
        details: {
          expected_fields: [
            { api_name: 'api_name', json_path: at('module.api_name') },
            { api_name: 'id', json_path: at('module.id') },
          ],
        },
      },
    ],
    [
      'a module whose id is of another',
      [condition(field('Phone'), { api_name: 'Leads', id: moduleId(org, findModule('Deals')!) })],
      {
        code: 'AMBIGUITY_DURING_PROCESSING',
        message: 'AMBIGUITY_DURING_PROCESSING',
        details: {
          ambiguity_due_to: [
            { api_name: 'api_name', json_path: at('module.api_name') },
            { api_name: 'id', json_path: at('module.id') },
          ],
        },
      },
    ],
    [
      'an unknown module',
      [condition(field('Phone'), { api_name: 'Nothing' })],
      invalid('api_name', {}, `${first}.module.api_name`),
    ],
    [
      'a denied module',
      [condition(field('Status'), { api_name: 'Invoices' })],
      invalid('api_name', {}, `${first}.module.api_name`),
    ],
    ['an unknown module id', [condition(field('Phone'), { id: '12' })], invalid('id', {}, `${first}.module.id`)],
    [
      'a selection without a type',
      [{ module: { api_name: 'Leads' }, field_selection: field('Phone') }],
      {
        code: 'DEPENDENT_FIELD_MISSING',
        message: 'DEPENDENT_FIELD_MISSING',
        details: {
          api_name: 'field_selection',
          json_path: at('field_selection'),
          dependee: { api_name: 'type', json_path: at('type') },
        },
      },
    ],
    ['no type and no selection', [{ module: { api_name: 'Leads' } }], missing('type', `${first}.type`)],
    ['a type that is no text', [{ ...condition(field('Phone')), type: 5 }], wrongType('text', 'type', `${first}.type`)],
    [
      'another type',
      [{ ...condition(field('Phone')), type: 'criteria' }],
      invalid('type', { supported_values: ['field_selection'] }, `${first}.type`),
    ],
    ['no selection', [condition(undefined)], missing('field_selection', selection)],
    ['a selection that is no object', [condition('Phone')], wrongType('jsonobject', 'field_selection', selection)],
    ['no operator', [condition({ group: [field('Phone')] })], missing('group_operator', `${selection}.group_operator`)],
    [
      'an operator that is no text',
      [condition(group(5 as never, field('Phone')))],
      wrongType('text', 'group_operator', `${selection}.group_operator`),
    ],
    [
      'another operator',
      [condition(group('AND', field('Phone')))],
      invalid('group_operator', { supported_values: ['or', 'and'] }, `${selection}.group_operator`),
    ],
    ['neither field nor group', [condition({})], missing('field', 'notification_condition.field_selection.field')],
    [
      'a member with neither',
      [condition(group('or', field('Phone'), {}))],
      missing('field', 'notification_condition.field_selection.group[1].field'),
    ],
    [
      'a group that is no list',
      [condition({ group_operator: 'or', group: {} })],
      wrongType('jsonarray', 'group', `${selection}.group`),
    ],
    ['an empty group', [condition(group('or'))], invalid('group', { minimum_length: 1 }, `${selection}.group`)],
    [
      'a group of three',
      [condition(group('or', field('Phone'), field('Email'), field('Company')))],
      invalid('group', { maximum_length: 2 }, `${selection}.group`),
    ],
    [
      'a member that is no object',
      [condition(group('or', 'Phone'))],
      wrongType('jsonobject', 'group', `${selection}.group[0]`),
    ],
    [
      'a field that is no object',
      [condition({ field: 'Phone' })],
      wrongType('jsonobject', 'field', `${selection}.field`),
    ],
    ['an unknown field', [condition(field('Nothing'))], invalid('api_name', {}, `${selection}.field.api_name`)],
    ['a field of another module', [condition(field('Stage'))], invalid('api_name', {}, `${selection}.field.api_name`)],
    ['an unknown field id', [condition({ field: { id: '12' } })], invalid('id', {}, `${selection}.field.id`)],
    [
      'a field whose id is of another',
      [condition({ field: { api_name: 'Phone', id: idOf('Email') } })],
      {
        code: 'AMBIGUITY_DURING_PROCESSING',
        message: 'AMBIGUITY_DURING_PROCESSING',
        details: {
          ambiguity_due_to: [
            { api_name: 'api_name', json_path: at('field_selection.field.api_name') },
            { api_name: 'id', json_path: at('field_selection.field.id') },
          ],
        },
      },
    ],
    [
      'both a field and a group',
      [condition({ ...field('Phone'), ...group('or', field('Email')) })],
      {
        code: 'AMBIGUITY_DURING_PROCESSING',
        message: 'AMBIGUITY_DURING_PROCESSING',
        details: {
          ambiguity_due_to: [
            { api_name: 'field', json_path: at('field_selection.field') },
            { api_name: 'group', json_path: at('field_selection.group') },
          ],
        },
      },
    ],
    [
      'a module twice',
      [condition(field('Phone')), condition(field('Email'), { id: leadsId })],
      {
        code: 'DUPLICATE_DATA',
        message: 'duplicate data',
        details: { api_name: 'module', json_path: '$.watch[0].notification_condition[1].module' },
      },
    ],
  ];
  test.each(refused)('with %s is refused', (_what, conditions, expected) => {
    expect(refusal({ ...good, notification_condition: conditions })).toEqual(expected);
  });

  test('contradicts fields', () => {
    expect(refusal({ ...good, fields: ['Phone'], notification_condition: [] })).toMatchObject({
      code: 'AMBIGUITY_DURING_PROCESSING',
    });
  });
});

describe('channel_ids', () => {
  const deleting = (text: string, version: ApiVersion = 'v8') =>
    readDelete(call('{}', version, { channel_ids: text })).map((read) =>
      read.kind === 'read' ? read.value.channelId : read.refusal,
    );

  test('are read in their order, each alone', () => {
    const refused = {
      code: 'INVALID_DATA',
      message: 'invalid data',
      details: { expected_data_type: 'long', api_name: 'channel_ids' },
    };
    expect(deleting('1, 2,9223372036854775807')).toEqual(['1', '2', '9223372036854775807']);
    expect(deleting('1,abc,,3')).toEqual(['1', refused, refused, '3']);
  });

  test.each([
    ['v2', { param_name: 'channel_ids', param: 'channel_ids' }],
    ['v5', { param_name: 'channel_ids', param: 'channel_ids' }],
    ['v6', { param: 'channel_ids' }],
    ['v8', { param: 'channel_ids' }],
  ] as const)('are missed on %s', (version, details) => {
    for (const query of [{}, { channel_ids: '' }] as Record<string, string>[]) {
      expect(() => readDelete(call('{}', version, query))).toThrow(
        expect.objectContaining({
          code: 'REQUIRED_PARAM_MISSING',
          message: 'One of the expected parameter is missing',
          details,
        }),
      );
    }
  });

  test('are at most 100', () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => i).join();
    expect(deleting(list(100))).toHaveLength(100);
    expect(() => deleting(list(101))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
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

describe('a listing', () => {
  const query = (params: Record<string, string>) => readListQuery(call('', 'v8', params));

  test('asks for the first 200 channels unless told otherwise', () => {
    expect(query({})).toEqual({ page: 1, perPage: 200, module: undefined, channelId: undefined });
    expect(query({ page: '3', per_page: '1', module: 'Leads', channel_id: '007', other: 'x' })).toEqual({
      page: 3,
      perPage: 1,
      module: 'Leads',
      channelId: '7',
    });
  });

  test.each([
    ['page', '0'],
    ['page', '-1'],
    ['page', 'x'],
    ['page', ''],
    ['page', '1.5'],
    ['page', '99999999999'],
    ['per_page', '0'],
    ['per_page', '201'],
    ['per_page', 'all'],
  ])('%s of %j is refused', (name, value) => {
    expect(() => query({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA', details: { expected_data_type: 'int', api_name: name } }),
    );
  });

  test.each(['Nothing', 'leads', 'Invoices', ''])('module %j is refused', (module) => {
    expect(() => query({ module })).toThrow(
      expect.objectContaining({ code: 'INVALID_MODULE', message: 'the module name given seems to be invalid' }),
    );
  });

  test('a channel id that can be none is refused', () => {
    expect(() => query({ channel_id: 'abc' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_DATA',
        details: { expected_data_type: 'long', api_name: 'channel_id' },
      }),
    );
  });
});
