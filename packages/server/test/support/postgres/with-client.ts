import pg from 'pg';

/** One connection for as long as it is used. */
export async function withClient<Result>(url: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect().catch((error: Error) => {
    throw new Error(`PostgreSQL at ${client.host}:${client.port} does not take us in: ${error.message}`);
  });
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
