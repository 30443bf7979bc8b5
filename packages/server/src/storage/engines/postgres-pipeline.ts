import type { Connection, Submittable } from 'pg';
import type { Row } from '../db.ts';
import type { Query } from './postgres-sql.ts';

/** Statements that a connection keeps ready; searches have as many forms as there are callers' ideas. */
const MAX_PREPARED = 500;

interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

interface Prepared {
  readonly name: string;
  /** Undefined until it was described; empty: it has no rows. */
  columns: readonly Column[] | undefined;
}

/** The statements of one connection, by their texts; the one unused for longest first. */
export interface PreparedStatements {
  readonly known: Map<string, Prepared>;
  /** Names that the server may still have. */
  readonly dropped: Set<string>;
  /** Of all that were ever named on this connection, so that no name comes twice. */
  count: number;
}

export const preparedStatements = (): PreparedStatements => ({ known: new Map(), dropped: new Set(), count: 0 });

/** What the driver has for one message each; its types tell of other parameters. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: Query['values'] }): void;
  describe(message: { type: 'P' }): void;
  execute(message: Record<string, never>): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

interface Described {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** As the driver calls what was submitted to it. */
export interface Pipeline extends Submittable {
  handleRowDescription(message: Described): void;
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void;
  handleCommandComplete(message: { readonly text: string }): void;
  handleEmptyQuery(): void;
  handlePortalSuspended(): void;
  handleCopyInResponse(connection: unknown): void;
  handleCopyData(): void;
  handleError(error: Error): void;
  handleReadyForQuery(): void;
}

export interface PipelineListener {
  /** A statement was answered. */
  progress(): void;
  answer(error: Error | undefined, result: PipelineResult): void;
}

export interface PipelineResult {
  /** Of each statement. */
  readonly rows: Row[][];
  /** What the server says that each statement did, such as `COMMIT`. */
  readonly tags: readonly string[];
}

/**
 * All statements in one batch of messages with one sync: a single round trip however many there are. Without BEGIN they
 * are one transaction. After one that fails the rest is skipped, and the failure is the answer of all. Without `prepared`
 * nothing is kept on the server (behind a pooler the next batch may meet another one).
 */
export function createPipeline(
  queries: readonly Query[],
  prepared: PreparedStatements | undefined,
  { progress, answer }: PipelineListener,
): Pipeline {
  const rows: Row[][] = queries.map(() => []);
  const tags: string[] = [];
  const statements: Prepared[] = [];
  /** Named by this batch: known to the server only if all went well. */
  const parsed: { readonly text: string; readonly name: string }[] = [];
  const closed: string[] = [];
  let failure: Error | undefined;

  function prepare(wire: Wire, text: string): Prepared {
    if (!prepared) {
      wire.parse({ name: '', text });
      return { name: '', columns: undefined };
    }
    const { known, dropped } = prepared;
    const found = known.get(text);
    // Put last, so that the first is the one unused for longest.
    known.delete(text);
    if (found) {
      known.set(text, found);
      return found;
    }
    prepared.count += 1;
    const statement: Prepared = { name: `w${prepared.count}`, columns: undefined };
    known.set(text, statement);
    wire.parse({ name: statement.name, text });
    parsed.push({ text, name: statement.name });
    const [oldest] = known.size > MAX_PREPARED ? known : [];
    if (oldest) {
      known.delete(oldest[0]);
      dropped.add(oldest[1].name);
    }
    return statement;
  }

  function send(wire: Wire): void {
    for (const name of prepared?.dropped ?? []) {
      wire.close({ type: 'S', name });
      closed.push(name);
    }
    for (const { text, values } of queries) {
      const statement = prepare(wire, text);
      statements.push(statement);
      wire.bind({ statement: statement.name, values });
      if (!statement.columns) wire.describe({ type: 'P' });
      wire.execute({});
    }
    wire.sync();
  }

  /** Whether the server took them is not known: their names are given back, and never used again. */
  function forget(): void {
    for (const { text, name } of parsed) {
      prepared?.known.delete(text);
      prepared?.dropped.add(name);
    }
  }

  return {
    submit(connection: Connection) {
      const wire = connection as unknown as Wire;
      wire.stream.cork();
      try {
        send(wire);
      } finally {
        wire.stream.uncork();
      }
      return null;
    },
    handleRowDescription({ fields }) {
      const statement = statements[tags.length];
      if (statement) statement.columns = fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }));
    },
    handleDataRow({ fields }) {
      try {
        rows[tags.length]?.push(readRow(statements[tags.length]?.columns ?? [], fields));
      } catch (error) {
        // Thrown here it would end the process.
        failure ??= error instanceof Error ? error : new Error(String(error));
      }
    },
    handleCommandComplete({ text }) {
      const statement = statements[tags.length];
      if (statement) statement.columns ??= [];
      tags.push(text);
      progress();
    },
    handleEmptyQuery() {
      tags.push('');
    },
    handlePortalSuspended() {
      failure ??= new Error('The database stopped in the middle of an answer');
    },
    handleCopyInResponse(connection) {
      (connection as Wire).sendCopyFail('nothing is copied here');
    },
    handleCopyData() {
      failure ??= new Error('The database sent a copy that nobody asked for');
    },
    handleError(error) {
      forget();
      answer(error, { rows, tags });
    },
    handleReadyForQuery() {
      for (const name of closed) prepared?.dropped.delete(name);
      answer(failure, { rows, tags });
    },
  };
}

function readRow(columns: readonly Column[], fields: readonly (string | null)[]): Row {
  const row: Record<string, unknown> = {};
  for (let i = 0; i < columns.length; i += 1) {
    const column = columns[i];
    const field = fields[i];
    if (column) row[column.name] = field === null || field === undefined ? null : column.parse(field);
  }
  return row;
}

const OID = { bool: 16, int8: 20, int2: 21, int4: 23, float4: 700, float8: 701, numeric: 1700 } as const;

/** Values as SQLite gives them. */
function parserOf(type: number): (text: string) => unknown {
  switch (type) {
    case OID.bool:
      return (text) => (text === 't' ? 1 : 0);
    case OID.int2:
    case OID.int4:
    case OID.int8:
    case OID.numeric:
      return readInteger;
    case OID.float4:
    case OID.float8:
      return Number;
    default:
      return (text) => text;
  }
}

function readInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError('The store holds a number that is too big to be read');
  return number;
}
