import type { Db, Statement } from '../db.ts';
import { text } from '../rows.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/**
 * Removed rows are dead until a vacuum; it may come late where they are few among many. What is left of their bytes in
 * free space, in the log and on standbys is the server's (docs/operations.md).
 */
export async function vacuum(
  db: Pick<Db, 'read'>,
  orgTables: Statement,
  connect: () => Promise<PostgresConnection>,
): Promise<boolean> {
  const [tables = []] = await db.read([orgTables]);
  const connection = await connect();
  try {
    await connection.script('SET statement_timeout = 0');
    await connection.script('SET vacuum_cost_delay = 2');
    // Cutting off the end of a file would lock everybody out for a moment.
    for (const name of [...tables.map((row) => text(row, 'name')), 'org']) {
      await connection.script(`VACUUM (TRUNCATE FALSE) "${name}"`);
    }
    return true;
  } finally {
    await connection.end();
  }
}
