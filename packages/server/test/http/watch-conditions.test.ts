import { describe, expect, test } from 'vitest';
import { fieldId, findField, findModule, moduleId, STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { good, invalid, missing, org, readOne, refusal, settings, wrongType } from './watch-call.ts';

describe('notification_condition', () => {
  const leads = findModule(STANDARD_CATALOG, 'Leads')!;
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

  const four = () =>
    group('or', group('and', field('Phone'), field('City')), group('and', field('Fax'), field('State')));

  test('ten fields in a tree, the same field twice, and a group of one', () => {
    const ten = group('and', four(), group('or', four(), group('or', field('Phone'), field('City'))));
    expect(read(condition(ten))).toHaveLength(1);
    expect(read(condition(group('or', field('Phone'))))).toEqual([
      { module: 'Leads', rule: { kind: 'group', operator: 'or', members: [phone] } },
    ]);
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
      [condition(field('Phone'), { api_name: 'Leads', id: moduleId(org, findModule(STANDARD_CATALOG, 'Deals')!) })],
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
      'an API name beside an id that stands in the pages',
      [condition({ field: { api_name: 'Phone', id: '554023000000000559' } })],
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
      'eleven fields, three deep',
      [
        condition(
          group(
            'and',
            four(),
            group('or', four(), group('or', group('or', field('Phone'), field('City')), field('State'))),
          ),
        ),
      ],
      {
        code: 'INVALID_DATA',
        message: 'invalid data',
        details: {
          api_name: 'field_selection',
          json_path: '$.watch[0].notification_condition.field_selection',
          maximum_length: 10,
        },
      },
    ],
    [
      'a group of three within another',
      [condition(group('or', field('Phone'), group('and', field('City'), field('State'), field('Fax'))))],
      invalid('group', { maximum_length: 2 }, `${selection}.group[1].group`),
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
