import { AppError } from '../domain/error.ts';
import type { JsonObject } from '../domain/json.ts';
import { SORT_FIELDS, SORT_ORDERS } from '../domain/record-list.ts';
import { formatTime } from '../domain/time.ts';
import { VERSION_RULES } from '../domain/wire/api-version.ts';
import type { ListQuery, RecordList, RecordLists } from '../services/record-lists.ts';
import type { Answer, Call } from './call.ts';
import { modifiedSince } from './modified-since.ts';
import { readPaging } from './paging.ts';
import { wireRecords } from './wire/record.ts';
import { readList } from './wire/record-input.ts';

/** Records that `page` reaches; those behind them need a token. */
const MAX_BY_PAGE = 2000;
const MAX_FIELDS = 50;

/** `GET /{module}`. `cvid`, `converted`, `approved`, `territory_id`, `include_child` and the like have no effect. */
export async function listRecords(call: Call, lists: RecordLists): Promise<Answer> {
  const fields = readFields(call);
  const query = readQuery(call);
  const list = await lists.list(call.principal, call.params.module ?? '', query);
  if (list.records.length === 0) return { status: query.since !== undefined && list.page === 1 ? 304 : 204 };
  return {
    status: 200,
    body: { data: wireRecords(list, fields && new Set(fields)), info: listInfo(list, query.perPage, call) },
  };
}

/** The fields that a call names, at most 50; names of no field are left out of the answer. */
export function readFields({ query }: Call): readonly string[] | undefined {
  const fields = readList(query, 'fields');
  if (fields && fields.length > MAX_FIELDS) {
    throw new AppError('LIMIT_EXCEEDED', 'the limit of fields is exceeded', {
      limit: MAX_FIELDS,
      param_name: 'fields',
    });
  }
  return fields;
}

function readQuery(call: Call): ListQuery {
  const { query, version } = call;
  const paging = readPaging(query);
  const ids = readList(query, 'ids');
  const sortBy = readChoice(query, 'sort_by', SORT_FIELDS);
  const order = readChoice(query, 'sort_order', SORT_ORDERS);
  const since = modifiedSince(call);
  const pageToken = VERSION_RULES[version].hasPageTokens ? query.get('page_token') || undefined : undefined;
  if (pageToken !== undefined) refuseBoth(query);
  else if (VERSION_RULES[version].hasPageTokens && paging.page * paging.perPage > MAX_BY_PAGE) {
    throw new AppError(
      'DISCRETE_PAGINATION_LIMIT_EXCEEDED',
      'You can only get the first 2000 records without using page_token param.',
      { limit: MAX_BY_PAGE },
    );
  }
  return {
    ...paging,
    ...(ids && { ids }),
    ...(sortBy && { sortBy }),
    ...(order && { order }),
    ...(since !== undefined && { since }),
    ...(pageToken !== undefined && { pageToken }),
  };
}

/** A token says where the page is, so neither its number nor ids can be given with it. */
function refuseBoth(query: Call['query']): void {
  const other = ['page', 'ids'].find((name) => query.has(name));
  if (other === undefined) return;
  throw new AppError('AMBIGUITY_DURING_PROCESSING', `You cannot use both ${other} and page_token`, {
    ambiguity_due_to: [{ param_name: other }, { param_name: 'page_token' }],
  });
}

export function readChoice<const Choice extends string>(
  query: Call['query'],
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new AppError('INVALID_DATA', 'invalid data', { param_name: name, supported_values: choices });
}

function listInfo(list: RecordList, perPage: number, { version, principal }: Call): JsonObject {
  const counts = { per_page: perPage, count: list.records.length, page: list.page, more_records: list.moreRecords };
  if (!VERSION_RULES[version].hasPageTokens) return counts;
  const { nextToken = null, previousToken = null, tokensExpireAt } = list;
  return {
    per_page: perPage,
    next_page_token: nextToken,
    count: list.records.length,
    sort_by: list.sortBy,
    page: list.page,
    previous_page_token: previousToken,
    page_token_expiry: tokensExpireAt === undefined ? null : formatTime(tokensExpireAt, principal.org.timeZone),
    sort_order: list.order,
    more_records: list.moreRecords,
  };
}
