import type { SchemaFault } from './schema.ts';

/** Something that this server answers otherwise than the OpenAPI files say, on purpose. */
export interface Deviation {
  /** Matches names such as `GET /crm/v8/users`. */
  readonly operations: RegExp;
  readonly reason: string;
}

interface StatusDeviation extends Deviation {
  readonly statuses: readonly number[];
  /** What the answer is held against instead: the responses of other statuses, an error of the whole call, or no body. */
  readonly as: readonly ('200' | '201' | '202' | 'exception' | 'nothing')[];
}

interface SchemaDeviation extends Deviation {
  readonly path: RegExp;
  readonly what: readonly SchemaFault['what'][];
  /** Matches what the fault says, when not every such fault is intended. */
  readonly says?: RegExp;
}

const WATCH = /^\w+ \/crm\/v8\/actions\/watch$/;
const RECORDS = /^\w+ \/crm\/v8\/\{module_api_name\}/;
const EVERYTHING = /^/;

/** The path of one of these keys, which are given with spaces between. */
const keys = (...names: readonly string[]): RegExp => new RegExp(`\\.(?:${names.join(' ').replaceAll(' ', '|')})$`);

export const STATUS_DEVIATIONS: readonly StatusDeviation[] = [
  {
    operations: WATCH,
    statuses: [207, 400],
    as: ['200', '201', '202'],
    reason: 'entries that failed have 400 and 207 in newer sources of v8; the entries themselves are the same',
  },
  {
    operations: RECORDS,
    statuses: [201, 207, 400],
    as: ['200'],
    reason: 'the file writes down every answer under 200; captured answers have statuses of their own',
  },
  {
    operations: /^GET /,
    statuses: [204, 304],
    as: ['nothing'],
    reason: 'that there is nothing, or nothing new, is answered without a body in the pages; few files say so',
  },
  {
    operations: EVERYTHING,
    statuses: [400, 401, 403, 404, 405, 413, 429, 500, 503],
    as: ['exception'],
    reason: 'errors of the whole call, of which the files list few',
  },
];

export const SCHEMA_DEVIATIONS: readonly SchemaDeviation[] = [
  {
    operations: WATCH,
    path: /\.channel_id$/,
    what: ['type'],
    reason: 'the file has an object for whatever is not one type; ids are text in every captured answer',
  },
  {
    operations: WATCH,
    path: /\.notify_url$/,
    what: ['pattern'],
    reason: 'the pattern is that of a sample host; receivers are anywhere',
  },
  {
    operations: WATCH,
    path: /\.notification_condition$/,
    what: ['null', 'missing'],
    reason: 'null in listed channels without a condition, and in no captured answer to a change',
  },
  {
    operations: WATCH,
    path: /\.field_selection(?:\.group\[\d+\])*\.(?:comparator|value|field|group)$/,
    what: ['null', 'missing'],
    reason:
      'the file shares this shape with criteria; the pages show groups without a field and fields without a group',
  },
  {
    operations: WATCH,
    path: /^\$\.details\.param_name$/,
    what: ['missing'],
    reason: 'the missing parameter is named by `param` alone in captured answers',
  },
  {
    operations: WATCH,
    path: /\.code$/,
    what: ['enum'],
    says: /^"(?:AMBIGUITY_DURING_PROCESSING|DUPLICATE_DATA|LIMIT_REACHED)"/,
    reason: 'codes of newer sources',
  },
  {
    operations: /^PATCH .*\/actions\/watch$/,
    path: /\.events\[\d+\]\.channel_expiry$/,
    what: ['missing'],
    reason: 'the pages show what was removed without an expiry',
  },
  {
    operations: /^DELETE .*\/actions\/watch$/,
    path: /\.details\.json_path$/,
    what: ['missing'],
    reason: 'ids stand in the address, where a path into a body names nothing',
  },
  {
    operations: /\/upsert$/,
    path: /\.duplicate_field$/,
    what: ['null'],
    reason: 'null for an added record, as the pages show',
  },
  {
    operations: /\/users\/\{user\}$/,
    path: /^\$\.info$/,
    what: ['missing'],
    reason: 'the file has one shape for lists and for one user, who has no pages',
  },
  {
    operations: /\/users/,
    path: /\.time_zone$/,
    what: ['type'],
    reason: 'the name of a time zone; the file has an object for whatever is not one type',
  },
  {
    operations: /\/users/,
    path: /\.(?:email|first_name|last_name|website)$/,
    what: ['pattern'],
    reason: 'the patterns are those of samples; people have any name and address',
  },
  {
    operations: RECORDS,
    path: /^\$\.info\.(?:next_page_token|previous_page_token|page_token_expiry)$/,
    what: ['null'],
    reason: 'there is no further page; the pages show null',
  },
  {
    operations: /\/actions\/count$/,
    path: /^\$\.count$/,
    what: ['type'],
    reason: 'a number in the pages, and in what the SDKs read',
  },
  {
    operations: RECORDS,
    path: /\.details\.maximum_length$/,
    what: ['type'],
    reason: 'a number in the pages and in the other files',
  },
  {
    operations: /\/deleted$/,
    path: /\.(?:deleted_by|created_by|display_name)$/,
    what: ['null'],
    reason: 'of what is gone for good nothing but its id is kept',
  },
  {
    operations: /\/settings\/(?:fields|modules)/,
    path: /\.common\.(?:picklist|search_supported)$/,
    what: ['missing'],
    reason: 'no key of any answer: names that the file builds of two',
  },
  {
    operations: /\/settings\/modules/,
    path: /\.modules\[\d+\]\.(?:fields|related_lists)$/,
    what: ['missing'],
    reason: 'answered by calls of their own; an empty list would say that there are none',
  },
  {
    operations: /\/settings\/fields/,
    path: keys(
      'length default_value tooltip external associated_module association_details autonumber multiuserlookup',
      'refer_from_field convert_mapping textarea history_tracking sharing_properties crypt hipaa_compliance sub_module',
    ),
    what: ['null'],
    reason: 'there is none; the file refers to an object, and cannot say that it may be null',
  },
  {
    operations: /\/settings\/fields/,
    path: keys('category column_name display_type show_type ui_type quick_sequence_number'),
    what: ['null'],
    reason: 'how the hosted product stores and draws a field',
  },
  {
    operations: /\/settings\/(?:modules|related_lists)/,
    path: keys('modified_by sort_by'),
    what: ['null'],
    reason: 'nobody, and no field; the files refer to an object, and cannot say that it may be null',
  },
  {
    operations: /\/(?:users|users\/\{user\})$/,
    path: keys('role created_by Modified_By Reporting_To'),
    what: ['null'],
    reason: 'what is not kept of a user is null',
  },
  {
    operations: /\/org$/,
    path: keys(
      'country country_code domain_name employee_count website phone primary_email primary_zuid license_details',
      'hierarchy_preferences ezgid zia_zgid call_icon',
    ),
    what: ['null'],
    reason: 'what is not kept of the organisation is null',
  },
];
