import type { OrgId, RecordId } from '../domain/ids.ts';
import type { Position, SortOrder } from '../domain/record-list.ts';
import { type Db, list, type Row, type Statement, sql } from './db.ts';
import { RECORD_COLUMNS, readRecord } from './records.ts';
import { integer, text, textList, textOrNone } from './rows.ts';
import type { RecordListReads, RecordPageQuery } from './store.ts';

// Long reads go step by step, one message each, so that other reads come in between.

/** Most index entries that one step counts or skips. */
const COUNTED_A_STEP = 5000;
/** Most records whose time one step looks at. */
const SCANNED_A_STEP = 2000;
/** Up to so many records modified lately are found by their time, and put in order here. */
const FEW_MODIFIED = 2000;

export function createRecordListReads(db: Db): RecordListReads {
  const one = async (statement: Statement): Promise<readonly Row[]> => (await db.read([statement]))[0] ?? [];

  /** The position that so many records lie before. */
  async function skipTo(org: OrgId, module: string, query: RecordPageQuery): Promise<RecordPageQuery | undefined> {
    let { after, skip } = query;
    while (skip > SCANNED_A_STEP) {
      const step = Math.min(skip, COUNTED_A_STEP);
      const [row] = await one(sql`
        SELECT r.id, r.modified_at FROM record r WHERE ${inList(org, module, { ...query, after })}
        ORDER BY ${orderOf(query)} LIMIT 1 OFFSET ${step - 1}`);
      if (!row) return undefined;
      after = { at: query.by === 'id' ? 0 : integer(row, 'modified_at'), id: text<RecordId>(row, 'id') };
      skip -= step;
    }
    return { ...query, after, skip };
  }

  /** Ids of the page, among what was modified since. */
  async function idsModified(org: OrgId, module: string, since: number, query: RecordPageQuery): Promise<RecordId[]> {
    const few = await one(sql`
      SELECT r.id FROM record r WHERE r.org_id = ${org} AND r.module = ${module} AND r.modified_at > ${since}
      ORDER BY r.modified_at LIMIT ${FEW_MODIFIED + 1}`);
    if (few.length > FEW_MODIFIED) return idsByScan(org, module, since, query);
    const ids = few.map((row) => text<RecordId>(row, 'id')).toSorted();
    const ordered = query.order === 'asc' ? ids : ids.reverse();
    return ordered.filter((id) => isBeyond(id, query)).slice(query.skip, query.skip + query.limit);
  }

  async function idsByScan(org: OrgId, module: string, since: number, query: RecordPageQuery): Promise<RecordId[]> {
    const found: RecordId[] = [];
    let { after, skip } = query;
    while (found.length < query.limit) {
      const [row] = await one(sql`
        SELECT COUNT(*) AS scanned, MIN(id) AS lowest, MAX(id) AS highest,
          ${db.dialect.listOf(sql`id`, sql`modified_at > ${since}`)} AS ids
        FROM (SELECT r.id, r.modified_at FROM record r
          WHERE ${inList(org, module, { by: 'id', order: query.order, after })}
          ORDER BY ${orderOf({ by: 'id', order: query.order })} LIMIT ${SCANNED_A_STEP}) step`);
      const last = row && textOrNone<RecordId>(row, query.order === 'asc' ? 'highest' : 'lowest');
      if (!row || last === undefined) break;
      const ids = textList<RecordId>(row, 'ids').toSorted();
      found.push(...(query.order === 'asc' ? ids : ids.reverse()).slice(skip));
      skip = Math.max(0, skip - ids.length);
      if (integer(row, 'scanned') < SCANNED_A_STEP) break;
      after = { at: 0, id: last };
    }
    return found.slice(0, query.limit);
  }

  return {
    async page(org, module, query) {
      if (query.by === 'id' && query.since !== undefined) {
        const ids = await idsModified(org, module, query.since, query);
        const rows = await one(sql`
          SELECT ${RECORD_COLUMNS} FROM record r
          WHERE r.org_id = ${org} AND r.module = ${module} AND r.id IN ${list(ids)}
          ORDER BY ${orderOf(query)}`);
        return rows.map(readRecord);
      }
      const near = await skipTo(org, module, query);
      if (!near) return [];
      const rows = await one(sql`
        SELECT ${RECORD_COLUMNS} FROM record r WHERE ${inList(org, module, near)}
        ORDER BY ${orderOf(near)} LIMIT ${near.limit} OFFSET ${near.skip}`);
      return rows.map(readRecord);
    },

    async count(org, module) {
      let counted = 0;
      let after: Position | undefined;
      for (;;) {
        const [row] = await one(sql`
          SELECT COUNT(*) AS counted, MAX(id) AS highest FROM (
            SELECT r.id FROM record r WHERE ${inList(org, module, { by: 'id', order: 'asc', after })}
            ORDER BY r.id LIMIT ${COUNTED_A_STEP}) step`);
        const last = row && textOrNone<RecordId>(row, 'highest');
        if (!row || last === undefined) return counted;
        counted += integer(row, 'counted');
        after = { at: 0, id: last };
      }
    },
  };
}

type Order = Pick<RecordPageQuery, 'by' | 'order'>;
type Part = Order & Pick<RecordPageQuery, 'since' | 'after'>;

const FORWARD: Readonly<Record<SortOrder, Statement>> = { asc: sql`>`, desc: sql`<` };

function inList(org: OrgId, module: string, { by, order, since, after }: Part): Statement {
  const all = sql`r.org_id = ${org} AND r.module = ${module}`;
  const recent = since === undefined ? all : sql`${all} AND r.modified_at > ${since}`;
  if (!after) return recent;
  return by === 'id'
    ? sql`${recent} AND r.id ${FORWARD[order]} ${after.id}`
    : sql`${recent} AND (r.modified_at, r.id) ${FORWARD[order]} (${after.at}, ${after.id})`;
}

function orderOf({ by, order }: Order): Statement {
  const direction = order === 'asc' ? sql`ASC` : sql`DESC`;
  return by === 'id' ? sql`r.id ${direction}` : sql`r.modified_at ${direction}, r.id ${direction}`;
}

const isBeyond = (id: RecordId, { after, order }: RecordPageQuery): boolean =>
  !after || (order === 'asc' ? id > after.id : id < after.id);
