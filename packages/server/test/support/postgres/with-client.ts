import pg from 'pg';

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

/** One connection for as long as it is used. Big integers are numbers. */
export async function withClient<Result>(url: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, types });
  await client.connect().catch((error: Error) => {
    throw new Error(`PostgreSQL at ${client.host}:${client.port} does not take us in: ${error.message}`);
  });
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
