import { type Database, SqliteError, type Statement } from 'better-sqlite3';
import { type Command, eachTime, type Reply, type Request, type Table } from './sqlite-message.ts';

type Query = Exclude<Request, { kind: 'close' }>;

/** Statements kept ready; searches have as many forms as there are callers' ideas. */
const MAX_PREPARED = 500;
/** Most rows of one commit; what is more waits for the next. */
const MAX_ROWS_PER_COMMIT = 20_000;

export interface Commands {
  /**
   * Answers what waited. Queries first: what was durable when they were sent still is. Then the writes, as few commits as
   * the bound allows. Each answer is given only when its commit is durable.
   */
  answer(requests: readonly Query[]): Generator<Reply>;
}

/** Rows that one statement inserts, where there are so many. */
const ROWS_AT_ONCE = 8;

/** A statement made ready. */
interface Prepared {
  readonly statement: Statement<unknown[], unknown[]>;
  /** Undefined: it answers nothing. */
  readonly columns: readonly string[] | undefined;
  /** The same insert of several rows; made when there are several for the first time. */
  several?: Statement<unknown[], unknown[]>;
}

const NOTHING: Table = { columns: [], rows: [] };

export function createCommands(db: Database): Commands {
  const prepared = new Map<string, Prepared>();

  function prepare(text: string): Prepared {
    const statement = db.prepare<unknown[], unknown[]>(text);
    if (!statement.reader) return { statement, columns: undefined };
    // Rows as lists: to name the columns of each row takes longer than to read it.
    return { statement: statement.raw(true), columns: statement.columns().map(({ name }) => name) };
  }

  function run({ text, times, values, row }: Command): Table {
    const known = prepared.get(text) ?? prepare(text);
    // Put last, so that the first is the one unused for longest.
    prepared.delete(text);
    prepared.set(text, known);
    const [oldest] = prepared.size > MAX_PREPARED ? prepared.keys() : [];
    if (oldest !== undefined) prepared.delete(oldest);
    const { statement, columns } = known;
    // Values are given one by one: from a list each would be looked up as a property.
    if (columns) {
      if (times === 1) return { columns, rows: statement.all(...values) };
      return { columns, rows: eachTime({ times, values }).flatMap((some) => statement.all(...some)) };
    }
    const width = values.length / times;
    let done = 0;
    if (row !== undefined && times >= ROWS_AT_ONCE) {
      known.several ??= db.prepare(text.replace(row, Array(ROWS_AT_ONCE).fill(row).join(', ')));
      for (; done + ROWS_AT_ONCE <= times; done += ROWS_AT_ONCE) {
        known.several.run(...values.slice(done * width, (done + ROWS_AT_ONCE) * width));
      }
    }
    for (; done < times; done++) statement.run(...values.slice(done * width, (done + 1) * width));
    return NOTHING;
  }

  function attempt(request: Query): Reply {
    try {
      return { kind: 'done', id: request.id, results: request.commands.map(run) };
    } catch (error) {
      return failure(request, error);
    }
  }

  const together = (requests: readonly Query[]): Reply[] => {
    // Where rolling back failed, too.
    if (db.inTransaction) db.exec('ROLLBACK');
    db.exec('BEGIN IMMEDIATE');
    try {
      const replies = requests.map(({ id, commands }): Reply => ({ kind: 'done', id, results: commands.map(run) }));
      db.exec('COMMIT');
      return replies;
    } catch (error) {
      // A full disk has rolled back by itself.
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };

  function commit(requests: readonly Query[]): Reply[] {
    try {
      return together(requests);
    } catch (error) {
      const [only] = requests;
      if (requests.length === 1 && only) return [failure(only, error)];
      // One of them cannot be saved: each on its own, so that only that one fails.
      return requests.flatMap((request) => commit([request]));
    }
  }

  return {
    *answer(requests) {
      for (const request of requests) if (request.kind === 'query') yield attempt(request);
      for (const batch of byRows(requests.filter(({ kind }) => kind === 'write'))) yield* commit(batch);
    },
  };
}

function* byRows(requests: readonly Query[]): Generator<Query[]> {
  let batch: Query[] = [];
  let rows = 0;
  for (const request of requests) {
    const size = request.commands.reduce((sum, { times }) => sum + times, 0);
    if (batch.length > 0 && rows + size > MAX_ROWS_PER_COMMIT) {
      yield batch;
      batch = [];
      rows = 0;
    }
    batch.push(request);
    rows += size;
  }
  if (batch.length > 0) yield batch;
}

const failure = ({ id }: Query, error: unknown): Reply => ({
  kind: 'failed',
  id,
  code: error instanceof SqliteError ? error.code : 'UNKNOWN',
  message: error instanceof Error ? error.message : String(error),
});
