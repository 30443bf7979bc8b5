import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import type { Write } from '../../src/storage/db.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { PLANNING } from '../../src/storage/engines/postgres-connection.ts';
import { type Query, toQueries, toQuery } from '../../src/storage/engines/postgres-sql.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/database.ts';

/** Of a plan, as PostgreSQL tells it. */
export interface PlanStep {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanStep[];
}

export interface PlannedDatabase {
  query(text: string): Promise<pg.QueryResult>;
  /** All steps of how the server would look for its rows, for whatever values; of several that are one statement. */
  planOf(write: Write | readonly Write[]): Promise<PlanStep[]>;
  /** Carried out where its values are plain: what a search by halves looks up is not shown before that. */
  planCarriedOut(write: Write): Promise<PlanStep[]>;
}

function onlyOf(writes: readonly Write[]): Query {
  const [only, ...others] = toQueries(writes).queries;
  if (!only || others.length > 0) throw new Error('These are not one statement');
  return only;
}

const stepsOf = (step: PlanStep): PlanStep[] => [step, ...(step.Plans ?? []).flatMap(stepsOf)];

/** A new database for the tests of a file, asked as the product asks. */
export function openPlannedDatabase(): PlannedDatabase {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createDatabase();
    const secretKey = new Uint8Array(32);
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const store = await createPostgresStore({ url: database.url, secretKey, logger, time: 'injected', hints: false });
    await store.close();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    for (const [name, value] of PLANNING) await client.query(`SET ${name} = ${value}`);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  async function explain(text: string, given: readonly string[], options: string): Promise<PlanStep[]> {
    await client.query(`PREPARE asked AS ${text}`);
    const execute = `EXECUTE asked${given.length > 0 ? `(${given.join(', ')})` : ''}`;
    const { rows } = await client.query(`EXPLAIN (FORMAT JSON${options}) ${execute}`);
    await client.query('DEALLOCATE asked');
    return stepsOf(rows[0]['QUERY PLAN'][0].Plan);
  }

  const nulls = (values: readonly unknown[]): string[] => values.map(() => 'NULL');

  return {
    query: (text) => client.query(text),
    planOf(write) {
      const { text, values } = 'length' in write ? onlyOf(write) : toQuery(write);
      return explain(text, nulls(values), '');
    },
    planCarriedOut(write) {
      const { text, values } = toQuery(write);
      const isPlain = values.every((value) => typeof value === 'string');
      return explain(text, isPlain ? values.map((value) => `'${value}'`) : nulls(values), isPlain ? ', ANALYZE' : '');
    },
  };
}
