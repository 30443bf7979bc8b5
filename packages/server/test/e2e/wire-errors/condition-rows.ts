import type { OrgId } from '../../../src/domain/ids.ts';
import { fieldId, findField, findModule, moduleId, STANDARD_CATALOG } from '../../../src/domain/modules/catalog.ts';
import { entryRow, invalid, missing, wrongType } from './entry-rows.ts';
import { type ErrorRow, since, type Told } from './row.ts';

const org = '3652397' as OrgId;
const leads = findModule(STANDARD_CATALOG, 'Leads')!;
const emailId = fieldId(org, leads, findField(leads, 'Email')!);
const dealsId = moduleId(org, findModule(STANDARD_CATALOG, 'Deals')!);

const PAGE = 'page v7, OpenAPI 2026';
const OURS = 'ours';
const first = 'notification_condition[0]';
const selection = `${first}.field_selection`;
const field = (name: unknown) => ({ field: { api_name: name } });
const group = (operator: unknown, ...members: unknown[]) => ({ group_operator: operator, group: members });
const nested = (count: number): object =>
  count === 1 ? field('Phone') : group('or', field('Phone'), nested(count - 1));
const SOUND_CONDITION = {
  type: 'field_selection',
  module: { api_name: 'Leads' },
  field_selection: field('Phone'),
};

/** Conditions that differ from a sound one in these keys. */
const row = (cause: string, source: string, variants: readonly object[], told: Told): ErrorRow => {
  const lists = variants.map((more) => ({ notification_condition: [{ ...SOUND_CONDITION, ...more }] }));
  return entryRow(cause, lists, { source, told, versions: since('v6') });
};
const list = (cause: string, source: string, entries: readonly object[], told: Told): ErrorRow =>
  entryRow(cause, entries, { source, told, versions: since('v6') });
const selecting = (...selections: unknown[]) => selections.map((field_selection) => ({ field_selection }));

const path = (inner: string) => `$.watch[0].${inner}`;
const pair = (base: string, keys: readonly string[]) =>
  keys.map((key) => ({ api_name: key, json_path: path(`${base}.${key}`) }));
const ambiguous = (dueTo: readonly { api_name: string; json_path: string }[]): Told => ({
  code: 'AMBIGUITY_DURING_PROCESSING',
  details: { ambiguity_due_to: [...dueTo] },
  message: 'AMBIGUITY_DURING_PROCESSING',
});
const nothingNamed = (base: string): Told => ({
  code: 'EXPECTED_FIELD_MISSING',
  details: { expected_fields: pair(base, ['api_name', 'id']) },
  message: 'Specify atleast one field',
});
const dependent = (key: string, on: string, keyPath: string, onPath: string): Told => ({
  code: 'DEPENDENT_FIELD_MISSING',
  details: { api_name: key, json_path: path(keyPath), dependee: { api_name: on, json_path: path(onPath) } },
  message: 'DEPENDENT_FIELD_MISSING',
});

/** Faults of `fields` and `notification_condition` (reference §2.3). */
export const CONDITION_ROWS: readonly ErrorRow[] = [
  list('`fields` is no list', OURS, [{ fields: 'Phone' }, { fields: {} }], wrongType('jsonarray', 'fields')),
  list(
    '`fields` has more than 10 items',
    OURS,
    [{ fields: Array.from({ length: 11 }, () => 'Phone') }],
    invalid('fields', { maximum_length: 10 }),
  ),
  list(
    'an item of `fields` is no field of a watched module',
    'OpenAPI 2026',
    [{ fields: ['Phone', 'Nothing'] }, { fields: ['Phone', 5] }, { fields: ['Phone', 'Stage'] }],
    invalid('fields', {}, 'fields[1]'),
  ),
  entryRow('`fields` without `events`', [{ events: undefined, fields: ['Phone'] }], {
    source: OURS,
    on: ['PATCH'],
    versions: since('v6'),
    told: dependent('fields', 'events', 'fields', 'events'),
  }),
  list(
    'both `fields` and `notification_condition`',
    OURS,
    [{ fields: ['Phone'], notification_condition: [SOUND_CONDITION] }],
    ambiguous(['fields', 'notification_condition'].map((key) => ({ api_name: key, json_path: path(key) }))),
  ),
  list(
    '`notification_condition` is no list',
    'OpenAPI 2026',
    [{ notification_condition: {} }, { notification_condition: 'x' }, { notification_condition: 5 }],
    invalid('notification_condition'),
  ),
  list(
    'a condition is no object',
    OURS,
    [{ notification_condition: ['x'] }, { notification_condition: [null] }],
    wrongType('jsonobject', 'notification_condition', first),
  ),
  row(
    '`type` is missing, without `field_selection`',
    PAGE,
    [{ type: undefined, field_selection: undefined }],
    missing('type', `${first}.type`),
  ),
  row(
    '`field_selection` without `type`',
    PAGE,
    [{ type: undefined }, { type: null }],
    dependent('field_selection', 'type', selection, `${first}.type`),
  ),
  row('`type` is no text', PAGE, [{ type: 5 }, { type: {} }], wrongType('text', 'type', `${first}.type`)),
  row(
    '`type` is another',
    PAGE,
    [{ type: 'criteria' }, { type: '' }],
    invalid('type', { supported_values: ['field_selection'] }, `${first}.type`),
  ),
  row(
    '`module` is missing',
    'page v7',
    [{ module: undefined }, { module: null }],
    missing('module', `${first}.module`),
  ),
  row(
    '`module` is no object',
    PAGE,
    [{ module: 'Leads' }, { module: [] }],
    wrongType('jsonobject', 'module', `${first}.module`),
  ),
  row(
    "the module's `api_name` is no text",
    PAGE,
    [{ module: { api_name: 5 } }],
    wrongType('string', 'api_name', `${first}.module.api_name`),
  ),
  row("the module's `id` is no text", PAGE, [{ module: { id: 5 } }], wrongType('string', 'id', `${first}.module.id`)),
  row('the module has neither', PAGE, [{ module: {} }], nothingNamed(`${first}.module`)),
  row(
    "the module's `api_name` and `id` differ",
    PAGE,
    [{ module: { api_name: 'Leads', id: dealsId } }],
    ambiguous(pair(`${first}.module`, ['api_name', 'id'])),
  ),
  row(
    'the module is unknown or denied',
    OURS,
    [{ module: { api_name: 'Nothing' } }, { module: { api_name: 'Invoices' } }],
    invalid('api_name', {}, `${first}.module.api_name`),
  ),
  row("the module's `id` is unknown", OURS, [{ module: { id: '12' } }], invalid('id', {}, `${first}.module.id`)),
  row('`field_selection` is missing', 'page v7', selecting(undefined, null), missing('field_selection', selection)),
  row(
    '`field_selection` is no object',
    PAGE,
    selecting('Phone', []),
    wrongType('jsonobject', 'field_selection', selection),
  ),
  row('`field_selection` has more than 10 fields', PAGE, selecting(nested(11), nested(25)), {
    code: 'INVALID_DATA',
    details: {
      api_name: 'field_selection',
      json_path: path('notification_condition.field_selection'),
      maximum_length: 10,
    },
    message: 'invalid data',
  }),
  row(
    'neither `field` nor `group`',
    PAGE,
    selecting({}, { field: null, group: null }),
    missing('field', 'notification_condition.field_selection.field'),
  ),
  row(
    'both `field` and `group`',
    OURS,
    selecting({ ...field('Phone'), ...group('or', field('Email')) }),
    ambiguous(pair(selection, ['field', 'group'])),
  ),
  row(
    '`group_operator` is missing',
    PAGE,
    selecting({ group: [field('Phone')] }, group(null, field('Phone'))),
    missing('group_operator', `${selection}.group_operator`),
  ),
  row(
    '`group_operator` is no text',
    PAGE,
    selecting(group(5, field('Phone'))),
    wrongType('text', 'group_operator', `${selection}.group_operator`),
  ),
  row(
    '`group_operator` is another',
    PAGE,
    selecting(group('AND', field('Phone')), group('', field('Phone'))),
    invalid('group_operator', { supported_values: ['or', 'and'] }, `${selection}.group_operator`),
  ),
  row(
    '`group` is no list',
    OURS,
    selecting({ group_operator: 'or', group: {} }),
    wrongType('jsonarray', 'group', `${selection}.group`),
  ),
  row('`group` is empty', OURS, selecting(group('or')), invalid('group', { minimum_length: 1 }, `${selection}.group`)),
  row(
    '`group` has more than 2 members',
    'page v7',
    selecting(group('or', field('Phone'), field('Email'), field('Company'))),
    invalid('group', { maximum_length: 2 }, `${selection}.group`),
  ),
  row(
    'a member of `group` is no object',
    OURS,
    selecting(group('or', 'Phone')),
    wrongType('jsonobject', 'group', `${selection}.group[0]`),
  ),
  row(
    '`field` is no object',
    OURS,
    selecting({ field: 'Phone' }),
    wrongType('jsonobject', 'field', `${selection}.field`),
  ),
  row(
    "the field's `api_name` is no text",
    OURS,
    selecting({ field: { api_name: 5 } }),
    wrongType('string', 'api_name', `${selection}.field.api_name`),
  ),
  row(
    "the field's `id` is no text",
    OURS,
    selecting({ field: { id: 5 } }),
    wrongType('string', 'id', `${selection}.field.id`),
  ),
  row('the field has neither `api_name` nor `id`', PAGE, selecting({ field: {} }), nothingNamed(`${selection}.field`)),
  row(
    'the field is none of the module',
    OURS,
    selecting(field('Nothing'), field('Stage')),
    invalid('api_name', {}, `${selection}.field.api_name`),
  ),
  row(
    "the field's `id` is unknown",
    OURS,
    selecting({ field: { id: '5' } }),
    invalid('id', {}, `${selection}.field.id`),
  ),
  row(
    "the field's `api_name` and `id` differ",
    PAGE,
    selecting({ field: { api_name: 'Phone', id: emailId } }),
    ambiguous(pair(`${selection}.field`, ['api_name', 'id'])),
  ),
  list('a second condition on one module', OURS, [{ notification_condition: [SOUND_CONDITION, SOUND_CONDITION] }], {
    code: 'DUPLICATE_DATA',
    details: { api_name: 'module', json_path: path('notification_condition[1].module') },
    message: 'duplicate data',
  }),
];
