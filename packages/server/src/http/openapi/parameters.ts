import type { Parameter } from './shapes.ts';

const text = { type: 'string' } as const;
const id = { type: 'string', pattern: '^[0-9]+$' } as const;

/** Of the path, under its name with `path ` before it; the others under their own names. */
export const PARAMETERS = {
  version: {
    in: 'path',
    name: 'version',
    required: true,
    description: 'Version of the API. Defaults, limits and the shape of answers are those of the version called',
    schema: text,
  },
  'path module': {
    in: 'path',
    name: 'module',
    required: true,
    description: 'API name of a module, such as `Contacts`',
    schema: text,
  },
  'path id': { in: 'path', name: 'id', required: true, description: 'Id of the entry', schema: id },
  'path related': {
    in: 'path',
    name: 'related',
    required: true,
    description: 'API name of a related list, such as `Notes`',
    schema: text,
  },
  'path relatedId': {
    in: 'path',
    name: 'relatedId',
    required: true,
    description: 'Id of the related record',
    schema: id,
  },
  'path name': {
    in: 'path',
    name: 'name',
    required: true,
    description: 'Any name that you choose',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._~-]{1,64}$' },
  },
  page: { in: 'query', name: 'page', description: 'From 1', schema: { type: 'integer', minimum: 1, default: 1 } },
  per_page: {
    in: 'query',
    name: 'per_page',
    description: 'Entries a page',
    schema: { type: 'integer', minimum: 1, maximum: 200, default: 200 },
  },
  page_token: {
    in: 'query',
    name: 'page_token',
    description: '`info.next_page_token` of the page before (v3 and later); leads beyond the first 2000 records',
    schema: text,
  },
  fields: {
    in: 'query',
    name: 'fields',
    description: 'API names of at most 50 fields, with commas between; all fields when absent',
    schema: text,
  },
  ids: { in: 'query', name: 'ids', description: 'Up to 100 ids with commas between', schema: text },
  sort_by: {
    in: 'query',
    name: 'sort_by',
    description: 'What the list is sorted by',
    schema: { type: 'string', enum: ['id', 'Created_Time', 'Modified_Time'], default: 'id' },
  },
  sort_order: {
    in: 'query',
    name: 'sort_order',
    description: 'Descending when absent',
    schema: { type: 'string', enum: ['asc', 'desc'], default: 'desc' },
  },
  criteria: {
    in: 'query',
    name: 'criteria',
    description: 'Conditions such as `((Last_Name:equals:Boyle)and(City:starts_with:Che))`',
    schema: text,
  },
  email: { in: 'query', name: 'email', description: 'Text of an e-mail field', schema: text },
  phone: { in: 'query', name: 'phone', description: 'Text of a phone field', schema: text },
  word: { in: 'query', name: 'word', description: 'A word of any text field', schema: text },
  deletedType: {
    in: 'query',
    name: 'type',
    description: 'Those in the recycle bin, those gone for good, or both',
    schema: { type: 'string', enum: ['all', 'recycle', 'permanent'], default: 'all' },
  },
  usersType: {
    in: 'query',
    name: 'type',
    description: 'Which users; `CurrentUser` is the caller',
    schema: {
      type: 'string',
      enum: [
        'AllUsers',
        'ActiveUsers',
        'DeactiveUsers',
        'ConfirmedUsers',
        'NotConfirmedUsers',
        'DeletedUsers',
        'ActiveConfirmedUsers',
        'CurrentUser',
      ],
      default: 'AllUsers',
    },
  },
  module: { in: 'query', name: 'module', description: 'API name of a module', schema: text },
  job_id: { in: 'query', name: 'job_id', description: 'Id of the job, as its start answered it', schema: id },
  tag_names: {
    in: 'query',
    name: 'tag_names',
    description: 'Names with commas between, instead of a body',
    schema: text,
  },
  channel_id: { in: 'query', name: 'channel_id', description: 'Only this channel', schema: id },
  channel_ids: {
    in: 'query',
    name: 'channel_ids',
    description: 'Up to 100 ids of channels, with commas between',
    schema: text,
  },
  'if-modified-since': {
    in: 'header',
    name: 'If-Modified-Since',
    description: 'ISO 8601 or an HTTP date; only what was changed after it, else 304',
    schema: text,
  },
  'x-external': {
    in: 'header',
    name: 'X-EXTERNAL',
    description: 'Fields whose values stand for ids, such as `Leads.External_Id`',
    schema: text,
  },
  'idempotency-key': {
    in: 'header',
    name: 'Idempotency-Key',
    description: 'The same key with the same request within 24 hours is answered as the first time, and writes nothing',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  },
} as const satisfies Readonly<Record<string, Parameter>>;
