import type { Row, SqlValue, Write } from '../db.ts';

/** A statement as SQLite takes it, with the values of all times that it runs: a list for each is dear to tell a thread. */
export interface Command {
  readonly text: string;
  readonly times: number;
  /** The same number of them each time. */
  readonly values: readonly SqlValue[];
  /** Of an insert: the part of the text that is a row, which may stand there several times. */
  readonly row?: string;
}

/** What a command answered: its columns named once, since names of columns cost more than most of what is in them. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

export type Request =
  | { readonly id: number; readonly kind: 'query' | 'write'; readonly commands: readonly Command[] }
  | { readonly kind: 'close' };

export type Reply =
  | { readonly kind: 'ready'; readonly migrated: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'done'; readonly id: number; readonly results: readonly Table[] }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string };

/** What a thread is started with. The storage thread alone writes; the reading one only looks. */
export interface ThreadOptions {
  readonly role: 'storage' | 'reads';
  readonly dataDir: string;
  /** The store was open before: it must still be there. */
  readonly isReopening?: boolean;
}

/** Not by `map`: a list that it has made is several times as dear to tell to a thread. */
export function toCommands(writes: readonly Write[]): Command[] {
  const commands: Command[] = [];
  for (const write of writes) commands.push(toCommand(write));
  return commands;
}

/** Lists travel as one JSON text, so that the text of a statement never depends on how many there are. */
export function toCommand(write: Write): Command {
  if ('into' in write) {
    const row = `(${write.rows[0]?.map(() => '?').join(', ') ?? ''})`;
    return { text: `INSERT INTO ${write.into} VALUES ${row} ${write.conflict}`, ...listed(write.rows), row };
  }
  if ('rows' in write) return { text: write.parts.join('?'), ...listed(write.rows) };
  let text = write.parts[0] ?? '';
  const values: SqlValue[] = [];
  for (const [i, value] of write.values.entries()) {
    const after = write.parts[i + 1] ?? '';
    if (typeof value === 'object' && value !== null) {
      text += `(SELECT value FROM json_each(?))${after}`;
      values.push(JSON.stringify(value.list));
    } else {
      text += `?${after}`;
      values.push(value);
    }
  }
  return { text, times: 1, values };
}

function listed(rows: readonly (readonly SqlValue[])[]): Pick<Command, 'times' | 'values'> {
  const values: SqlValue[] = [];
  for (const row of rows) for (const value of row) values.push(value);
  return { times: rows.length, values };
}

/** A command's values, one list for each time. */
export function eachTime({ times, values }: Pick<Command, 'times' | 'values'>): SqlValue[][] {
  const width = values.length / times;
  return Array.from({ length: times }, (_, i) => values.slice(i * width, (i + 1) * width));
}

/** All of one shape, so that they are read fast. */
export function toRows({ columns, rows }: Table): Row[] {
  if (rows.length === 0) return [];
  const blank = Object.fromEntries(columns.map((column): [string, unknown] => [column, null]));
  return rows.map((values) => {
    const row = { ...blank };
    columns.forEach((column, i) => {
      row[column] = values[i];
    });
    return row;
  });
}
