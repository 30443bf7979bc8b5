import type { SqlValue, Write } from '../db.ts';

/** A statement as PostgreSQL takes it: values travel as text, their types stand in the statement. */
export interface Query {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

/**
 * One statement however many rows there are: these travel as a list for each column. The text of a statement depends on
 * the kinds of its values, never on how many there are.
 */
export function toQuery(write: Write): Query {
  if ('into' in write) return insertion(write.into, write.rows, write.conflict);
  if ('rows' in write) return change(write.parts, write.rows);
  let text = write.parts[0] ?? '';
  const values: string[] = [];
  write.values.forEach((value, i) => {
    if (typeof value === 'object' && value !== null) {
      values.push(toArray(value.list));
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

const typeOf = (value: string | number): string => {
  if (typeof value === 'string') return 'text';
  return Number.isSafeInteger(value) ? 'bigint' : 'double precision';
};

interface Columns {
  /** What stands for each column: `r.p1`, or NULL where no row has anything. */
  readonly names: readonly string[];
  /** Rows with these columns, for FROM. */
  readonly from: string;
  readonly values: readonly string[];
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
    values: filled.map(({ i }) => toArray(rows.map((row) => row[i] ?? null))),
  };
}

function insertion(into: string, rows: readonly (readonly SqlValue[])[], conflict: string): Query {
  const { names, from, values } = columnsOf(rows);
  return { text: `INSERT INTO ${into} SELECT ${names.join(', ')} FROM ${from} ${conflict}`, values };
}

/** `UPDATE t SET … WHERE …` and `DELETE FROM t WHERE …` with the rows beside the table. */
function change(parts: readonly string[], rows: readonly (readonly SqlValue[])[]): Query {
  const { names, from, values } = columnsOf(rows);
  const text = parts.reduce((all, part, i) => `${all}${names[i - 1]}${part}`);
  const joined = /^\s*DELETE\b/.test(text) ? 'USING' : 'FROM';
  return { text: text.replace(/\bWHERE\b/, `${joined} ${from} WHERE`), values };
}

const SPECIAL = /["\\]/g;

/** The text form of an array. */
function toArray(values: readonly SqlValue[]): string {
  const items = values.map((value) => {
    if (value === null) return 'NULL';
    return typeof value === 'number' ? String(value) : `"${value.replace(SPECIAL, '\\$&')}"`;
  });
  return `{${items.join(',')}}`;
}
