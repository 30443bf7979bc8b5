import { BIN_MS, type DeletedRecord, LISTED_MS } from '../domain/deleted-record.ts';
import type { OrgId, RecordId, UserId } from '../domain/ids.ts';
import type { Values } from '../domain/record.ts';
import type { Position } from '../domain/record-list.ts';
import type { WriteSet } from '../domain/working-set.ts';
import { changeRows, type Db, insertRows, list, type Row, type Statement, sql, type Write } from './db.ts';
import { integer, jsonObject, text, textOrNone } from './rows.ts';
import type { DeletedRecordStore } from './store.ts';

const COLUMNS = sql`d.id, d.module, d.deleted_at, d.deleted_by, d.display_name, d.field_values, d.created_at,
  d.created_by, d.modified_at, d.modified_by`;

/** Most rows that one purge changes, so that it delays no commit by much. */
const PURGE_ROWS = 500;
/** Most entries of the bin that one step counts; other reads come in between. */
const COUNTED_A_STEP = 5000;
/** Sorts behind every id. */
const LAST_ID = '~' as RecordId;

export const selectDeleted = (org: OrgId, ids: readonly RecordId[]): Statement =>
  sql`SELECT ${COLUMNS} FROM deleted_record d WHERE d.org_id = ${org} AND d.id IN ${list(ids)}`;

export function readDeleted(row: Row): DeletedRecord {
  const module = text(row, 'module');
  const id = text<RecordId>(row, 'id');
  const deletedAt = integer(row, 'deleted_at');
  if (row.field_values === null) return { module, id, deletedAt };
  const displayName = textOrNone(row, 'display_name');
  return {
    module,
    id,
    deletedAt,
    bin: {
      ...(displayName !== undefined && { displayName }),
      deletedBy: text<UserId>(row, 'deleted_by'),
      record: {
        module,
        id,
        values: jsonObject<Values>(row, 'field_values'),
        createdAt: integer(row, 'created_at'),
        createdBy: text<UserId>(row, 'created_by'),
        modifiedAt: integer(row, 'modified_at'),
        modifiedBy: text<UserId>(row, 'modified_by'),
      },
    },
  };
}

export function saveDeleted(org: OrgId, deleted: WriteSet['deleted']): Write[] {
  const kept: DeletedRecord[] = [];
  const restored: RecordId[] = [];
  for (const [id, record] of deleted) {
    if (record === 'restored') restored.push(id);
    else kept.push(record);
  }
  return [
    insertRows(
      `deleted_record (org_id, id, module, deleted_at, deleted_by, display_name, field_values, created_at, created_by,
        modified_at, modified_by)`,
      kept.map(({ id, module, deletedAt, bin }) => [
        org,
        id,
        module,
        deletedAt,
        bin?.deletedBy ?? null,
        bin?.displayName ?? null,
        bin ? JSON.stringify(bin.record.values) : null,
        bin?.record.createdAt ?? null,
        bin?.record.createdBy ?? null,
        bin?.record.modifiedAt ?? null,
        bin?.record.modifiedBy ?? null,
      ]),
      `ON CONFLICT (org_id, id) DO UPDATE SET deleted_at = excluded.deleted_at, deleted_by = excluded.deleted_by,
        display_name = excluded.display_name, field_values = excluded.field_values, created_at = excluded.created_at,
        created_by = excluded.created_by, modified_at = excluded.modified_at, modified_by = excluded.modified_by`,
    ),
    changeRows(restored, (id) => sql`DELETE FROM deleted_record WHERE org_id = ${org} AND id = ${id}`),
  ];
}

export function createDeletedRecordStore(db: Db): DeletedRecordStore {
  return {
    async findMany(org, ids) {
      const [rows = []] = await db.read([selectDeleted(org, ids)]);
      return rows.map(readDeleted);
    },

    async listModule(org, module, { type, since, now, offset, limit }) {
      const binnedSince = now - BIN_MS;
      const inBin = sql`d.field_values IS NOT NULL AND d.deleted_at > ${binnedSince}`;
      const kind = { all: sql`TRUE`, recycle: inBin, permanent: sql`NOT (${inBin})` }[type];
      const [rows = []] = await db.read([
        sql`
          SELECT ${COLUMNS} FROM deleted_record d
          WHERE d.org_id = ${org} AND d.module = ${module} AND d.deleted_at > ${Math.max(since, now - LISTED_MS)}
            AND ${kind}
          ORDER BY d.deleted_at DESC, d.id DESC LIMIT ${limit} OFFSET ${offset}`,
      ]);
      return rows.map(readDeleted);
    },

    async listBin(org, modules, { now, order, offset, limit }) {
      const direction = { asc: sql`d.deleted_at, d.id`, desc: sql`d.deleted_at DESC, d.id DESC` }[order];
      const [rows = []] = await db.read([
        sql`
          SELECT ${COLUMNS} FROM deleted_record d
          WHERE d.org_id = ${org} AND d.field_values IS NOT NULL AND d.deleted_at > ${now - BIN_MS}
            AND d.module IN ${list(modules)}
          ORDER BY ${direction} LIMIT ${limit} OFFSET ${offset}`,
      ]);
      return rows.map(readDeleted);
    },

    async countBin(org, modules, now) {
      let counted = 0;
      let after: Position = { at: now - BIN_MS, id: LAST_ID };
      for (;;) {
        const inBin = sql`d.org_id = ${org} AND d.field_values IS NOT NULL
          AND (d.deleted_at, d.id) > (${after.at}, ${after.id})`;
        const [[end] = []] = await db.read([
          sql`
            SELECT d.deleted_at, d.id FROM deleted_record d WHERE ${inBin}
            ORDER BY d.deleted_at, d.id LIMIT 1 OFFSET ${COUNTED_A_STEP - 1}`,
        ]);
        const last: Position | undefined = end && { at: integer(end, 'deleted_at'), id: text<RecordId>(end, 'id') };
        const toEnd = last ? sql`AND (d.deleted_at, d.id) <= (${last.at}, ${last.id})` : sql``;
        const [[row] = []] = await db.read([
          sql`
            SELECT COUNT(*) AS counted FROM deleted_record d
            WHERE ${inBin} ${toEnd} AND d.module IN ${list(modules)}`,
        ]);
        counted += row ? integer(row, 'counted') : 0;
        if (!last) return counted;
        after = last;
      }
    },

    async purge(org, now) {
      const oldest = (those: Statement) => sql`
        SELECT d.id FROM deleted_record d WHERE ${those} ORDER BY d.deleted_at LIMIT ${PURGE_ROWS}`;
      const due = sql`org_id = ${org} AND deleted_at <= ${now - BIN_MS} AND field_values IS NOT NULL`;
      const unlisted = sql`org_id = ${org} AND deleted_at <= ${now - LISTED_MS}`;
      const [over = [], old = []] = await db.read([oldest(due), oldest(unlisted)]);
      if (over.length + old.length === 0) return false;
      await db.write([
        sql`
          UPDATE deleted_record SET deleted_by = NULL, display_name = NULL, field_values = NULL, created_at = NULL,
            created_by = NULL, modified_at = NULL, modified_by = NULL
          WHERE ${due} AND id IN (${oldest(due)})`,
        sql`DELETE FROM deleted_record WHERE ${unlisted} AND id IN (${oldest(unlisted)})`,
      ]);
      return over.length === PURGE_ROWS || old.length === PURGE_ROWS;
    },
  };
}
