import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { emptyWrites } from '../../src/domain/working-set.ts';
import { type MoveOptions, moveStore } from '../../src/storage/engines/move-store.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { copyLine } from '../../src/storage/engines/postgres-copy.ts';
import { createSqliteStore } from '../../src/storage/engines/sqlite.ts';
import { backUpStore, restoreStore } from '../../src/storage/engines/sqlite-backup.ts';
import type { Store } from '../../src/storage/store.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { startTcpProxy, through } from '../support/tcp-proxy.ts';
import { addOrgs, createRecords, ORG, OTHER_ORG, openBatches, openChannel } from './suite/sample.ts';

const MOVER = fileURLToPath(new URL('./move-until.mjs', import.meta.url));
const KEYS = { key: new Uint8Array(32).fill(7), former: [] };
const OTHER_KEYS = { key: new Uint8Array(32).fill(8), former: [] };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'watchbell-move-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

const openEmbedded = (dataDir: string, isRestored = false): Promise<Store> =>
  createSqliteStore({ dataDir, secretKey: KEYS.key, logger: silent, isRestored });

const openDatabase = (url: string): Promise<Store> =>
  createPostgresStore({ url, secretKey: KEYS.key, logger: silent, time: 'injected' });

/** A new one, with the schema and nothing in it. */
async function emptyDatabase(): Promise<string> {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  await (
    await createPostgresStore({ url, secretKey: KEYS.key, logger: silent, time: 'injected', isLook: true })
  ).close();
  return url;
}

/** Characters that one of the two or the way between them could take for something else. */
const AWKWARD = [
  '',
  ' ',
  '\\',
  '\\N',
  '\\.',
  '\t',
  '\n',
  '\r\n',
  '\\t',
  '"',
  "'",
  '\u0001',
  '\u007f',
  'é',
  'e\u0301',
  '漢',
  '😀',
  '\uffff',
  '%_',
  '{"a":[1,"\\n"]}',
];
const NUMBERS = [0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
/** Of columns that are checked, or whose other side has to be there; those of one table by its name, too. */
const CHOICES: Readonly<Record<string, readonly (string | number)[]>> = {
  'lapse.kind': ['expired', 'overflow'],
  'token.kind': ['access'],
  'attempt.kind': ['delivered', 'rejected', 'unreachable', 'forbidden'],
  'job.kind': ['redeliver', 'replay', 'rematch'],
  operation: ['insert', 'update', 'delete'],
  'notification.state': ['pending', 'delivered', 'parked', 'cancelled'],
  'undelivered.state': ['parked', 'cancelled'],
  'job.state': ['running', 'paused', 'done', 'failed', 'cancelled'],
  'notice.state': ['pending', 'delivered', 'parked'],
  status: ['active', 'inactive', 'removed'],
  is_online: [0, 1],
  is_external: [0, 1],
  with_values: [0, 1],
  notify_on_related: [0, 1],
  profile_id: ['profile'],
};
const ROWS = 40;

interface ColumnInfo {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
}

/** A store in which every table has rows, of everything that may stand in its columns. */
async function storeOfAllTables(rows = ROWS): Promise<string> {
  const dataDir = await directory();
  await (await openEmbedded(dataDir)).close();
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  const tables = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migration'",
    )
    .pluck()
    .all();
  db.exec("INSERT INTO profile VALUES ('org', 'profile', 'Any', '[]')");
  for (const table of tables) {
    const columns = db.prepare<[string], ColumnInfo>('SELECT * FROM pragma_table_info(?)').all(table);
    const insert = db.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`);
    db.transaction(() => {
      for (let i = 0; i < rows; i += 1) insert.run(columns.map((column, c) => cellOf(table, column, i, c)));
    })();
  }
  db.close();
  return dataDir;
}

function cellOf(table: string, { name, type, notnull, pk }: ColumnInfo, i: number, c: number): string | number | null {
  if (name === 'org_id') return 'org';
  const choice = CHOICES[`${table}.${name}`] ?? CHOICES[name];
  if (choice) return choice[i % choice.length] ?? null;
  if (notnull === 0 && (i + c) % 3 === 0) return null;
  const isUnique = pk > 0 || name === 'id' || name === 'email' || name === 'channel_id';
  if (type === 'INTEGER') return isUnique ? i : (NUMBERS[(i + c) % NUMBERS.length] ?? 0);
  const text = AWKWARD[(i + c) % AWKWARD.length] ?? '';
  return isUnique ? `${text} ${i}` : text;
}

/** All rows of all tables as text, by another way than the move compares them. */
function rowsOfStore(dataDir: string): Record<string, string[]> {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
  db.defaultSafeIntegers();
  const all: Record<string, string[]> = {};
  for (const { name } of db
    .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()) {
    if (name.startsWith('sqlite_') || name === 'migration') continue;
    const rows = db.prepare<[], Record<string, unknown>>(`SELECT * FROM ${name}`).all();
    all[name] = sortedRows(rows);
  }
  db.close();
  return all;
}

async function rowsOfDatabase(url: string): Promise<Record<string, string[]>> {
  return withClient(url, async (client) => {
    const all: Record<string, string[]> = {};
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    for (const { name } of tables) {
      if (['migration', 'node', 'bucket'].includes(name)) continue;
      all[name] = sortedRows((await client.query(`SELECT * FROM ${name}`)).rows);
    }
    return all;
  });
}

const OF_THE_PLACE = ['moved_to', 'moved_from', 'moving', 'timeline', 'probe'];
const sortedRows = (rows: readonly Record<string, unknown>[]): string[] =>
  rows
    .filter(({ name, value }) => !(typeof value === 'string' && OF_THE_PLACE.includes(String(name))))
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .map(([name, value]) => [name, value === null ? null : String(value)])
          .sort(),
      ),
    )
    .sort();

async function countOf(url: string, table: string): Promise<number> {
  return withClient(url, async (client) =>
    Number((await client.query(`SELECT count(*) AS count FROM ${table}`)).rows[0]?.count),
  );
}

const move = (dataDir: string, url: string, more: Partial<MoveOptions> = {}) =>
  moveStore({ dataDir, keys: KEYS, url, ...more });

/** The signal by which a process ends that moves so much. */
async function killedWhile(doing: string, part: number, dataDir: string, url: string): Promise<unknown> {
  const child = spawn(process.execPath, [MOVER, dataDir, url, doing, String(part)], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  return signal;
}

const code = (expected: string, message = /./) =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) });

test('every table comes over whole, whatever stands in it, and is told with its rows', async () => {
  const dataDir = await storeOfAllTables();
  const url = await emptyDatabase();
  const before = rowsOfStore(dataDir);
  const facts = await move(dataDir, url);
  expect(Object.values(before).every((rows) => rows.length > 0)).toBe(true);
  expect(await rowsOfDatabase(url)).toEqual(before);
  expect(rowsOfStore(dataDir)).toEqual(before);
  expect(Object.fromEntries(facts.tables.map(({ name, rows }) => [name, rows]))).toEqual(
    Object.fromEntries(Object.entries(before).map(([name, rows]) => [name, rows.length])),
  );
  expect(facts.counters).toMatchObject({ organisations: ROWS, owed: ROWS });
});

test('of several servers that are named it fills the one that answers', async () => {
  const dataDir = await storeOfAllTables(2);
  const url = await emptyDatabase();
  const dead = url.replace(/@[^/]+/, '@127.0.0.1:1');
  await expect(move(dataDir, dead)).rejects.toEqual(code('CANNOT_OPEN', /127\.0\.0\.1:1: .*ECONNREFUSED/));
  await move(dataDir, url.replace('@', '@127.0.0.1:1,'));
  expect(await countOf(url, 'org')).toBe(2);
});

test('a line that COPY takes has none of its own marks in a value', () => {
  expect(copyLine(['a\\b', null, 'c\td', 'e\nf\rg', '\\N'])).toBe('a\\\\b\t\\N\tc\\td\te\\nf\\rg\t\\\\N\n');
});

test('what was moved is served by the database alone: the numbers go on there, and the store opens no more', async () => {
  const dataDir = await directory();
  const url = await emptyDatabase();
  const store = await openEmbedded(dataDir);
  await addOrgs(store, ORG, OTHER_ORG);
  const batches = openBatches(store);
  await batches.run(ORG, {}, (set) => openChannel(set, '1'));
  await batches.run(ORG, {}, (set) => createRecords(set, 3));
  await store.close();
  await move(dataDir, url);

  await expect(openEmbedded(dataDir)).rejects.toEqual(code('STORE_MOVED', /127\.0\.0\.1.*--restored/));
  const moved = await openDatabase(url);
  onTestFinished(() => moved.close());
  const there = openBatches(moved);
  await there.run(ORG, {}, (set) => createRecords(set, 1));
  expect(there.commits.at(-1)?.notifications.map(({ number }) => number)).toEqual([2]);
});

test('a store that was moved is served again only as one that begins a new history', async () => {
  const dataDir = await directory();
  const url = await emptyDatabase();
  const store = await openEmbedded(dataDir);
  await addOrgs(store, ORG);
  await store.close();
  await move(dataDir, url);
  await (await openEmbedded(dataDir, true)).close();
  // Once said, it is a store like others.
  const again = await openEmbedded(dataDir);
  const epoch = await again.writing.inOrg(ORG, {}, ({ epoch, counters }) => ({
    writes: emptyWrites(counters),
    result: epoch,
  }));
  await again.close();
  expect(epoch.number).toBe(1);
});

test('a backup that was made before a move or after it is restored as ever', async () => {
  const root = await directory();
  const dataDir = join(root, 'data');
  const url = await emptyDatabase();
  const store = await openEmbedded(dataDir);
  await addOrgs(store, ORG);
  await store.close();
  await move(dataDir, url);
  await backUpStore(dataDir, join(root, 'backup'));
  await restoreStore(join(root, 'backup'), join(root, 'restored'), KEYS);
  await (await openEmbedded(join(root, 'restored'))).close();
});

test('a second time nothing is done, and another database is not filled as well', async () => {
  const dataDir = await storeOfAllTables(3);
  const [url, other] = [await emptyDatabase(), await emptyDatabase()];
  const first = await move(dataDir, url);
  expect(first.doneBefore).toBeUndefined();
  const second = await move(dataDir, url);
  expect(second).toMatchObject({ doneBefore: expect.any(Number), tables: [] });
  await expect(move(dataDir, other)).rejects.toEqual(code('STORE_MOVED'));
  expect(await countOf(other, 'org')).toBe(0);
});

test('a database that holds anything is refused by what it holds, and stays as it is', async () => {
  const dataDir = await storeOfAllTables(3);
  const url = await emptyDatabase();
  const store = await openDatabase(url);
  await addOrgs(store, ORG);
  await store.close();
  await expect(move(dataDir, url)).rejects.toEqual(code('NOT_EMPTY', /org, profile, user_account/));
  expect(await countOf(url, 'org')).toBe(1);
  const filled = await emptyDatabase();
  await move(await storeOfAllTables(2), filled);
  await expect(move(dataDir, filled)).rejects.toEqual(code('NOT_EMPTY', /moved there from/));
  expect(await countOf(filled, 'org')).toBe(2);
  await (await openEmbedded(dataDir)).close();
});

test('one that had organisations is refused though none is left', async () => {
  const url = await emptyDatabase();
  await withClient(url, (client) => client.query("INSERT INTO meta VALUES ('orgs_made', '12')"));
  await expect(move(await storeOfAllTables(2), url)).rejects.toEqual(code('NOT_EMPTY', /meta orgs_made/));
});

test('a running server is refused by name, of the store as of the database', async () => {
  const dataDir = await directory();
  const url = await emptyDatabase();
  const running = await openEmbedded(dataDir);
  await expect(move(dataDir, url)).rejects.toEqual(code('DATA_DIR_IN_USE'));
  await running.close();
  await withClient(url, async (client) => {
    await client.query(
      "INSERT INTO node (id, lease_until, is_leaving) VALUES ('node-1', extract(epoch FROM now() + interval '1 hour') * 1000, 0)",
    );
    await expect(move(dataDir, url)).rejects.toEqual(code('DATABASE_IN_USE', /node-1/));
    await client.query('UPDATE node SET lease_until = 0');
    await client.query('BEGIN');
    await client.query("INSERT INTO meta VALUES ('any', 'thing')");
    await expect(move(dataDir, url)).rejects.toEqual(code('DATABASE_IN_USE'));
    await client.query('ROLLBACK');
  });
  await move(dataDir, url);
});

test('the wrong key, an older schema, a newer one, and no store at all are refused before anything is done', async () => {
  const dataDir = await storeOfAllTables(3);
  const url = await emptyDatabase();
  await expect(move(dataDir, url, { keys: OTHER_KEYS })).rejects.toEqual(code('WRONG_SECRET_KEY'));
  const name = (to: string) => {
    const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
    db.prepare('UPDATE migration SET name = ? WHERE name = (SELECT max(name) FROM migration)').run(to);
    db.close();
  };
  name('9999_later');
  await expect(move(dataDir, url)).rejects.toEqual(code('STORE_TOO_NEW'));
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  db.exec('DELETE FROM migration');
  db.close();
  await expect(move(dataDir, url)).rejects.toEqual(code('STORE_TOO_OLD', /0001_init.*migrate/));
  await expect(move(await directory(), url)).rejects.toEqual(code('CANNOT_OPEN'));
  expect(await countOf(url, "meta WHERE name = 'moving'")).toBe(0);
});

test.each([
  ['a column more', 'ALTER TABLE lapse ADD COLUMN why TEXT', /lapse.*why text/],
  ['a table more', 'CREATE TABLE added (id TEXT PRIMARY KEY)', /added/],
  ['another type', 'ALTER TABLE lapse ALTER COLUMN at TYPE text', /lapse.*at text/],
  ['another key', 'ALTER TABLE lapse DROP CONSTRAINT lapse_pkey', /lapse.*key/],
])('a database with %s is refused', async (_, change, says) => {
  const url = await emptyDatabase();
  await withClient(url, (client) => client.query(change));
  await expect(move(await storeOfAllTables(1), url)).rejects.toEqual(code('NOT_MOVED', says));
});

test.each([
  ['alters a value', "NEW.field_values := NEW.field_values || ' '; RETURN NEW;", /record was read.*other content/],
  ['drops a row', "IF NEW.id LIKE '% 1' THEN RETURN NULL; END IF; RETURN NEW;", /record was read.*2 rows instead of 3/],
  ['refuses a row', "RAISE EXCEPTION 'no room';", /no room/],
])('a database that %s is noticed, nothing of it stays, and the store is served as before', async (_, body, says) => {
  const dataDir = await storeOfAllTables(3);
  const url = await emptyDatabase();
  await withClient(url, async (client) => {
    await client.query(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`);
    await client.query('CREATE TRIGGER spoil BEFORE INSERT ON record FOR EACH ROW EXECUTE FUNCTION spoil()');
  });
  await expect(move(dataDir, url)).rejects.toEqual(code('NOT_MOVED', says));
  expect(await countOf(url, 'org')).toBe(0);
  await (await openEmbedded(dataDir)).close();
  await withClient(url, (client) => client.query('DROP TRIGGER spoil ON record'));
  await move(dataDir, url);
});

test('a source whose rows cannot be read to the end leaves nothing', async () => {
  const dataDir = await storeOfAllTables(3);
  const url = await emptyDatabase();
  let isBroken = true;
  const onProgress: MoveOptions['onProgress'] = ({ table }) => {
    if (isBroken && table === 'record') throw new Error('unreadable');
  };
  await expect(move(dataDir, url, { onProgress })).rejects.toEqual(code('NOT_MOVED', /unreadable/));
  expect(await countOf(url, 'org')).toBe(0);
  isBroken = false;
  await move(dataDir, url, { onProgress });
});

/** The part of all rows after which the process is killed. */
test.each([
  ['copying', 0.01],
  ['copying', 1],
  ['comparing', 0.5],
  ['comparing', 1],
] as const)(
  'killed while %s, at %d of it, it leaves nothing that is served, and can be done again',
  async (doing, part) => {
    const dataDir = await storeOfAllTables();
    const url = await emptyDatabase();
    expect(await killedWhile(doing, part, dataDir, url)).toBe('SIGKILL');
    await expect(openDatabase(url)).rejects.toEqual(code('BEING_MOVED', /migrate-store/));
    await (await openEmbedded(dataDir)).close();
    const before = rowsOfStore(dataDir);
    await move(dataDir, url);
    expect(await rowsOfDatabase(url)).toEqual(before);
  },
);

test.each([
  ['was lost on its way', true],
  ['was not made', false],
])('a commit whose answer %s is known by the next run', async (_, isMade) => {
  const dataDir = await storeOfAllTables(3);
  const url = await emptyDatabase();
  const proxy = await startTcpProxy(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  let isArmed = false;
  const onProgress: MoveOptions['onProgress'] = ({ doing }) => {
    if (doing !== 'comparing' || isArmed) return;
    isArmed = true;
    // What precedes the commit writes the mark of it.
    void proxy.loseNext(isMade ? 'COMMIT' : 'INSERT 0 1');
  };
  const before = rowsOfStore(dataDir);
  await expect(move(dataDir, through(proxy, url), { onProgress })).rejects.toEqual(code('NOT_MOVED', /Run it again/));
  if (isMade) await expect(openEmbedded(dataDir)).rejects.toEqual(code('STORE_MOVED'));
  else await (await openEmbedded(dataDir)).close();
  const again = await move(dataDir, url);
  expect(again.doneBefore !== undefined).toBe(isMade);
  expect(await rowsOfDatabase(url)).toEqual(before);
});

test('a store that was said to be moved, and was not, is moved by the next run and not served meanwhile', async () => {
  const dataDir = await storeOfAllTables(3);
  const url = await emptyDatabase();
  await move(dataDir, url);
  // As it stands after a commit that the database never heard of.
  await withClient(url, async (client) => {
    const tables = Object.keys(rowsOfStore(dataDir)).filter((name) => name !== 'meta');
    await client.query(`TRUNCATE ${tables.join(', ')}`);
    await client.query("DELETE FROM meta WHERE name <> 'moved_from'");
    await client.query("UPDATE meta SET name = 'moving'");
  });
  await expect(openEmbedded(dataDir)).rejects.toEqual(code('STORE_MOVED'));
  await expect(openDatabase(url)).rejects.toEqual(code('BEING_MOVED'));
  expect(await killedWhile('comparing', 1, dataDir, url)).toBe('SIGKILL');
  expect(await move(dataDir, url)).toMatchObject({
    tables: expect.arrayContaining([expect.objectContaining({ rows: 3 })]),
  });
  expect(await rowsOfDatabase(url)).toEqual(rowsOfStore(dataDir));
});
