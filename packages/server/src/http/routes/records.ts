import type { FastifyInstance } from 'fastify';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { RecordLists } from '../../services/record-lists.ts';
import type { FoundRecords, Records, WriteOptions } from '../../services/records.ts';
import { type Answer, type Call, type CrmRouteContext, resource } from '../call.ts';
import { modifiedSince } from '../modified-since.ts';
import { allowing, answer, moduleOf } from '../record-answer.ts';
import { listRecords, readFields } from '../record-list.ts';
import { wireRecords, wireResults, wireUpserts } from '../wire/record.ts';
import { externalField, readCheckFields, readItems, requireList } from '../wire/record-input.ts';

/** Records of every module: `/{module}`, `/{module}/upsert` and `/{module}/{id}`. */
export function recordRoutes(
  app: FastifyInstance,
  context: CrmRouteContext,
  { records, recordLists }: { readonly records: Records; readonly recordLists: RecordLists },
): void {
  resource(app, context, '/:module', {
    GET: allowing(['READ'], (call) => listRecords(call, recordLists)),
    POST: allowing(['CREATE', 'WRITE'], async (call) => {
      const written = await records.create(call.principal, moduleOf(call), readItems(call.body()), writeOptions(call));
      return answer(call, written, wireResults);
    }),
    PUT: allowing(['UPDATE', 'WRITE'], async (call) => {
      const items = readItems(call.body());
      const written = await records.update(call.principal, moduleOf(call), items, undefined, writeOptions(call));
      return answer(call, written, wireResults);
    }),
    DELETE: allowing(['DELETE'], async (call) => {
      const ids = requireList(call.query, 'ids', call.version);
      return answer(call, await records.remove(call.principal, moduleOf(call), ids, writeOptions(call)), wireResults);
    }),
  });

  resource(app, context, '/:module/upsert', {
    POST: allowing(['CREATE', 'WRITE'], async (call) => {
      const body = call.body();
      const { principal } = call;
      const compared = readCheckFields(body);
      const written = await records.upsert(principal, moduleOf(call), readItems(body), compared, writeOptions(call));
      return answer(call, written, wireUpserts);
    }),
  });

  resource(app, context, '/:module/:id', {
    GET: allowing(['READ'], async (call) =>
      found(call, await records.find(call.principal, moduleOf(call), call.params.id ?? '', writeOptions(call))),
    ),
    PUT: allowing(['UPDATE', 'WRITE'], async (call) => {
      const items = readItems(call.body());
      const { principal, params } = call;
      return answer(
        call,
        await records.update(principal, moduleOf(call), items, params.id, writeOptions(call)),
        wireResults,
      );
    }),
    DELETE: allowing(['DELETE'], async (call) =>
      answer(
        call,
        await records.remove(call.principal, moduleOf(call), [call.params.id ?? ''], writeOptions(call)),
        wireResults,
      ),
    ),
  });
}

const writeOptions = (call: Call): WriteOptions => ({
  external: externalField(call, moduleOf(call)),
  replacesRows: VERSION_RULES[call.version].replacesRows,
});

function found(call: Call, one: FoundRecords): Answer {
  const [record] = one.records;
  if (!record) return { status: 204 };
  const since = modifiedSince(call);
  if (since !== undefined && record.modifiedAt <= since) return { status: 304 };
  const fields = readFields(call);
  return { status: 200, body: { data: wireRecords(one, fields && new Set(fields)) } };
}
