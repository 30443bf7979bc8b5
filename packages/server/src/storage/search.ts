import type { OrgId, RecordId } from '../domain/ids.ts';
import type { Condition, Range, TextTest } from '../domain/search/condition.ts';
import type { Candidates } from '../domain/search/plan.ts';
import { type Db, type Dialect, list, type SqlValue, type Statement, sql } from './db.ts';
import { text } from './rows.ts';
import type { SearchReads, SearchSlice } from './store.ts';

const VALUES = sql`r.field_values`;
const COLUMNS = {
  id: sql`r.id`,
  createdAt: sql`r.created_at`,
  modifiedAt: sql`r.modified_at`,
  createdBy: sql`r.created_by`,
  modifiedBy: sql`r.modified_by`,
} as const;
/** Above every id, which are digits. */
const ABOVE_ALL = ':';
const BELOW_ALL = '';

export function createSearchReads(db: Db): SearchReads {
  return {
    async slice(org, module, { candidates, condition, below = ABOVE_ALL, size, limit }): Promise<SearchSlice> {
      const last = candidates.kind === 'ids' ? undefined : await lastOf(org, module, candidates, below, size);
      const [rows = []] = await db.read([
        sql`
          SELECT r.id FROM record r
          WHERE r.org_id = ${org} AND r.module = ${module}
            AND ${among(org, module, candidates, last ?? BELOW_ALL, below)}
            AND ${holds(db.dialect, condition)}
          ORDER BY r.id DESC LIMIT ${limit}`,
      ]);
      const ids = rows.map((row) => text<RecordId>(row, 'id'));
      return last === undefined ? { ids } : { ids, last };
    },
  };

  /** The last of the next `size` candidates; undefined when there are no more than that. */
  async function lastOf(
    org: OrgId,
    module: string,
    candidates: Exclude<Candidates, { kind: 'ids' }>,
    below: string,
    size: number,
  ): Promise<RecordId | undefined> {
    const ids =
      candidates.kind === 'module'
        ? sql`SELECT id FROM record WHERE org_id = ${org} AND module = ${module} AND id < ${below}`
        : sql`SELECT id FROM (${joined(
            candidates.keys.map((key) => newestOf(org, module, key, below, size)),
            sql` UNION `,
          )}) found`;
    const [[row] = []] = await db.read([sql`${ids} ORDER BY id DESC LIMIT 1 OFFSET ${size - 1}`]);
    return row && text<RecordId>(row, 'id');
  }
}

type Key = Extract<Candidates, { kind: 'keys' }>['keys'][number];

const newestOf = (org: OrgId, module: string, { field, value }: Key, below: string, size: number): Statement => sql`
  SELECT * FROM (
    SELECT record_id AS id FROM record_key
    WHERE org_id = ${org} AND module = ${module} AND field = ${field} AND value = ${value} AND record_id < ${below}
    ORDER BY record_id DESC LIMIT ${size}
  ) keyed`;

/** The candidates from one id up to, but without, another. */
function among(org: OrgId, module: string, candidates: Candidates, from: string, below: string): Statement {
  switch (candidates.kind) {
    case 'module':
      return sql`r.id >= ${from} AND r.id < ${below}`;
    case 'ids':
      return sql`r.id IN ${list(candidates.ids)}`;
    case 'keys': {
      const keyed = candidates.keys.map(
        ({ field, value }) => sql`
          SELECT record_id FROM record_key
          WHERE org_id = ${org} AND module = ${module} AND field = ${field} AND value = ${value}
            AND record_id >= ${from} AND record_id < ${below}`,
      );
      return sql`r.id IN (${joined(keyed, sql` UNION `)})`;
    }
  }
}

function holds(dialect: Dialect, condition: Condition): Statement {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const members = condition.members.map((member) => holds(dialect, member));
      if (members.length === 0) return condition.kind === 'and' ? sql`1 = 1` : sql`1 = 0`;
      return sql`(${joined(members, condition.kind === 'and' ? sql` AND ` : sql` OR `)})`;
    }
    case 'text':
      return testText(dialect, dialect.fold(dialect.member(VALUES, condition.field)), condition.test, condition.values);
    case 'choices': {
      const { field, test, values } = condition;
      const item = dialect.fold(sql`item.value`);
      const some = sql`EXISTS (
        SELECT 1 FROM ${dialect.items(VALUES, field)} item
        WHERE ${testText(dialect, item, test === 'none' ? 'any' : test, values)})`;
      return test === 'none' ? sql`(${dialect.member(VALUES, field)} IS NOT NULL AND NOT ${some})` : some;
    }
    case 'anywhere':
      return dialect.contains(dialect.fold(VALUES), condition.text);
    case 'reference': {
      const { of, test, ids } = condition;
      const id = 'column' in of ? COLUMNS[of.column] : dialect.member(dialect.member(VALUES, of.field), 'id');
      return testText(dialect, id, test, ids);
    }
    case 'field':
      return inRanges(stored(dialect, condition), condition, bound(condition.stored));
    case 'column':
      return inRanges(COLUMNS[condition.column], condition, (value) => sql`${value}`);
    case 'boolean': {
      // JSON's true comes out as 1 or as text, by engine.
      const ticked = sql`COALESCE(CAST(${dialect.member(VALUES, condition.field)} AS TEXT), '') IN ('1', 'true')`;
      return condition.is ? ticked : sql`NOT ${ticked}`;
    }
  }
}

function testText(dialect: Dialect, value: Statement, test: TextTest, values: readonly string[]): Statement {
  const [only = ''] = values;
  switch (test) {
    case 'any':
      return values.length === 1 ? sql`${value} = ${only}` : sql`${value} IN ${list(values)}`;
    case 'none':
      return sql`${value} <> ${only}`;
    case 'prefix':
      return sql`substr(${value}, 1, length(${only})) = ${only}`;
    case 'part':
      return dialect.contains(value, only);
  }
}

type FieldRanges = Extract<Condition, { kind: 'field' }>;

function stored(dialect: Dialect, { field, stored: kept }: FieldRanges): Statement {
  const value = dialect.member(VALUES, field);
  switch (kept) {
    case 'number':
      return sql`CAST(${value} AS DOUBLE PRECISION)`;
    case 'digits':
      return sql`CAST(${value} AS BIGINT)`;
    case 'text':
      return value;
  }
}

const bound = (kept: FieldRanges['stored']) => (value: SqlValue) =>
  kept === 'digits' ? sql`CAST(${value} AS BIGINT)` : sql`${value}`;

/** Unknown, as SQL has it, for an empty value: neither inside nor outside. */
function inRanges(
  value: Statement,
  { ranges, outside }: { readonly ranges: readonly Range<string | number>[]; readonly outside: boolean },
  write: (value: SqlValue) => Statement,
): Statement {
  const inside = ranges.map(({ from, above, to, below }) => {
    const lower = from === undefined ? [] : [above ? sql`${value} > ${write(from)}` : sql`${value} >= ${write(from)}`];
    const upper = to === undefined ? [] : [below ? sql`${value} < ${write(to)}` : sql`${value} <= ${write(to)}`];
    return sql`(${joined([...lower, ...upper], sql` AND `)})`;
  });
  const some = sql`(${joined(inside, sql` OR `)})`;
  return outside ? sql`NOT ${some}` : some;
}

const joined = (statements: readonly Statement[], separator: Statement): Statement =>
  statements.reduce((all, next) => sql`${all}${separator}${next}`);
