import type { FastifyInstance } from 'fastify';
import type { ScopeOperation } from '../../domain/scope.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { RecordLists } from '../../services/record-lists.ts';
import type { FoundRecords, Records, WriteResults } from '../../services/records.ts';
import { type Answer, type Call, type CrmOperation, type CrmRouteContext, resource } from '../call.ts';
import { modifiedSince } from '../modified-since.ts';
import { listRecords, readFields } from '../record-list.ts';
import { wireRecords, wireResults, wireUpserts } from '../wire/record.ts';
import { readCheckFields, readItems, requireList } from '../wire/record-input.ts';

/** Records of every module: `/{module}`, `/{module}/upsert` and `/{module}/{id}`. */
export function recordRoutes(
  app: FastifyInstance,
  context: CrmRouteContext,
  { records, recordLists }: { readonly records: Records; readonly recordLists: RecordLists },
): void {
  resource(app, context, '/:module', {
    GET: allowing(['READ'], (call) => listRecords(call, recordLists)),
    POST: allowing(['CREATE', 'WRITE'], async (call) => {
      const written = await records.create(call.principal, moduleOf(call), readItems(call.body()));
      return answer(call, written, wireResults);
    }),
    PUT: allowing(['UPDATE', 'WRITE'], async (call) => {
      const written = await records.update(call.principal, moduleOf(call), readItems(call.body()));
      return answer(call, written, wireResults);
    }),
    DELETE: allowing(['DELETE'], async (call) => {
      const ids = requireList(call.query, 'ids', call.version);
      return answer(call, await records.remove(call.principal, moduleOf(call), ids), wireResults);
    }),
  });

  resource(app, context, '/:module/upsert', {
    POST: allowing(['CREATE', 'WRITE'], async (call) => {
      const body = call.body();
      const written = await records.upsert(call.principal, moduleOf(call), readItems(body), readCheckFields(body));
      return answer(call, written, wireUpserts);
    }),
  });

  resource(app, context, '/:module/:id', {
    GET: allowing(['READ'], async (call) =>
      found(call, await records.find(call.principal, moduleOf(call), call.params.id ?? '')),
    ),
    PUT: allowing(['UPDATE', 'WRITE'], async (call) => {
      const items = readItems(call.body());
      return answer(call, await records.update(call.principal, moduleOf(call), items, call.params.id), wireResults);
    }),
    DELETE: allowing(['DELETE'], async (call) =>
      answer(call, await records.remove(call.principal, moduleOf(call), [call.params.id ?? '']), wireResults),
    ),
  });
}

/** An operation that any of these scopes on the module allows (reference §6.4). */
const allowing = (operations: readonly ScopeOperation[], handle: CrmOperation['handle']): CrmOperation => ({
  scope: (call) => ({ family: 'modules', part: moduleOf(call), operations }),
  handle,
});

const moduleOf = (call: Call): string => call.params.module ?? '';

function found(call: Call, one: FoundRecords): Answer {
  const [record] = one.records;
  if (!record) return { status: 204 };
  const since = modifiedSince(call);
  if (since !== undefined && record.modifiedAt <= since) return { status: 304 };
  const fields = readFields(call);
  return { status: 200, body: { data: wireRecords(one, fields && new Set(fields)) } };
}

function answer(
  { principal, version }: Call,
  written: WriteResults,
  wire: (written: WriteResults, timeZone: string) => object[],
): Answer {
  return {
    status: statusOf(written, VERSION_RULES[version].mixedStatus),
    body: { data: wire(written, principal.org.timeZone) },
  };
}

/** 201 when all were inserted, 400 when none was written; between the two it depends on the version (reference §7.2). */
function statusOf({ results }: WriteResults, mixedStatus: number): number {
  const written = results.flatMap((result) => (result.ok ? [result.value] : []));
  if (written.length === 0) return 400;
  if (written.length < results.length) return mixedStatus;
  return written.every(({ operation }) => operation === 'insert') ? 201 : 200;
}
