import type { Postgres } from '../support/postgres/cluster.mjs';
import { withClient } from '../support/postgres/with-client.ts';

export interface Change {
  /** The same on both servers if it is the same change. */
  readonly key: string;
  /** The transaction that made it. */
  readonly transaction: string;
  /** What Description was set to, of each record. */
  readonly descriptions: readonly string[];
}

export interface Facts {
  readonly changes: readonly Change[];
  readonly notifications: readonly { readonly id: string; readonly state: string }[];
}

const databaseOf = ({ url }: Postgres): string => url.replace(/\/[^/]*$/, '/watchbell');

export const factsOf = (server: Postgres): Promise<Facts> =>
  withClient(databaseOf(server), async (client) => {
    const changes = await client.query<{ number: string; at: string; transaction: string; records: string }>(
      'SELECT number, at, xmin::text AS transaction, records FROM record_change ORDER BY number',
    );
    const notifications = await client.query<{ id: string; state: string }>('SELECT id, state FROM notification');
    return { changes: changes.rows.map(toChange), notifications: notifications.rows };
  });

export const owedIn = (server: Postgres): Promise<number> =>
  withClient(databaseOf(server), async (client) => {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int FROM owed');
    return rows[0]?.count ?? 0;
  });

function toChange(row: { number: string; at: string; transaction: string; records: string }): Change {
  const records = JSON.parse(row.records) as { values: { Description?: string } }[];
  const descriptions = records.flatMap(({ values }) => values.Description ?? []);
  return { key: `${row.number} ${row.at} ${descriptions}`, transaction: row.transaction, descriptions };
}
