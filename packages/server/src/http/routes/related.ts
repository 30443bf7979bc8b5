import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/error.ts';
import type { ScopeOperation } from '../../domain/scope.ts';
import type { FoundRecords } from '../../services/records.ts';
import type { Place, Related } from '../../services/related.ts';
import { type Answer, type Call, type CrmOperation, type CrmRouteContext, resource } from '../call.ts';
import { modifiedSince } from '../modified-since.ts';
import { readPaging } from '../paging.ts';
import { answer, moduleOf } from '../record-answer.ts';
import { readFields } from '../record-list.ts';
import { wireInfo, wireLinks, wireRecords, wireResults } from '../wire/record.ts';
import { externalField, readItems, requireList } from '../wire/record-input.ts';

/** `/{module}/{id}/{related}` and `/{module}/{id}/{related}/{id}`: the records that point at one. */
export function relatedRoutes(
  app: FastifyInstance,
  context: CrmRouteContext,
  { related }: { readonly related: Related },
): void {
  const wireOf = (call: Call, message: 'relation added' | 'relation removed') =>
    call.params.related === 'Notes' ? wireResults : wireLinks(message);

  resource(app, context, '/:module/:id/:related', {
    GET: within(['READ'], async (call) => {
      const paging = readPaging(call.query);
      const found = await related.list(call.principal, placeOf(call), { ...paging, ...readSort(call.query) });
      return listed(call, found, (list) => ({ info: wireInfo(list, paging) }));
    }),
    POST: within(['CREATE', 'WRITE'], async (call) =>
      answer(call, await related.create(call.principal, placeOf(call), readItems(call.body())), wireResults),
    ),
    PUT: within(['UPDATE', 'WRITE'], async (call) => {
      const written = await related.link(call.principal, placeOf(call), readItems(call.body()));
      return answer(call, written, wireOf(call, 'relation added'));
    }),
    DELETE: within(['DELETE'], async (call) => {
      const ids = requireList(call.query, 'ids', call.version);
      return answer(call, await related.unlink(call.principal, placeOf(call), ids), wireOf(call, 'relation removed'));
    }),
  });

  resource(app, context, '/:module/:id/:related/:relatedId', {
    GET: within(['READ'], async (call) => {
      const found = await related.find(call.principal, placeOf(call), call.params.relatedId ?? '');
      return listed(call, found, () => ({}));
    }),
    PUT: within(['UPDATE', 'WRITE'], async (call) => {
      const { principal, params } = call;
      const written = await related.link(principal, placeOf(call), readItems(call.body()), params.relatedId);
      return answer(call, written, wireOf(call, 'relation added'));
    }),
    DELETE: within(['DELETE'], async (call) => {
      const written = await related.unlink(call.principal, placeOf(call), [call.params.relatedId ?? '']);
      return answer(call, written, wireOf(call, 'relation removed'));
    }),
  });
}

/** What is read or written are records of the related module: its scope is asked for. */
const within = (operations: readonly ScopeOperation[], handle: CrmOperation['handle']): CrmOperation => ({
  scope: (call) => {
    moduleOf(call);
    return { family: 'modules', part: call.params.related ?? '', operations };
  },
  handle,
});

function placeOf(call: Call): Place {
  const { module = '', id = '', related = '' } = call.params;
  const named = (of: string): string | undefined =>
    call.external?.split(',').some((part) => part.trim().startsWith(`${of}.`)) ? externalField(call, of) : undefined;
  return { module, id, related, external: named(module), relatedExternal: named(related) };
}

const SORTS = { id: 'created', Created_Time: 'created', Modified_Time: 'modified' } as const;

function readSort(query: ReadonlyMap<string, string>): { sortBy: 'created' | 'modified'; ascending: boolean } {
  const by = query.get('sort_by') || 'id';
  const order = query.get('sort_order') || 'desc';
  if (by !== 'id' && by !== 'Created_Time' && by !== 'Modified_Time') {
    throw new AppError('INVALID_DATA', 'invalid data', { supported_values: Object.keys(SORTS), api_name: 'sort_by' });
  }
  if (order !== 'asc' && order !== 'desc') {
    throw new AppError('INVALID_DATA', 'invalid data', { supported_values: ['asc', 'desc'], api_name: 'sort_order' });
  }
  return { sortBy: SORTS[by], ascending: order === 'asc' };
}

function listed(call: Call, found: FoundRecords, info: (found: FoundRecords) => object): Answer {
  if (found.records.length === 0) return { status: 204 };
  const since = modifiedSince(call);
  const records = since === undefined ? found.records : found.records.filter(({ modifiedAt }) => modifiedAt > since);
  if (records.length === 0) return { status: 304 };
  const fields = readFields(call);
  const shown = { ...found, records };
  return { status: 200, body: { data: wireRecords(shown, fields && new Set(fields)), ...info(shown) } };
}
