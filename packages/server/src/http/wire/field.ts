import type { OrgId } from '../../domain/ids.ts';
import type { Field, FieldType, Module } from '../../domain/module.ts';
import { type Catalog, fieldId, findModule, pickListValueId } from '../../domain/modules/catalog.ts';
import { findDealStage } from '../../domain/modules/deal-stages.ts';
import type { Principal } from '../../domain/org.ts';
import { type ApiVersion, VERSION_RULES } from '../../domain/wire/api-version.ts';
import { moduleReference } from './module.ts';

/** How a field's values look in JSON, as the metadata API words it. */
const JSON_TYPES: Record<FieldType, string> = {
  text: 'string',
  textarea: 'string',
  email: 'string',
  phone: 'string',
  website: 'string',
  integer: 'integer',
  bigint: 'string',
  double: 'double',
  currency: 'double',
  percent: 'double',
  boolean: 'boolean',
  date: 'string',
  datetime: 'string',
  picklist: 'string',
  multiselectpicklist: 'jsonarray',
  lookup: 'jsonobject',
  ownerlookup: 'jsonobject',
  userlookup: 'jsonobject',
  subform: 'jsonarray',
  autonumber: 'string',
  profileimage: 'string',
  formula: 'double',
};

/** One entry of `settings/fields`. */
export function fieldBody(
  { org: { id: org }, catalog, profile }: Principal,
  module: Module,
  field: Field,
  version: ApiVersion,
): object {
  const writable = !field.readOnly;
  const isCustom = field.serial !== undefined;
  return {
    id: fieldId(org, module, field),
    api_name: field.apiName,
    field_label: field.label,
    display_label: field.label,
    data_type: field.type,
    json_type: field.apiName === 'Tag' ? 'jsonarray' : JSON_TYPES[field.type],
    length: field.length ?? null,
    decimal_place: field.decimals ?? null,
    system_mandatory: field.mandatory ?? false,
    unique: field.unique ? { casesensitive: 'false' } : {},
    external: field.external ? { show: true, type: field.external } : null,
    read_only: !writable,
    field_read_only: !writable,
    view_type: { view: true, edit: writable, create: writable, quick_create: field.mandatory ?? false },
    operation_type: { web_create: writable, web_update: writable, api_create: writable, api_update: writable },
    lookup: lookupBody(org, catalog, module, field, version),
    pick_list_values: pickListBody(org, module, field, version),
    pick_list_values_sorted_lexically: false,
    currency: field.type === 'currency' ? { rounding_option: 'normal', precision: field.decimals ?? 2 } : {},
    number_separator: false,
    profiles: [{ name: profile.name, id: profile.id, permission_type: writable ? 'read_write' : 'read_only' }],
    default_value: null,
    created_source: isCustom ? 'user' : 'default',
    type: 'used',
    custom_field: isCustom,
    display_field: field.apiName === module.nameField,
    visible: true,
    searchable: false,
    sortable: false,
    filterable: false,
    mass_update: false,
    webhook: true,
    virtual_field: false,
    separator: false,
    blueprint_supported: false,
    businesscard_supported: false,
    ...NOT_KEPT,
  };
}

/** What clients look for in every field, of features that this server does not have. */
const NOT_KEPT = {
  formula: {},
  multiselectlookup: {},
  multi_module_lookup: {},
  rollup_summary: {},
  subform: null,
  sub_module: null,
  auto_number: {},
  autonumber: null,
  multiuserlookup: null,
  associated_module: null,
  association_details: null,
  refer_from_field: null,
  convert_mapping: null,
  textarea: null,
  tooltip: null,
  history_tracking: null,
  sharing_properties: null,
  crypt: null,
  hipaa_compliance: null,
  hipaa_compliance_enabled: false,
  email_parser: { fields_update_supported: false, record_operations_supported: false },
  allowed_modules: [],
  customizable_properties: [],
  file_upolad_optionlist: [],
  layout_associations: [],
  available_in_user_layout: true,
  static_field: false,
  enable_colour_code: false,
  colour_code_enabled_by_system: false,
  _update_existing_records: false,
  created_time: null,
  modified_time: null,
  // How the hosted product stores and draws the field.
  category: null,
  column_name: null,
  additional_column: null,
  display_type: null,
  show_type: null,
  ui_type: null,
  quick_sequence_number: null,
};

function lookupBody(org: OrgId, catalog: Catalog, module: Module, field: Field, version: ApiVersion): object {
  const target = field.lookup === undefined ? undefined : findModule(catalog, field.lookup);
  if (!target) return {};
  return {
    id: fieldId(org, module, field),
    api_name: module.apiName,
    display_label: module.plural,
    module: moduleReference(org, target, version),
  };
}

const NO_VALUE = '-None-';

function pickListBody(org: OrgId, module: Module, field: Field, version: ApiVersion): object[] {
  if (!field.pickList) return [];
  // A field that may stay empty offers that as a value; clients check what they send against this list.
  const mayBeEmpty = !field.mandatory && !field.readOnly;
  return [NO_VALUE, ...field.pickList]
    .map((value, position) => ({
      id: pickListValueId(org, module, field, position),
      display_value: value,
      actual_value: value,
      reference_value: value,
      sequence_number: position,
      type: 'used',
      colour_code: null,
      ...(module.apiName === 'Deals' && field.apiName === 'Stage' ? stageBody(value, version) : {}),
    }))
    .slice(mayBeEmpty ? 0 : 1);
}

function stageBody(name: string, version: ApiVersion): object {
  const stage = findDealStage(name);
  if (!stage) return {};
  // Clients that read names as text take a number here, whose values no source tells.
  const hasObjects = VERSION_RULES[version].namesModules === 'object';
  return {
    probability: stage.probability,
    forecast_type: stage.forecastType,
    forecast_category: hasObjects ? { name: stage.forecastCategory } : null,
    deal_category: stage.forecastType,
  };
}
