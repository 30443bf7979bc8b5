import { Client, type ClientConfig } from 'pg';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Row } from '../db.ts';
import { failureKind, spoilsConnection, toStoreError } from './postgres-errors.ts';
import { createPipeline, type PipelineResult, preparedStatements } from './postgres-pipeline.ts';
import { plain, type Query } from './postgres-sql.ts';
import { unavailable } from './unavailable.ts';

/** All in milliseconds. */
export interface PostgresTimeouts {
  /** Until a connection stands. */
  readonly connect: number;
  /** That a call waits for a free connection. */
  readonly acquire: number;
  readonly statement: number;
  readonly lock: number;
  /** That the server waits for the next statement of a transaction. */
  readonly idleInTransaction: number;
  /** Beyond the statement's time, and at the end, that a server may say nothing: then it cannot be reached. */
  readonly silence: number;
}

export const DEFAULT_TIMEOUTS: PostgresTimeouts = {
  connect: 5_000,
  acquire: 10_000,
  statement: 15_000,
  lock: 5_000,
  idleInTransaction: 10_000,
  silence: 5_000,
};

export type DatabaseMetrics = Pick<Metrics, 'databaseSeconds' | 'databaseFailures'>;

/** Each call is one round trip and rejects with what a caller of the store is told. */
export interface PostgresConnection {
  /** All in one transaction of their own. */
  once(queries: readonly Query[]): Promise<Row[][]>;
  /** The first of a transaction that stays open. */
  begin(queries: readonly Query[]): Promise<Row[][]>;
  /** More of it, or of one that the statements themselves begin. */
  run(queries: readonly Query[]): Promise<Row[][]>;
  /** The last of it. What it comes to when this rejects is not known. */
  commit(queries: readonly Query[]): Promise<void>;
  rollback(): Promise<void>;
  /** Several statements in one text, without values. */
  script(text: string): Promise<void>;
  /** Behind a pooler a later transaction may meet another server: from now on it fails if that is of another timeline. */
  holdTo(timeline: number): void;
  /** No more of it is to be expected. */
  isSpoiled(): boolean;
  /** Told once, when it is. */
  onLost(call: () => void): void;
  /** Told what a notification of a channel that it listens to says. */
  onNotification(call: (payload: string) => void): void;
  end(): Promise<void>;
  /** At once, whatever is under way. */
  destroy(): void;
}

export interface ConnectionOptions {
  readonly timeouts: PostgresTimeouts;
  readonly metrics?: DatabaseMetrics | undefined;
  /** Shown by the server's own views. */
  readonly applicationName: string;
  /** Each transaction may run on another server process: nothing is set or kept there. */
  readonly pooler: boolean;
}

export const PLANNING: readonly (readonly [string, string])[] = [
  // One plan for each statement: none for what happens to be seldom at present, and no planning each time.
  ['plan_cache_mode', 'force_generic_plan'],
  // A plan made while a table was small is kept while it grows: whatever is joined is looked up row by row.
  ['enable_seqscan', 'off'],
  ['enable_hashjoin', 'off'],
  ['enable_mergejoin', 'off'],
  ['enable_material', 'off'],
  // It takes longer than any of the statements, and a scan that cannot be helped would ask for it.
  ['jit', 'off'],
];

/** So the server finds out within a minute that a node is gone without a word, whose connections would take others' room. */
const KEEP_ALIVE: readonly (readonly [string, string])[] = [
  ['tcp_keepalives_idle', '30'],
  ['tcp_keepalives_interval', '10'],
  ['tcp_keepalives_count', '3'],
];

/** What each transaction must run under; told to the server once, or to each transaction behind a pooler. */
const settingsOf = ({ timeouts, applicationName }: ConnectionOptions): readonly (readonly [string, string])[] => [
  ['application_name', applicationName],
  // Answered means durable (P1): a database or role may have been set to less.
  ['synchronous_commit', 'on'],
  ...PLANNING,
  ['statement_timeout', String(timeouts.statement)],
  ['lock_timeout', String(timeouts.lock)],
  ['idle_in_transaction_session_timeout', String(timeouts.idleInTransaction)],
];

/** Such as the driver was made for: with whom and where, as a URL or in parts. */
export async function connectPostgres(config: ClientConfig, options: ConnectionOptions): Promise<PostgresConnection> {
  const { timeouts, pooler } = options;
  const client = new Client({ ...config, connectionTimeoutMillis: timeouts.connect, keepAlive: true });
  const prepared = pooler ? undefined : preparedStatements();
  const lost: (() => void)[] = [];
  let isSpoiled = false;
  let warning: Error | undefined;

  function spoil(): void {
    if (isSpoiled) return;
    isSpoiled = true;
    for (const call of lost) call();
  }

  client.on('error', spoil);
  client.on('end', spoil);
  // Such as a wait for the standby that was given up: then a commit is not what was promised.
  client.on('notice', ({ severity, code, message }) => {
    // The word is in the language of the server's messages.
    if (severity === 'WARNING' || code?.startsWith('01')) warning = new Error(`The database warned: ${message}`);
  });

  const destroy = (): void => {
    spoil();
    streamOf(client).destroy();
  };

  const send = (queries: readonly Query[]): Promise<PipelineResult> =>
    new Promise((resolve, reject) => {
      // Counted anew from each answer: there may be many.
      const silence = setTimeout(destroy, timeouts.statement + timeouts.silence);
      warning = undefined;
      client.query(
        createPipeline(queries, prepared, {
          progress: () => silence.refresh(),
          answer(failure, result) {
            clearTimeout(silence);
            const error = failure ?? warning;
            if (error) reject(error);
            else resolve(result);
          },
        }),
      );
    });

  async function attempt(queries: readonly Query[]): Promise<PipelineResult> {
    const sentAt = performance.now();
    try {
      const result = await send(queries);
      options.metrics?.databaseSeconds.observe((performance.now() - sentAt) / 1000);
      return result;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      options.metrics?.databaseFailures.inc({ kind: failureKind(failure) });
      if (spoilsConnection(failure)) destroy();
      throw toStoreError(failure);
    }
  }

  const settings = settingsOf(options);
  let local: readonly Query[] = pooler ? [setting(settings, true)] : [];

  async function open(first: readonly Query[], queries: readonly Query[]): Promise<Row[][]> {
    return (await attempt([...first, ...queries])).rows.slice(first.length);
  }

  const connection: PostgresConnection = {
    once: (queries) => open(local, queries),
    begin: (queries) => open([BEGIN, ...local], queries),
    run: (queries) => open([], queries),
    async commit(queries) {
      const { tags } = await attempt([...queries, COMMIT]);
      if (tags.at(-1) === 'COMMIT') return;
      destroy();
      throw unavailable(new Error(`The database answered a commit with ${tags.at(-1)}`));
    },
    async rollback() {
      await attempt([ROLLBACK]);
    },
    async script(text) {
      await client.query(text);
    },
    holdTo(timeline) {
      if (pooler) local = [setting(settings, true), holdTimeline(timeline)];
    },
    isSpoiled: () => isSpoiled,
    onLost(call) {
      if (isSpoiled) call();
      else lost.push(call);
    },
    onNotification(call) {
      client.on('notification', ({ payload }) => call(payload ?? ''));
    },
    async end() {
      spoil();
      // A server that says nothing more would be waited for until the system gives up.
      const silence = setTimeout(destroy, timeouts.silence);
      await client.end().catch(() => undefined);
      clearTimeout(silence);
    },
    destroy,
  };

  try {
    await client.connect().catch((error) => {
      options.metrics?.databaseFailures.inc({ kind: failureKind(error) });
      throw error;
    });
    if (!pooler) await attempt([setting([...settings, ...KEEP_ALIVE], false)]);
    return connection;
  } catch (error) {
    destroy();
    throw error instanceof Error ? error : unavailable(new Error(String(error)));
  }
}

/** The driver has no call that ends a connection without asking the server. */
function streamOf(client: Client): { destroy(): void } {
  return (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
}

const BEGIN = plain('BEGIN');
const COMMIT = plain('COMMIT');
const ROLLBACK = plain('ROLLBACK');

const setting = (settings: readonly (readonly [string, string])[], isLocal: boolean): Query => ({
  text: `SELECT ${settings.map((_, i) => `set_config($${2 * i + 1}, $${2 * i + 2}, ${isLocal})`).join(', ')}`,
  values: settings.flat(),
});

/** As names of WAL files have it. */
const holdTimeline = (timeline: number): Query => ({
  text: 'SELECT hold_timeline($1::text)',
  values: [timeline.toString(16).toUpperCase().padStart(8, '0')],
});
