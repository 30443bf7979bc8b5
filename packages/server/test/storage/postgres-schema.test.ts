import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keyValue } from '../../src/domain/record.ts';
import { sql } from '../../src/storage/db.ts';
import { createPostgresStore, postgresMigrationStatus } from '../../src/storage/engines/postgres.ts';
import { DIALECT } from '../../src/storage/engines/postgres-dialect.ts';
import { toQuery } from '../../src/storage/engines/postgres-sql.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { addOrgs, createRecords, markErasing, ORG, openBatches, openChannel } from './suite/sample.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function makeDatabase(): Promise<string> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

async function openStore(url: string): Promise<Store> {
  const secretKey = new Uint8Array(32).fill(7);
  const store = await createPostgresStore({ url, secretKey, logger: silent, time: 'injected', hints: false });
  onTestFinished(() => store.close());
  return store;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const status = (url: string) => postgresMigrationStatus({ url, logger: silent });

describe('migrations of a database', () => {
  it('are applied once, however many nodes start at once on an empty one', async () => {
    const url = await makeDatabase();
    const { applied, pending } = await status(url);
    expect(applied).toEqual([]);
    expect(pending).toContain('0001_init');
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(url)));
    expect(await Promise.all(stores.map((store) => store.check()))).toEqual(stores.map(() => ({ ok: true })));
    expect(await status(url)).toEqual({ applied: pending, pending: [] });
  });

  it('refuse a database that is newer than the code, or that an edited migration made', async () => {
    const url = await makeDatabase();
    await (await openStore(url)).close();
    const client = await connect(url);
    await client.query("INSERT INTO migration VALUES ('9999_later', 'x', 0)");
    const newer = { code: 'STORE_TOO_NEW', message: expect.stringContaining('9999_later') };
    await expect(openStore(url)).rejects.toMatchObject(newer);
    await expect(status(url)).rejects.toMatchObject(newer);
    await client.query("DELETE FROM migration WHERE name = '9999_later'");
    await client.query("UPDATE migration SET checksum = 'x'");
    await expect(openStore(url)).rejects.toMatchObject({ code: 'MIGRATION_EDITED' });
  });

  it('leave nothing behind when they fail, and say why', async () => {
    const url = await makeDatabase();
    const client = await connect(url);
    await client.query('CREATE TABLE lapse (id INT)');
    await expect(openStore(url)).rejects.toMatchObject({
      code: 'CANNOT_OPEN',
      message: expect.stringContaining('lapse'),
    });
    const { rows } = await client.query(
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    expect(rows).toEqual([{ relname: 'lapse' }]);
    await client.query('DROP TABLE lapse');
    expect(await (await openStore(url)).check()).toEqual({ ok: true });
  });
});

describe('the schema on PostgreSQL', () => {
  it('compares every text by its bytes, and has no row that nobody saved', async () => {
    const url = await makeDatabase();
    await openStore(url);
    const client = await connect(url);
    const { rows } = await client.query(`
      SELECT t.relname || '.' || c.attname AS name FROM pg_attribute c
      JOIN pg_class t ON t.oid = c.attrelid JOIN pg_type y ON y.oid = c.atttypid
      WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND y.typname = 'text'
        AND c.attcollation <> '"C"'::regcollation AND t.relname || '.' || c.attname <> 'migration.checksum'`);
    expect(rows).toEqual([]);
    const tables = await client.query(
      "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    const filled = [];
    for (const { name } of tables.rows) {
      const { rows: some } = await client.query(`SELECT 1 FROM ${name} LIMIT 1`);
      if (some.length > 0) filled.push(name);
    }
    expect(filled.sort()).toEqual(['bucket', 'meta', 'migration']);
  });

  it('has no index on what is saved again and again, so that these updates touch no index', async () => {
    const url = await makeDatabase();
    await openStore(url);
    const client = await connect(url);
    const hot = {
      org: ['next_serial', 'last_change', 'channel_version', 'catalog_version', 'last_time'],
      channel: ['last_number', 'overflow_from', 'restarts', 'epoch'],
      notification: ['state', 'attempts_made', 'reason', 'settled_at'],
      owed: ['attempts_made', 'due_at'],
      node: ['lease_until', 'is_leaving'],
      bucket: ['node', 'epoch'],
    };
    // Also those that only the condition of a partial index names.
    const { rows } = await client.query<{ name: string; columns: string[] }>(`
      SELECT t.relname AS name, array_agg(DISTINCT c.attname::text) AS columns
      FROM pg_class t JOIN pg_index i ON i.indrelid = t.oid
      JOIN pg_depend d ON d.refobjid = t.oid AND d.refobjsubid > 0 AND (d.objid = i.indexrelid OR d.objid IN (
        SELECT k.oid FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = t.oid))
      JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = d.refobjsubid
      WHERE t.relnamespace = 'public'::regnamespace GROUP BY t.relname`);
    const indexed = new Map(rows.map(({ name, columns }) => [name, columns]));
    expect(indexed.get('channel')).toEqual(expect.arrayContaining(['org_id', 'generation', 'ended_at', 'lapsed_from']));
    for (const [table, columns] of Object.entries(hot)) {
      expect(indexed.get(table)?.length, table).toBeGreaterThan(0);
      expect(
        columns.filter((column) => indexed.get(table)?.includes(column)),
        table,
      ).toEqual([]);
    }
  });

  it('has an order of tables in which an organisation can be erased, each with its key', async () => {
    const url = await makeDatabase();
    const store = await openStore(url);
    const tables = await store.erasure.tables();
    const client = await connect(url);
    const { rows } = await client.query(
      "SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'org_id' AND table_schema = 'public'",
    );
    expect(tables.map(({ name }) => name).sort()).toEqual(rows.map(({ name }) => name).sort());
    expect(tables.find(({ name }) => name === 'notification')?.key).toBe('org_id, generation, number');
    await addOrgs(store, ORG);
    const batches = openBatches(store);
    await batches.run(ORG, {}, (set) => openChannel(set, '1'));
    await batches.run(ORG, {}, (set) => createRecords(set, 3));
    await markErasing(batches, ORG);
    for (const table of tables) while ((await store.erasure.removeSome(ORG, table)) > 0);
    await store.erasure.removeOrg(ORG);
    expect(await store.erasure.seal()).toBe(true);
    expect(await store.accounts.listOrgs()).toEqual([]);
    for (const { name } of tables) expect((await client.query(`SELECT 1 FROM ${name}`)).rows).toEqual([]);
  });
});

describe('the folding of texts', () => {
  it('is that of JavaScript for every character', async () => {
    const url = await makeDatabase();
    await openStore(url);
    const client = await connect(url);
    const { text: query } = toQuery(
      sql`SELECT ${DIALECT.fold(sql`u.value`)} AS folded FROM unnest($1::text[]) WITH ORDINALITY u (value, n) ORDER BY n`,
    );
    const letters = Array.from({ length: 0x10ffff }, (_, i) => i + 1)
      .filter((point) => point < 0xd800 || point > 0xdfff)
      .map((point) => String.fromCodePoint(point));
    // All of them among others; those that may be blanks by themselves, too.
    const among = Array.from({ length: Math.ceil(letters.length / 64) }, (_, i) =>
      ['', ...letters.slice(64 * i, 64 * (i + 1)), ''].join('Äz'),
    );
    const texts = [...among, ...letters.filter((letter) => letter < '\u3100' || /\s/.test(letter))];
    const { rows } = await client.query<{ folded: string }>(query, [texts]);
    expect(rows).toHaveLength(texts.length);
    const wrong = texts.filter((value, i) => rows[i]?.folded !== keyValue(value));
    expect(wrong).toEqual([]);
  });

  it.each([
    '  ΟΔΟΣ ΣΑΣ  ',
    'İstanbul',
    'STRASSE straße ẞ',
    'ÀÉÎ Ñandú',
    'ПРИВЕТ Мир',
    '\u00a0\ufeffx\u2003',
    'Ǆ ǅ ǆ',
    '',
  ])('is that of JavaScript for %j', async (value) => {
    const url = await makeDatabase();
    await openStore(url);
    const client = await connect(url);
    const { text, values } = toQuery(sql`SELECT ${DIALECT.fold(sql`${value}`)} AS folded`);
    expect((await client.query(text, [...values])).rows).toEqual([{ folded: keyValue(value) }]);
  });
});
