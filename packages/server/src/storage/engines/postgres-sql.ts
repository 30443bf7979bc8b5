import type { SqlValue, Write } from '../db.ts';

/** A statement as PostgreSQL takes it: values travel as text, lists in binary form; their types stand in the statement. */
export interface Query {
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
}

/**
 * One statement however many rows there are: these travel as a list for each column. The text of a statement depends on
 * the kinds of its values, never on how many there are.
 */
export function toQuery(write: Write): Query {
  if ('into' in write) return insertion(write.into, write.rows, write.conflict);
  if ('rows' in write) return change(write.parts, write.rows);
  let text = write.parts[0] ?? '';
  const values: (string | Buffer)[] = [];
  write.values.forEach((value, i) => {
    if (typeof value === 'object' && value !== null) {
      values.push(toArray(value.list, 'text'));
      const lists = `$${values.length}::text[]`;
      // Its planner looks entries up by an index for a list that is compared with, but not for rows.
      const [before] = /\bIN\s*$/.exec(text) ?? [];
      text =
        before === undefined
          ? `${text}(SELECT value FROM unnest(${lists}) AS u(value))`
          : `${text.slice(0, -before.length)}= ANY(${lists})`;
    } else if (value === null) {
      text += 'NULL';
    } else {
      values.push(String(value));
      // Texts compare and fold by their bytes, whatever the database was made with.
      text += `$${values.length}::${typeOf(value)}${typeof value === 'string' ? ' COLLATE "C"' : ''}`;
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

function columnsOf(rows: readonly (readonly SqlValue[])[]): Columns {
  const types = (rows[0] ?? []).map((_, i) => {
    const some = rows.find((row) => row[i] !== null)?.[i] ?? null;
    return some === null ? undefined : typeOf(some);
  });
  const filled = types.flatMap((type, i) => (type === undefined ? [] : [{ type, i }]));
  const lists = filled.map(({ type }, k) => `$${k + 1}::${type}[]`);
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

function insertion(into: string, rows: readonly (readonly SqlValue[])[], conflict: string): Query {
  const { names, from, values } = columnsOf(rows);
  return { text: `INSERT INTO ${into} SELECT ${names.join(', ')} FROM ${from} ${conflict}`, values };
}

/**
 * Compared as a list of one, the first column of a key is none that the planner could merge by: it cannot walk the whole
 * table instead, which it would choose, and keep to, after it had seen the table empty.
 */
const FIRST_KEY = /(\bWHERE\b[^=]*=\s*)(r\.p\d+)/;

/** `UPDATE t SET … WHERE …`, `DELETE FROM t WHERE …` and `INSERT INTO t SELECT … WHERE …` with the rows beside the table. */
function change(parts: readonly string[], rows: readonly (readonly SqlValue[])[]): Query {
  const { names, from, values } = columnsOf(rows);
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
