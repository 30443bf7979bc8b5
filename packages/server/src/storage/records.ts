import type { OrgId, RecordId, UserId } from '../domain/ids.ts';
import { objectText } from '../domain/json-text.ts';
import { type KeyRef, type RecordRef, recordKey, type StoredRecord, type Values } from '../domain/record.ts';
import type { RemovedRecord, WriteSet } from '../domain/working-set.ts';
import {
  changeRows,
  type Db,
  insertRows,
  list,
  openPlan,
  type Row,
  rowsOf,
  type Statement,
  sql,
  type Write,
} from './db.ts';
import { groupBy } from './group.ts';
import { integer, jsonObject, text } from './rows.ts';
import type { RecordReads } from './store.ts';

/** Most records that are loaded for one value of a duplicate-check field, oldest first. */
const MAX_HOLDERS = 100;
/** Above every id, which are digits. */
const ABOVE_ALL = ':';

/** Of a record `r`, as `readRecord` reads them. */
export const RECORD_COLUMNS = sql`r.module, r.id, r.field_values, r.created_at, r.created_by, r.modified_at, r.modified_by`;

export function selectRecords(org: OrgId, refs: readonly RecordRef[]): Statement[] {
  return groupBy(refs, ({ module }) => module).map(
    ([module, group]) => sql`
      SELECT ${RECORD_COLUMNS} FROM record r
      WHERE r.org_id = ${org} AND r.module = ${module} AND r.id IN ${list(group.map(({ id }) => id))}`,
  );
}

/** Rows of `module, id`: those of the records that are there. */
export const selectPresent = (org: OrgId, refs: readonly RecordRef[]): Statement[] =>
  groupBy(refs, ({ module }) => module).map(
    ([module, group]) => sql`
      SELECT r.module, r.id FROM record r
      WHERE r.org_id = ${org} AND r.module = ${module} AND r.id IN ${list(group.map(({ id }) => id))}`,
  );

/** Rows of `module, field, value, record_id`, and the records they lead to. */
export function selectKeys(org: OrgId, keys: readonly KeyRef[]): { holders: Statement; records: Statement }[] {
  return groupBy(keys, ({ module, field }) => `${module}/${field}`).flatMap(([, [first, ...others]]) => {
    if (!first) return [];
    const { module, field } = first;
    const values = list(new Set([first, ...others].map(({ value }) => value)));
    // However many hold a value, no more than these are looked at: this stands in the way of every write.
    const holders = sql`
      SELECT k.module, k.field, k.value, k.record_id
      FROM ${values} wanted CROSS JOIN record_key k
      WHERE k.org_id = ${org} AND k.module = ${module} AND k.field = ${field} AND k.value = wanted.value
        AND k.record_id <= COALESCE((
          SELECT n.record_id FROM record_key n
          WHERE n.org_id = ${org} AND n.module = ${module} AND n.field = ${field} AND n.value = wanted.value
          ORDER BY n.record_id LIMIT 1 OFFSET ${MAX_HOLDERS - 1}), ${ABOVE_ALL})`;
    return [
      {
        holders,
        records: sql`
          SELECT ${RECORD_COLUMNS} FROM record r
          WHERE r.org_id = ${org} AND r.module = ${module} AND r.id IN (SELECT record_id FROM (${holders}) keyed)`,
      },
    ];
  });
}

export const readKey = (row: Row): KeyRef & { id: RecordId } => ({
  module: text(row, 'module'),
  field: text(row, 'field'),
  value: text(row, 'value'),
  id: text<RecordId>(row, 'record_id'),
});

export const readRecord = (row: Row): StoredRecord => ({
  module: text(row, 'module'),
  id: text<RecordId>(row, 'id'),
  values: jsonObject<Values>(row, 'field_values'),
  createdAt: integer(row, 'created_at'),
  createdBy: text<UserId>(row, 'created_by'),
  modifiedAt: integer(row, 'modified_at'),
  modifiedBy: text<UserId>(row, 'modified_by'),
});

/** `loaded`: those that are there already, among others that are not written. */
export function saveRecords(
  org: OrgId,
  records: WriteSet['records'],
  loaded: ReadonlyMap<string, StoredRecord> = new Map(),
): Write[] {
  const kept: StoredRecord[] = [];
  const changed: StoredRecord[] = [];
  const removed: RemovedRecord[] = [];
  for (const [key, record] of records) {
    if ('removed' in record) removed.push(record);
    else if (loaded.has(key)) changed.push(record);
    else kept.push(record);
  }
  return [
    insertRows(
      'record (org_id, module, id, field_values, created_at, created_by, modified_at, modified_by)',
      rowsOf(kept, (record) => [
        org,
        record.module,
        record.id,
        objectText(record.values),
        record.createdAt,
        record.createdBy,
        record.modifiedAt,
        record.modifiedBy,
      ]),
      `ON CONFLICT (org_id, module, id) DO UPDATE SET field_values = excluded.field_values,
        modified_at = excluded.modified_at, modified_by = excluded.modified_by`,
    ),
    // An insert that finds it there locks it first, and writes that down, too.
    changeRows(
      changed,
      ({ module, id, values, modifiedAt, modifiedBy }) => sql`
        UPDATE record SET field_values = ${objectText(values)}, modified_at = ${modifiedAt}, modified_by = ${modifiedBy}
        WHERE org_id = ${org} AND module = ${module} AND id = ${id}`,
    ),
    changeRows(
      removed,
      ({ module, id }) => sql`DELETE FROM record WHERE org_id = ${org} AND module = ${module} AND id = ${id}`,
    ),
  ];
}

export function saveKeys(org: OrgId, { keysRemoved, keysAdded }: Pick<WriteSet, 'keysRemoved' | 'keysAdded'>): Write[] {
  return [
    changeRows(
      keysRemoved.values(),
      ({ module, field, value, id }) => sql`
        DELETE FROM record_key
        WHERE org_id = ${org} AND module = ${module} AND field = ${field} AND value = ${value} AND record_id = ${id}`,
    ),
    insertRows(
      'record_key (org_id, module, field, value, record_id)',
      rowsOf(keysAdded.values(), ({ module, field, value, id }) => [org, module, field, value, id]),
      'ON CONFLICT (org_id, module, field, value, record_id) DO NOTHING',
    ),
  ];
}

export function createRecordReads(db: Db): RecordReads {
  return {
    async findMany(org, module, ids) {
      const results = await db.read(
        selectRecords(
          org,
          ids.map((id) => ({ module, id })),
        ),
      );
      return results.flat().map(readRecord);
    },

    async names(org, refs) {
      const plan = openPlan();
      const groups = groupBy(refs, ({ module, nameField }) => `${module}/${nameField}`).flatMap(([, group]) => {
        const [first] = group;
        if (!first) return [];
        const name = db.dialect.member(sql`r.field_values`, first.nameField);
        return plan.add(sql`
          SELECT r.module, r.id, ${name} AS name FROM record r
          WHERE r.org_id = ${org} AND r.module = ${first.module} AND r.id IN ${list(group.map(({ id }) => id))}`);
      });
      if (groups.length > 0) await plan.run(db.read);
      const names = new Map<string, string | null>();
      for (const row of groups.flatMap((rows) => rows())) {
        const key = recordKey(text(row, 'module'), text<RecordId>(row, 'id'));
        names.set(key, row.name === null ? null : String(row.name));
      }
      return names;
    },
  };
}
