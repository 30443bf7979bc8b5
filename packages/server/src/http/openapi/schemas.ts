import type { JsonSchema } from './shapes.ts';

const text = { type: 'string' } as const;
const textOrNull = { type: ['string', 'null'] } as const;
const flag = { type: 'boolean' } as const;
const integer = { type: 'integer' } as const;
const id = { type: 'string', pattern: '^[0-9]+$' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

const object = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});

const under = (key: string, items: JsonSchema, more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema =>
  object({ [key]: listOf(items), ...more }, [key]);

/** Bodies of requests and answers, by name. Objects of the API may have further keys. */
export const SCHEMAS = {
  Error: object(
    { code: text, details: { type: 'object' }, message: text, status: { type: 'string', const: 'error' } },
    ['code', 'details', 'message', 'status'],
  ),
  Result: object(
    {
      code: { type: 'string', description: '`SUCCESS`, or that of an error' },
      details: { type: 'object' },
      message: text,
      status: { type: 'string', enum: ['success', 'error'] },
    },
    ['code', 'details', 'message', 'status'],
  ),
  Info: object({ page: integer, per_page: integer, count: integer, more_records: flag }),
  ListInfo: object({
    page: integer,
    per_page: integer,
    count: integer,
    more_records: flag,
    sort_by: text,
    sort_order: text,
    next_page_token: textOrNull,
    previous_page_token: textOrNull,
    page_token_expiry: textOrNull,
  }),
  Reference: object({ id, name: textOrNull }, ['id']),
  ConditionGroup: object({
    field: object({ api_name: text, id }),
    group_operator: { type: 'string', enum: ['and', 'or'] },
    group: { type: 'array', maxItems: 2, items: ref('ConditionGroup') },
  }),
  Condition: object(
    {
      type: { type: 'string', const: 'field_selection' },
      module: object({ api_name: text, id }),
      field_selection: ref('ConditionGroup'),
    },
    ['type', 'module', 'field_selection'],
  ),
  Channel: object(
    {
      channel_id: { type: ['string', 'integer'], description: 'A signed 64-bit integer that you choose' },
      notify_url: { type: 'string', maxLength: 2048, description: 'Receives a POST for each change' },
      events: {
        ...listOf({ type: 'string', examples: ['Contacts.all', 'Deals.create', 'Leads.edit', 'Leads.delete'] }),
        minItems: 1,
        maxItems: 100,
      },
      token: { type: ['string', 'null'], maxLength: 50, description: 'Sent back in every notification' },
      channel_expiry: { type: ['string', 'null'], description: 'ISO 8601 without fractions; one hour when absent' },
      notify_on_related_action: { type: ['boolean', 'null'] },
      return_affected_field_values: { type: ['boolean', 'null'], description: 'v3 and later' },
      fields: { type: ['array', 'null'], items: text, maxItems: 10, description: 'v6 and later' },
      notification_condition: { type: ['array', 'null'], items: ref('Condition'), description: 'v6 and later' },
      _delete_events: { type: 'boolean', description: 'PATCH only: take the events away' },
    },
    ['channel_id'],
  ),
  Watch: under('watch', ref('Channel')),
  WatchResults: under('watch', ref('Result')),
  WatchList: under(
    'watch',
    object({
      channel_id: text,
      channel_expiry: time,
      notify_url: text,
      events: listOf(text),
      token: textOrNull,
      resource_name: text,
      resource_id: id,
      resource_uri: text,
      notify_on_related_action: flag,
      return_affected_field_values: flag,
      fields: { type: 'null' },
      notification_condition: { type: ['array', 'null'], items: ref('Condition') },
    }),
    { info: ref('Info') },
  ),
  Record: {
    ...object({ id }),
    description: 'Keys are API names of fields',
    additionalProperties: true,
  },
  Records: under('data', ref('Record')),
  RecordList: under('data', ref('Record'), { info: ref('ListInfo') }),
  RecordPage: under('data', ref('Record'), { info: ref('Info') }),
  Upsert: under('data', ref('Record'), { duplicate_check_fields: listOf(text) }),
  Results: under('data', ref('Result')),
  Count: object({ count: { type: ['integer', 'string'] } }, ['count']),
  DeletedList: under(
    'data',
    object({
      id,
      display_name: textOrNull,
      type: { type: 'string', enum: ['recycle', 'permanent'] },
      deleted_by: { type: ['object', 'null'] },
      created_by: { type: ['object', 'null'] },
      deleted_time: time,
    }),
    { info: ref('Info') },
  ),
  BinList: under(
    'recycle_bin',
    object({
      id,
      module: object({ api_name: text, id }),
      owner: { type: ['object', 'null'] },
      deleted_by: { type: ['object', 'null'] },
      display_name: textOrNull,
      deleted_time: time,
    }),
    { info: ref('Info') },
  ),
  BinResults: under('recycle_bin', ref('Result')),
  Ids: object({ ids: listOf(id) }, ['ids']),
  ChangeOwner: object(
    {
      owner: object({ id }, ['id']),
      ids: { ...listOf(id), description: 'Needed without an id in the path' },
      notify: { type: 'boolean', description: 'Taken, and without effect' },
      related_modules: listOf(object({ api_name: text })),
    },
    ['owner'],
  ),
  MassUpdate: object({ data: { ...listOf(ref('Record')), maxItems: 1 }, ids: listOf(id), over_write: flag }, [
    'data',
    'ids',
  ]),
  JobStatus: under(
    'data',
    object({
      Total_Count: integer,
      Updated_Count: integer,
      Not_Updated_Count: integer,
      Deleted_Count: integer,
      Failed_Count: integer,
      Status: text,
    }),
  ),
  Tag: object({ id, name: { type: 'string', maxLength: 25 }, color_code: { type: ['string', 'null'] } }, ['name']),
  Tags: { ...under('tags', ref('Tag')), description: '1 to 50 tags' },
  TagList: under('tags', ref('Tag'), { info: object({ count: integer, allowed_count: integer }) }),
  TagResults: under('tags', ref('Result')),
  Tagging: object({ tags: listOf(ref('Tag')), ids: listOf(id), over_write: flag }, ['tags']),
  TaggedRecords: under('data', ref('Result'), { success_count: text, locked_count: text, wf_scheduler: text }),
  Modules: under('modules', object({ id, api_name: text, plural_label: text, singular_label: text })),
  Fields: under('fields', object({ id, api_name: text, field_label: text, data_type: text, json_type: text })),
  RelatedLists: under('related_lists', object({ id, api_name: text, display_label: text, href: text })),
  Org: under('org', object({ id, zgid: text, company_name: text, time_zone: text })),
  Users: under('users', object({ id, email: text, full_name: text, status: text, profile: ref('Reference') }), {
    info: ref('Info'),
  }),
  TokenForm: object(
    {
      grant_type: { type: 'string', enum: ['authorization_code', 'refresh_token', 'client_credentials'] },
      client_id: text,
      client_secret: text,
      code: { type: 'string', description: 'For `authorization_code`' },
      redirect_uri: { type: 'string', description: 'For `authorization_code`, when the code was asked for with one' },
      refresh_token: { type: 'string', description: 'For `refresh_token`' },
      scope: { type: 'string', description: 'For `client_credentials`' },
      soid: { type: 'string', description: 'For `client_credentials`: `ZohoCRM.` and the organisation' },
    },
    ['grant_type', 'client_id', 'client_secret'],
  ),
  Token: {
    ...object({
      access_token: text,
      refresh_token: text,
      scope: text,
      api_domain: text,
      token_type: text,
      expires_in: { type: 'integer', description: 'Seconds' },
      error: { type: 'string', description: 'Of a refusal, which has status 200, too' },
      error_description: text,
    }),
    description: 'Tokens, or `error`',
  },
  RevokeForm: object({ token: text }, ['token']),
  Revoked: object({ status: text, error: text }),
  ConsentForm: object({ csrf: text, decision: { type: 'string', enum: ['allow', 'deny'] }, key: text }, ['csrf']),
  Status: object({ status: text, reason: text }, ['status']),
  Message: { description: 'What a receiver is sent', type: 'object', additionalProperties: true },
  Text: text,
  Document: { type: 'object', description: 'OpenAPI 3.1' },
} as const satisfies Readonly<Record<string, JsonSchema>>;
