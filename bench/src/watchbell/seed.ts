// Rows put into the embedded store of a stopped server, as the server itself would have written them.
import { join } from 'node:path';
// The server's own, of the root install.
import Sqlite, { type Database } from 'better-sqlite3';
import { subjectOf } from '../../../packages/server/dist/storage/subjects.js';

const HOUR_MS = 3_600_000;
/** Over so long, and that long ago, they were made: no retention concerns them yet. */
const SPAN_MS = 60 * HOUR_MS;
const AGO_MS = 2 * HOUR_MS;
const ROWS_PER_COMMIT = 100_000;
/** As many different ones are changed as there are contacts, in an order that jumps about. */
const STEP = 7919;

interface Standing {
  readonly org: string;
  readonly user: string;
  readonly lastChange: number;
  readonly channelVersion: number;
  readonly channels: readonly { readonly generation: string; readonly version: string; readonly last_number: number }[];
}

function open(dir: string): Database {
  const db = new Sqlite(join(dir, 'watchbell.sqlite'));
  // What fails in between is thrown away as a whole.
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -500000');
  return db;
}

function close(db: Database): void {
  db.pragma('journal_mode = WAL');
  db.close();
}

function standing(db: Database): Standing {
  const org = db.prepare('SELECT id, last_change, channel_version FROM org').get() as {
    id: string;
    last_change: number;
    channel_version: number;
  };
  const channels = db
    .prepare('SELECT generation, version, last_number FROM channel WHERE ended_at IS NULL ORDER BY generation')
    .all() as { generation: string; version: string; last_number: number }[];
  const user = db.prepare('SELECT id FROM user_account').pluck().get() as string;
  return { org: org.id, user, lastChange: org.last_change, channelVersion: org.channel_version, channels };
}

/** A range of rows `i` at a time, each in a commit of its own. */
function inPieces(db: Database, total: number, insert: (series: string) => string): void {
  for (let from = 1; from <= total; from += ROWS_PER_COMMIT) {
    const to = Math.min(total, from + ROWS_PER_COMMIT - 1);
    db.exec(
      insert(
        `(WITH RECURSIVE s(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM s WHERE i < ${to}) SELECT i FROM s) s`,
      ),
    );
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * So many changes of one contact each, by turns, that every channel there is was owed: delivered by the first attempt, or
 * `isOwed` still. Each has the marker of its number, from 0.
 */
export function seedChanges(dir: string, changes: number, isOwed: boolean): void {
  const db = open(dir);
  const { org, user, lastChange, channelVersion, channels } = standing(db);
  const ids = db.prepare("SELECT id FROM record WHERE module = 'Contacts' ORDER BY id").pluck().all() as string[];
  db.exec('CREATE TEMP TABLE seeded (at INTEGER PRIMARY KEY, id TEXT NOT NULL, subject INTEGER NOT NULL)');
  const add = db.prepare('INSERT INTO seeded VALUES (?, ?, ?)');
  db.transaction(() => ids.forEach((id, at) => void add.run(at, id, subjectOf('Contacts', id))))();
  const id = `(SELECT id FROM seeded WHERE at = (i * ${STEP}) % ${ids.length})`;
  const start = Date.now() - AGO_MS - SPAN_MS;
  const at = `(${start} + i * ${SPAN_MS} / ${changes})`;
  const change = `${lastChange} + i`;
  const numbered = channels.map(({ generation, last_number: last }) => `"${generation}":' || (${last} + i) || '`);
  inPieces(
    db,
    changes,
    (series) => `
      INSERT INTO record_change (org_id, number, module, operation, at, changed_by, records, numbered, channel_version)
      SELECT '${org}', ${change}, 'Contacts', 'update', ${at}, '${user}',
        '[{"id":"' || ${id} || '","fields":["Description"],"values":{"Description":"t:' || printf('%012d', i - 1) ||
          ${quoted(` ${'a text of a usual length, '.repeat(9)}`)} || '"},"related":[]}]',
        '{${numbered.join(',')}}', ${channelVersion} FROM ${series}`,
  );
  // In the order of the key, so that no page of the table is filled in twice.
  db.exec(
    `INSERT INTO change_subject (org_id, subject, change_number)
     SELECT '${org}', subject, ${lastChange} + i FROM
       (WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${changes}) SELECT i FROM s)
     JOIN seeded ON at = (i * ${STEP}) % ${ids.length} ORDER BY subject, i`,
  );
  inPieces(
    db,
    changes,
    (series) => `
      INSERT INTO change_subject (org_id, subject, change_number)
      SELECT '${org}', ${subjectOf('Contacts')}, ${change} FROM ${series}`,
  );
  for (const { generation, version, last_number: last } of channels) {
    const key = `'${org}', '${generation}', ${last} + i`;
    const outcome = isOwed ? "'pending', 0, NULL" : `'delivered', 1, ${at} + 12`;
    inPieces(
      db,
      changes,
      (series) => `
        INSERT INTO notification (org_id, generation, number, id, change_number, module, operation, ids, version,
          with_values, state, attempts_made, settled_at)
        SELECT ${key}, 'msg_' || printf('%012x', ${at}) || substr('${generation}', -6) || printf('%014d', i), ${change},
          'Contacts', 'update', '["' || ${id} || '"]', '${version}', 1, ${outcome} FROM ${series}`,
    );
    if (isOwed) {
      inPieces(
        db,
        changes,
        (series) => `
          INSERT INTO owed (org_id, generation, number, change_number, attempts_made)
          SELECT ${key}, ${change}, 0 FROM ${series}`,
      );
    } else {
      inPieces(
        db,
        changes,
        (series) => `
          INSERT INTO attempt (org_id, generation, number, attempt, at, duration_ms, kind, outcome, address, sent_ms,
            answered_ms)
          SELECT ${key}, 1, ${at}, 12, 'delivered', '{"kind":"delivered","status":200}', '127.0.0.1:8080', 1, 11
          FROM ${series}`,
      );
    }
    db.prepare('UPDATE channel SET last_number = ? WHERE org_id = ? AND generation = ?').run(
      last + changes,
      org,
      generation,
    );
  }
  db.prepare('UPDATE org SET last_change = ?, last_time = max(last_time, ?) WHERE id = ?').run(
    lastChange + changes,
    start + SPAN_MS,
    org,
  );
  close(db);
}

/** Copies of a contact, until there are `total`. */
export function seedContacts(dir: string, total: number): void {
  const db = open(dir);
  const { org } = standing(db);
  const have = db.prepare("SELECT count(*) FROM record WHERE module = 'Contacts'").pluck().get() as number;
  const next = db.prepare('SELECT next_serial FROM org').pluck().get() as number;
  const id = `'${org}' || printf('%012d', ${next} + i)`;
  inPieces(
    db,
    total - have,
    (series) => `
      INSERT INTO record (org_id, module, id, field_values, created_at, created_by, modified_at, modified_by)
      SELECT r.org_id, r.module, ${id}, r.field_values, r.created_at, r.created_by, r.modified_at, r.modified_by
      FROM (SELECT * FROM record WHERE module = 'Contacts' LIMIT 1) r, ${series}`,
  );
  db.prepare('UPDATE org SET next_serial = ? WHERE id = ?').run(next + total, org);
  close(db);
}

/** All that is owed counts as delivered, by one attempt. */
export function settleAll(dir: string): void {
  const db = open(dir);
  db.exec(`UPDATE notification SET state = 'delivered', attempts_made = 1,
    settled_at = (SELECT at FROM record_change c WHERE c.org_id = notification.org_id AND c.number = change_number)
    WHERE state = 'pending';
    DELETE FROM owed`);
  close(db);
}

export function contactIds(dir: string): string[] {
  const db = open(dir);
  const ids = db.prepare("SELECT id FROM record WHERE module = 'Contacts' ORDER BY id").pluck().all() as string[];
  close(db);
  return ids;
}

/** How many notifications are owed in the store of a stopped server. */
export function countOwed(dir: string): number {
  const db = open(dir);
  const owed = db.prepare('SELECT count(*) FROM owed').pluck().get() as number;
  close(db);
  return owed;
}
