import type { OrgId } from '../../domain/ids.ts';
import type { Module } from '../../domain/module.ts';
import { fieldId, findField, moduleId, relatedListId } from '../../domain/modules/catalog.ts';
import type { Principal } from '../../domain/org.ts';
import { formatTime } from '../../domain/time.ts';
import { type ApiVersion, VERSION_RULES } from '../../domain/wire/api-version.ts';
import { modifiedAt } from '../../services/metadata.ts';

/** One entry of `settings/modules`, and the answer of `settings/modules/{module}`. */
export function moduleBody(module: Module, { org, profile, catalog }: Principal): object {
  const { hasRecords, nameField: name } = module;
  const field = findField(module, name);
  const nameField = field && { api_name: name, id: fieldId(org.id, module, field) };
  return {
    id: moduleId(org.id, module),
    api_name: module.apiName,
    module_name: module.plural,
    singular_label: module.singular,
    plural_label: module.plural,
    generated_type: module.isCustom ? 'custom' : 'default',
    api_supported: hasRecords,
    creatable: hasRecords,
    editable: hasRecords,
    deletable: hasRecords,
    viewable: true,
    visible: true,
    visibility: 1,
    status: 'visible',
    show_as_tab: hasRecords,
    sequence_number: catalog.modules.indexOf(module) + 1,
    modified_time: formatTime(modifiedAt(module), org.timeZone),
    modified_by: null,
    profiles: [{ name: profile.name, id: profile.id }],
    profile_count: 1,
    description: null,
    web_link: null,
    parent_module: null,
    arguments: [],
    business_card_field_limit: 0,
    quick_create: false,
    convertable: false,
    global_search_supported: false,
    presence_sub_menu: false,
    triggers_supported: false,
    inventory_template_supported: false,
    isBlueprintSupported: false,
    emailTemplate_support: false,
    email_parser_supported: false,
    filter_supported: false,
    feeds_required: false,
    scoring_supported: false,
    webform_supported: false,
    chart_view: false,
    chart_view_supported: false,
    kanban_view: false,
    kanban_view_supported: false,
    track_current_data: false,
    recycle_bin_on_delete: hasRecords,
    per_page: 200,
    display_field: nameField ?? null,
    search_layout_fields: [name],
    lookup_field_properties: { fields: nameField ? [{ sequence_number: 1, ...nameField }] : [] },
    related_list_properties: { sort_by: null, fields: [name], sort_order: null },
    business_card_fields: [],
    default_mapping_fields: [],
    layouts: [],
    layout_associations: [],
    custom_view: null,
    zia_view: null,
    filter_status: null,
    activity_badge: null,
    $field_states: [],
    $properties: [],
    $on_demand_properties: [],
  };
}

/** Another module as an entry names it. */
export const moduleReference = (org: OrgId, module: Module, version: ApiVersion): string | object =>
  VERSION_RULES[version].namesModules === 'text'
    ? module.apiName
    : { api_name: module.apiName, id: moduleId(org, module), module: module.apiName, module_name: module.plural };

/** One entry of `settings/related_lists`; `position` counts from 1. */
export function relatedListBody(
  org: OrgId,
  module: Module,
  related: Module,
  position: number,
  version: ApiVersion,
): object {
  return {
    id: relatedListId(org, module, related),
    sequence_number: String(position),
    api_name: related.apiName,
    name: related.plural,
    display_label: related.plural,
    module: moduleReference(org, related, version),
    href: `${module.apiName}/{ENTITYID}/${related.apiName}`,
    type: 'default',
    action: null,
    status: 'visible',
    visible: true,
    fields: [],
    sort_by: null,
    sort_order: null,
    customize_display_label: false,
    customize_fields: false,
    customize_sort: false,
  };
}
