import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/error.ts';
import type { RecordId } from '../../domain/ids.ts';
import { SORT_ORDERS } from '../../domain/record-list.ts';
import type { Result } from '../../domain/records/result.ts';
import type { ScopeNeed, ScopeOperation } from '../../domain/scope.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { FoundDeleted, RecycleBin } from '../../services/recycle-bin.ts';
import { type Answer, type Call, type CrmRouteContext, resource } from '../call.ts';
import { modifiedSince } from '../modified-since.ts';
import { type Paging, readPaging } from '../paging.ts';
import { allowing, moduleOf } from '../record-answer.ts';
import { readChoice } from '../record-list.ts';
import { wireBin, wireBinResults, wireDeleted, wireDeletedInfo } from '../wire/deleted.ts';
import { readList, requireList } from '../wire/record-input.ts';

const TYPES = ['all', 'recycle', 'permanent'] as const;
/** Deleted records that pages reach; those behind them are found by `If-Modified-Since`. */
const MAX_BY_PAGE = 100_000;
const RESTORED = 'record restored';
const REMOVED = 'record deleted';

interface DeletedRouteParts {
  readonly recycleBin: RecycleBin;
}

/** `/{module}/deleted`, and the bin of all modules: `settings/recycle_bin`. */
export function deletedRoutes(app: FastifyInstance, context: CrmRouteContext, { recycleBin }: DeletedRouteParts): void {
  resource(app, context, '/:module/deleted', {
    GET: allowing(['READ'], (call) => listDeleted(call, recycleBin)),
  });

  resource(app, context, '/settings/recycle_bin', {
    GET: { scope: onBin('READ'), handle: (call) => listBin(call, recycleBin) },
    DELETE: {
      scope: onBin('DELETE'),
      async handle(call) {
        refuseFilters(call);
        const ids = requireList(call.query, 'ids', call.version);
        return decided(call, await recycleBin.remove(call.principal, ids), REMOVED);
      },
    },
  });

  resource(app, context, '/settings/recycle_bin/:id', {
    GET: {
      scope: onBin('READ'),
      async handle(call) {
        const found = await recycleBin.find(call.principal, [idOf(call)]);
        return binAnswer(call, found);
      },
    },
    DELETE: {
      scope: onBin('DELETE'),
      handle: async (call) => decided(call, await recycleBin.remove(call.principal, [idOf(call)]), REMOVED),
    },
  });

  resource(app, context, '/settings/recycle_bin/actions/count', {
    GET: {
      scope: onBin('READ'),
      handle: async ({ principal }) => ({ status: 200, body: { count: await recycleBin.count(principal) } }),
    },
  });

  resource(app, context, '/settings/recycle_bin/actions/restore', {
    POST: {
      scope: onBin('UPDATE'),
      handle: async (call) => decided(call, await recycleBin.restore(call.principal, readIds(call)), RESTORED),
    },
  });

  resource(app, context, '/settings/recycle_bin/:id/actions/restore', {
    POST: {
      scope: onBin('UPDATE'),
      handle: async (call) => decided(call, await recycleBin.restore(call.principal, [idOf(call)]), RESTORED),
    },
  });
}

const onBin = (operation: ScopeOperation) => (): ScopeNeed => ({
  family: 'settings',
  part: 'recycle_bin',
  operations: operation === 'UPDATE' ? ['UPDATE', 'WRITE'] : [operation],
});

const idOf = ({ params }: Call): string => params.id ?? '';

async function listDeleted(call: Call, recycleBin: RecycleBin): Promise<Answer> {
  const paging = readNearPaging(call);
  const since = modifiedSince(call);
  const found = await recycleBin.listDeleted(call.principal, moduleOf(call), {
    ...paging,
    type: readType(call),
    ...(since !== undefined && { since }),
  });
  if (found.records.length === 0) return { status: since !== undefined && paging.page === 1 ? 304 : 204 };
  return {
    status: 200,
    body: { data: wireDeleted(found, call.principal.org), info: wireDeletedInfo(found, paging) },
  };
}

/** Pages of deleted records are reached by counting from the first, so not however far. */
function readNearPaging({ query }: Call): Paging {
  const paging = readPaging(query);
  if (paging.page * paging.perPage <= MAX_BY_PAGE) return paging;
  const range = { from: 1, to: Math.floor(MAX_BY_PAGE / paging.perPage) };
  throw new AppError('INVALID_DATA', 'invalid data', { api_name: 'page', range });
}

function readType({ query }: Call): (typeof TYPES)[number] {
  const text = query.get('type') || 'all';
  const type = TYPES.find((known) => known === text);
  if (type) return type;
  throw new AppError('PATTERN_NOT_MATCHED', 'Please check whether the input values are correct', {
    param_name: 'type',
    supported_values: TYPES,
  });
}

async function listBin(call: Call, recycleBin: RecycleBin): Promise<Answer> {
  refuseFilters(call);
  const paging = readNearPaging(call);
  readChoice(call.query, 'sort_by', ['deleted_time']);
  const order = readChoice(call.query, 'sort_order', SORT_ORDERS) ?? 'desc';
  const ids = readList(call.query, 'ids');
  if (ids) return binAnswer(call, await recycleBin.find(call.principal, ids));
  const found = await recycleBin.list(call.principal, { ...paging, order });
  return binAnswer(call, found, { info: wireDeletedInfo(found, paging) });
}

const binAnswer = ({ principal }: Call, found: FoundDeleted, more: object = {}): Answer =>
  found.records.length === 0
    ? { status: 204 }
    : { status: 200, body: { recycle_bin: wireBin(found, principal.org), ...more } };

function decided({ version }: Call, results: readonly Result<RecordId>[], message: string): Answer {
  const failed = results.filter(({ ok }) => !ok).length;
  const status = failed === 0 ? 200 : failed === results.length ? 400 : VERSION_RULES[version].mixedStatus;
  return { status, body: { recycle_bin: wireBinResults(results, message) } };
}

/** Records are named by their ids only. */
function refuseFilters({ query }: Call): void {
  if (!query.has('filters')) return;
  throw new AppError('INVALID_DATA', 'filters are not supported: name the records by ids', { param_name: 'filters' });
}

function readIds(call: Call): readonly string[] {
  const { ids, ...others } = call.body();
  const other = ['filters', 'restore_all_records'].find((name) => name in others);
  if (other !== undefined) {
    throw new AppError('INVALID_DATA', `${other} is not supported: name the records by ids`, at(other));
  }
  if (ids === undefined || ids === null) {
    throw new AppError('EXPECTED_FIELD_MISSING', 'One of the expected fields is missing', {
      expected_fields: [at('ids')],
    });
  }
  const isList = Array.isArray(ids) && ids.length > 0;
  if (!isList) throw new AppError('INVALID_DATA', 'invalid data', { expected_data_type: 'jsonarray', ...at('ids') });
  return ids.map((id, i) => {
    // As a number, too, like every id of a record; lossless, see `parseJson`.
    if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint') return String(id);
    throw new AppError('INVALID_DATA', 'invalid data', { expected_data_type: 'string', ...at(`ids[${i}]`) });
  });
}

const at = (name: string) => ({ api_name: name.replace(/\[.*/, ''), json_path: `$.${name}` });
