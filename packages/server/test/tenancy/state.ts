import { rowsIn, tablesIn } from '../support/test-data.ts';

/** What the store holds of an organisation, table by table; of the tables given only. */
export async function stateOf(
  dataDir: string,
  org: string,
  only?: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const tables = [...(await tablesIn(dataDir))].filter(([, columns]) => columns.includes('org_id'));
  const wanted = tables.map(([name]) => name).filter((name) => only === undefined || only.includes(name));
  const of = async (table: string, column: string) => {
    const rows = await rowsIn(dataDir, `SELECT * FROM ${table} WHERE ${column} = '${org}'`);
    return [table, JSON.stringify(rows.map((row) => JSON.stringify(row)).sort())] as const;
  };
  return Object.fromEntries(
    await Promise.all([...(only ? [] : [of('org', 'id')]), ...wanted.map((table) => of(table, 'org_id'))]),
  );
}
