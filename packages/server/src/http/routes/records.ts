import type { FastifyInstance } from 'fastify';
import type { ScopeOperation } from '../../domain/scope.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { FoundRecords, Records, WriteResults } from '../../services/records.ts';
import { type Answer, type Call, type CrmOperation, type CrmRouteContext, resource } from '../call.ts';
import { type Paging, readPaging } from '../paging.ts';
import { wireInfo, wireRecords, wireResults, wireUpserts } from '../wire/record.ts';
import { readCheckFields, readItems, readList, requireList } from '../wire/record-input.ts';

const NOTHING: Answer = { status: 204 };

/** Records of every module: `/{module}`, `/{module}/upsert` and `/{module}/{id}`. */
export function recordRoutes(app: FastifyInstance, context: CrmRouteContext, { records }: { records: Records }): void {
  resource(app, context, '/:module', {
    GET: allowing(['READ'], async (call) => {
      const ids = readList(call.query, 'ids');
      const paging = readPaging(call.query);
      return listed(
        call,
        await records.list(call.principal, moduleOf(call), { ...paging, ...(ids && { ids }) }),
        paging,
      );
    }),
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
      listed(call, await records.find(call.principal, moduleOf(call), call.params.id ?? '')),
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

function listed(call: Call, found: FoundRecords, paging?: Paging): Answer {
  if (found.records.length === 0) return NOTHING;
  const fields = readList(call.query, 'fields');
  const data = wireRecords(found, fields && new Set(fields));
  return { status: 200, body: { data, ...(paging && { info: wireInfo(found, paging) }) } };
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
