export type SqlValue = string | number | null;

/** Many values in one place: `id IN ${list(ids)}`; in FROM, rows with a column `value`. */
export interface ValueList {
  readonly list: readonly string[];
}

interface Grouped {
  /** The same for all that were put `together`. */
  readonly group?: object;
}

/** SQL text with a gap before each value: values are bound, never written into the text. */
export interface Statement extends Grouped {
  readonly parts: readonly string[];
  readonly values: readonly (SqlValue | ValueList)[];
}

/** One insert of many rows: an engine may run it row by row or as one statement. */
export interface RowInsert extends Grouped {
  /** Table with its columns, such as `lapse (org_id, generation)`. */
  readonly into: string;
  readonly rows: readonly (readonly SqlValue[])[];
  /** `ON CONFLICT …`, or empty. */
  readonly conflict: string;
  /**
   * With DO NOTHING: columns of the key. An engine may look first what is there, and try again when that has changed
   * meanwhile: where next to nothing is, that costs less than to be ready for it.
   */
  readonly key?: readonly string[];
}

/** The same update or delete, or insert of what a table has, for many rows. */
export interface RowChange extends Grouped {
  readonly parts: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

export type Write = Statement | RowInsert | RowChange;

/** A row by column name, not yet trusted; `rows.ts` reads it. */
export type Row = Readonly<Record<string, unknown>>;

/** The few fragments in which engines differ. */
export interface Dialect {
  /** True where the text of the column holds this text, or that of another column. */
  contains(column: Statement, text: string | Statement): Statement;
  /** What ends a SELECT whose rows nobody else changes before the commit; empty where nobody else can. */
  readonly lock: Statement;
  /** The text of one member of a JSON object kept as text. */
  member(column: Statement, name: string): Statement;
  /** What can stand in FROM: a row with `value` for each item of a member that is a list. */
  items(column: Statement, name: string): Statement;
  /** The text as `keyValue` folds it. */
  fold(value: Statement): Statement;
  /** A JSON list of the values for which the condition holds. */
  listOf(value: Statement, condition: Statement): Statement;
}

/** Thin seam over a database. One message for several statements; the answer has the rows of each. */
export interface Db {
  readonly dialect: Dialect;
  /** Beside the writer, for answers and long searches. Sees all that was durable before the call. */
  read(statements: readonly Statement[]): Promise<Row[][]>;
  /** On the writer's way: never waits for a long search. Sees all that was durable before the call. */
  load(statements: readonly Statement[]): Promise<Row[][]>;
  /** All or nothing; durable when it resolves. May share its commit with other writes. */
  write(writes: readonly Write[]): Promise<Row[][]>;
}

export function sql(texts: TemplateStringsArray, ...values: readonly (SqlValue | ValueList | Statement)[]): Statement {
  if (values.every(isValue)) return { parts: texts, values };
  const parts: string[] = [];
  const bound: (SqlValue | ValueList)[] = [];
  let text = texts[0] ?? '';
  values.forEach((value, i) => {
    if (isStatement(value)) {
      value.values.forEach((inner, k) => {
        parts.push(text + (value.parts[k] ?? ''));
        bound.push(inner);
        text = '';
      });
      text += value.parts.at(-1) ?? '';
    } else {
      parts.push(text);
      bound.push(value);
      text = '';
    }
    text += texts[i + 1] ?? '';
  });
  parts.push(text);
  return { parts, values: bound };
}

/**
 * Writes of different rows, of which none reads what another one writes: an engine may run them as one statement, the
 * first of them before all others.
 */
export function together(writes: readonly Write[]): Write[] {
  const group = {};
  return writes.map((write) => ({ ...write, group }));
}

/** That there is something to do for. */
export const isNeeded = (write: Write): boolean => !('rows' in write) || write.rows.length > 0;

export const list = (values: Iterable<string>): ValueList => ({ list: [...values] });

export const insertRows = (into: string, rows: RowInsert['rows'], conflict = ''): RowInsert => ({
  into,
  rows,
  conflict,
});

/** The row of each item. Not by `map`: a list that it has made is several times as dear to tell to a thread. */
export function rowsOf<Item>(items: Iterable<Item>, rowOf: (item: Item) => readonly SqlValue[]): RowInsert['rows'] {
  const rows: (readonly SqlValue[])[] = [];
  for (const item of items) rows.push(rowOf(item));
  return rows;
}

/** Leaves out what is there already. */
export const insertNew = (into: string, rows: RowInsert['rows'], key: readonly string[]): RowInsert => ({
  into,
  rows,
  conflict: `ON CONFLICT (${key.join(', ')}) DO NOTHING`,
  key,
});

/** `change` must give the same text for every item. */
export function changeRows<Item>(items: Iterable<Item>, change: (item: Item) => Statement): RowChange {
  let parts: readonly string[] = [];
  const rows: (readonly SqlValue[])[] = [];
  for (const item of items) {
    const statement = change(item);
    parts = statement.parts;
    rows.push(statement.values.every(isPlain) ? statement.values : statement.values.filter(isPlain));
  }
  return { parts, rows };
}

const isStatement = (value: SqlValue | ValueList | Statement): value is Statement =>
  typeof value === 'object' && value !== null && 'parts' in value;
const isValue = (value: SqlValue | ValueList | Statement): value is SqlValue | ValueList => !isStatement(value);
const isPlain = (value: SqlValue | ValueList): value is SqlValue => typeof value !== 'object' || value === null;

/** Collects the loads of several aggregates into one message; each answers its rows after `run`. */
export interface Plan {
  add(statement: Statement): () => readonly Row[];
  run(query: (statements: readonly Statement[]) => Promise<Row[][]>): Promise<void>;
}

export function openPlan(): Plan {
  const statements: Statement[] = [];
  let results: Row[][] = [];
  return {
    add(statement) {
      const at = statements.push(statement) - 1;
      return () => results[at] ?? [];
    },
    async run(query) {
      results = await query(statements);
    },
  };
}
