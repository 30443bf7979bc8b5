import { isNeeded, type RowInsert, type SqlValue, type Write } from '../db.ts';

/** A statement as PostgreSQL takes it: values travel as text, lists in binary form; their types stand in the statement. */
export interface Query {
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
}

/**
 * One statement however many rows there are: these travel as a list for each column. The text of a statement depends on
 * the kinds of its values, never on how many there are.
 */
export const toQuery = (write: Write): Query => queryOf(write, 0);

/** Of a list of writes; what was put together is one statement. */
export interface Queries {
  readonly queries: readonly Query[];
  /** By write which of them has its rows: of those that are one, the first. */
  readonly places: readonly (number | undefined)[];
}

export function toQueries(writes: readonly Write[]): Queries {
  const queries: Query[] = [];
  const places: (number | undefined)[] = [];
  for (let i = 0; i < writes.length; i += 1) {
    const write = writes[i];
    // No rows, nothing to do: there is no such statement.
    if (!write || !isNeeded(write)) continue;
    const others: Write[] = [];
    const at = i;
    for (let next = writes[i + 1]; write.group && next?.group === write.group; next = writes[i + 1]) {
      if (isNeeded(next)) others.push(next);
      i += 1;
    }
    places[at] = queries.push(joined(write, others)) - 1;
  }
  return { queries, places };
}

/** The first is what the statement itself does. Of the rest the server runs the last one first. */
function joined(first: Write, others: readonly Write[]): Query {
  const main = queryOf(first, 0);
  if (others.length === 0) return main;
  const values = [...main.values];
  const texts = others.map((write, i) => {
    const { text, values: some } = queryOf(write, values.length);
    values.push(...some);
    return `w${i} AS (${text})`;
  });
  return { text: `WITH ${texts.reverse().join(', ')} ${main.text}`, values };
}

/** `before`: so many values stand before its own. */
function queryOf(write: Write, before: number): Query {
  if ('into' in write) return insertion(write, before);
  if ('rows' in write) return change(write.parts, write.rows, before);
  let text = write.parts[0] ?? '';
  const values: (string | Buffer)[] = [];
  write.values.forEach((value, i) => {
    if (typeof value === 'object' && value !== null) {
      values.push(toArray(value.list, 'text'));
      const lists = `$${before + values.length}::text[]`;
      // Its planner looks entries up by an index for a list that is compared with, but not for rows.
      const [compared] = /\bIN\s*$/.exec(text) ?? [];
      text =
        compared === undefined
          ? `${text}(SELECT value FROM unnest(${lists}) AS u(value))`
          : `${text.slice(0, -compared.length)}= ANY(${lists})`;
    } else if (value === null) {
      text += 'NULL';
    } else {
      values.push(String(value));
      // Texts compare and fold by their bytes, whatever the database was made with.
      text += `$${before + values.length}::${typeOf(value)}${typeof value === 'string' ? ' COLLATE "C"' : ''}`;
    }
    text += write.parts[i + 1] ?? '';
  });
  return { text, values };
}

export const plain = (text: string): Query => ({ text, values: [] });

type Type = 'text' | 'bigint' | 'double precision';

const typeOf = (value: string | number): Type => {
  if (typeof value === 'string') return 'text';
  return Number.isSafeInteger(value) ? 'bigint' : 'double precision';
};

interface Columns {
  /** What stands for each column: `r.p1`, or NULL where no row has anything. */
  readonly names: readonly string[];
  /** Rows with these columns, for FROM. */
  readonly from: string;
  readonly values: readonly Buffer[];
}

function columnsOf(rows: readonly (readonly SqlValue[])[], before: number): Columns {
  const types = (rows[0] ?? []).map((_, i) => {
    const some = rows.find((row) => row[i] !== null)?.[i] ?? null;
    return some === null ? undefined : typeOf(some);
  });
  const filled = types.flatMap((type, i) => (type === undefined ? [] : [{ type, i }]));
  const lists = filled.map(({ type }, k) => `$${before + k + 1}::${type}[]`);
  const names = filled.map(({ i }) => `p${i + 1}`);
  return {
    names: types.map((type, i) => (type === undefined ? 'NULL' : `r.p${i + 1}`)),
    from: `unnest(${lists.join(', ')}) AS r(${names.join(', ')})`,
    values: filled.map(({ type, i }) =>
      toArray(
        rows.map((row) => row[i] ?? null),
        type,
      ),
    ),
  };
}

function insertion({ into, rows, conflict, key }: RowInsert, before: number): Query {
  const { names, from, values } = columnsOf(rows, before);
  const [table = '', columns = ''] = into.split(/[()]/, 2);
  const named = columns.split(', ');
  const isThere = key?.map((column) => `t.${column} = ${names[named.indexOf(column)]}`).join(' AND ');
  const rest = isThere ? `WHERE NOT EXISTS (SELECT 1 FROM ${table} t WHERE ${isThere})` : conflict;
  return { text: `INSERT INTO ${into} SELECT ${names.join(', ')} FROM ${from} ${rest}`, values };
}

/**
 * Compared as a list of one, the first column of a key is none that the planner could merge by: it cannot walk the whole
 * table instead, which it would choose, and keep to, after it had seen the table empty.
 */
const FIRST_KEY = /(\bWHERE\b[^=]*=\s*)(r\.p\d+)/;

/** `UPDATE t SET … WHERE …`, `DELETE FROM t WHERE …` and `INSERT INTO t SELECT … WHERE …` with the rows beside the table. */
function change(parts: readonly string[], rows: readonly (readonly SqlValue[])[], before: number): Query {
  const { names, from, values } = columnsOf(rows, before);
  const text = parts.reduce((all, part, i) => `${all}${names[i - 1]}${part}`);
  const [, kind = ''] = /^\s*(\w+)/.exec(text) ?? [];
  const looked = text.replace(FIRST_KEY, '$1ANY (ARRAY[$2])');
  return { text: looked.replace(/\bWHERE\b/, `${JOINED[kind] ?? 'FROM'} ${from} WHERE`), values };
}

const JOINED: Readonly<Record<string, string>> = { DELETE: 'USING', INSERT: 'CROSS JOIN' };

const OID: Readonly<Record<Type, number>> = { text: 25, bigint: 20, 'double precision': 701 };
const HEADER_BYTES = 20;

/**
 * The binary form of a list: nothing is escaped here or read letter by letter there, which made inserts of a hundred rows
 * more than twice as fast as the text form did (docs/decisions/0013-postgresql.md).
 */
function toArray(values: readonly SqlValue[], type: Type): Buffer {
  const bytes = values.reduce((sum: number, value) => sum + 4 + sizeOf(value), HEADER_BYTES);
  const array = Buffer.allocUnsafe(bytes);
  array.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  array.writeInt32BE(OID[type], 8);
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  // One without items has no dimension, and so neither its size nor where it begins.
  if (values.length === 0) return array.subarray(0, 12);
  let at = HEADER_BYTES;
  for (const value of values) at = writeItem(array, at, value, type);
  return array;
}

function sizeOf(value: SqlValue): number {
  if (value === null) return 0;
  return typeof value === 'string' ? Buffer.byteLength(value) : 8;
}

function writeItem(array: Buffer, at: number, value: SqlValue, type: Type): number {
  if (value === null) return array.writeInt32BE(-1, at);
  if (typeof value === 'string') {
    const length = array.write(value, at + 4);
    array.writeInt32BE(length, at);
    return at + 4 + length;
  }
  array.writeInt32BE(8, at);
  return type === 'bigint' ? array.writeBigInt64BE(BigInt(value), at + 4) : array.writeDoubleBE(value, at + 4);
}
