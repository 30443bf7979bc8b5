import { readDatabaseUrl, showDatabase } from './domain/database-url.ts';
import { shortestLease } from './domain/lease.ts';
import { SETTINGS, type SettingName } from './settings.ts';

/** A PostgreSQL database that nodes share. Times in milliseconds. */
export interface DatabaseConfig {
  /** With the password, so for nobody's eyes. */
  readonly url: string;
  /** Hosts and database, for people. */
  readonly shown: string;
  /** Most connections of this node. */
  readonly poolSizes: { readonly writing: number; readonly reading: number };
  readonly timeouts: {
    readonly connect: number;
    readonly statement: number;
    readonly lock: number;
    readonly idleInTransaction: number;
  };
  /** Connections are dealt by transaction. */
  readonly pooler: boolean;
  /** Nodes wake each other. */
  readonly hints: boolean;
  /** How long a node owns its buckets without renewing. */
  readonly leaseMs: number;
}

/** How settings are read; each problem is said of the setting that it names. */
interface SettingReader {
  text(name: SettingName): string | undefined;
  /** Rather than left as it is by itself. */
  isGiven(name: SettingName): boolean;
  integer(name: SettingName, least: number, most: number): number;
  oneOf<const Value extends string>(name: SettingName, values: readonly Value[]): Value;
  problem(name: SettingName, what: string): void;
}

/** Settings of what nodes on one database have; without one they would do nothing. */
const WITH_DATABASE = [
  'databaseWriteConnections',
  'databaseReadConnections',
  'databaseConnectTimeout',
  'databaseStatementTimeout',
  'databaseLockTimeout',
  'databaseIdleTimeout',
  'databasePooler',
  'databaseHints',
  'leaseSeconds',
] as const satisfies readonly SettingName[];

/** `deadline`: of an attempt, ms. Undefined: the embedded store; as well when the URL is not usable. */
export function readDatabase(
  { text, isGiven, integer, oneOf, problem }: SettingReader,
  deadline: number,
): DatabaseConfig | undefined {
  const given = text('databaseUrl');
  if (given === undefined) {
    for (const name of WITH_DATABASE) {
      if (isGiven(name)) problem(name, `needs ${SETTINGS.databaseUrl.env}: the embedded store has nothing of the kind`);
    }
    return undefined;
  }
  const leaseMs = integer('leaseSeconds', 5, 300) * 1000;
  const leastLease = shortestLease(deadline);
  if (leaseMs < leastLease) {
    const { env, flag } = SETTINGS.attemptTimeout;
    const least = Math.ceil(leastLease / 1000);
    problem(
      'leaseSeconds',
      `must be at least ${least} with ${env} (${flag}) ${deadline / 1000}, or no attempt could start`,
    );
  }
  const pooler = oneOf('databasePooler', ['on', 'off']) === 'on';
  const hints = oneOf('databaseHints', ['on', 'off']) === 'on';
  if (pooler && hints && isGiven('databaseHints')) {
    problem(
      'databaseHints',
      `cannot be on with ${SETTINGS.databasePooler.env} on: who waits to be woken keeps a connection`,
    );
  }
  const rest = {
    poolSizes: {
      writing: integer('databaseWriteConnections', 2, 100),
      reading: integer('databaseReadConnections', 1, 100),
    },
    timeouts: {
      connect: integer('databaseConnectTimeout', 1, 60) * 1000,
      statement: integer('databaseStatementTimeout', 1, 600) * 1000,
      lock: integer('databaseLockTimeout', 1, 600) * 1000,
      idleInTransaction: integer('databaseIdleTimeout', 1, 600) * 1000,
    },
    pooler,
    hints: hints && !pooler,
    leaseMs,
  };
  try {
    return { url: given, shown: showDatabase(readDatabaseUrl(given)), ...rest };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problem('databaseUrl', error.message);
    return undefined;
  }
}
