import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { subjectOf } from '../../dist/storage/subjects.js';

const ORG = '3652397';
const HOUR_MS = 3_600_000;
const CHANGES_PER_COMMIT = 10_000;
/** Of each thousand of a channel, the last ten were given up. */
const PARKED = { of: 1000, from: 990 };
const DELIVERED = { kind: 'delivered', status: 200 };
const REJECTED = { kind: 'rejected', status: 500, excerpt: 'out of order' };

const storeFile = (dataDir) => join(dataDir, 'watchbell.sqlite');

/**
 * Writes `count` notifications into the store of a stopped server, as it would have written and delivered them itself two
 * to six hours before `retentionHours` ago: one change of one record for each channel in turn, one attempt each.
 */
export function seed(dataDir, { count, generations, retentionHours, onProgress }) {
  const db = new Sqlite(storeFile(dataDir));
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -200000');
  const { last_change: lastChange } = db.prepare('SELECT last_change FROM org WHERE id = ?').get(ORG);
  const { id: user } = db.prepare('SELECT id FROM user_account WHERE org_id = ?').get(ORG);
  const { last_number: lastNumber } = db
    .prepare('SELECT last_number FROM channel WHERE org_id = ? AND generation = ?')
    .get(ORG, generations[0]);
  const addChange = db.prepare(
    `INSERT INTO record_change (org_id, number, module, operation, at, changed_by, records, numbered, channel_version)
     VALUES (?, ?, 'Leads', 'update', ?, ?, ?, ?, 1)`,
  );
  const addSubject = db.prepare('INSERT INTO change_subject VALUES (?, ?, ?)');
  const addNotification = db.prepare(
    `INSERT INTO notification (org_id, generation, number, id, change_number, module, operation, ids, version, with_values,
      state, attempts_made, settled_at) VALUES (?, ?, ?, ?, ?, 'Leads', 'update', ?, 'v8', 0, ?, 1, ?)`,
  );
  const addUndelivered = db.prepare("INSERT INTO undelivered VALUES (?, ?, ?, 'parked', NULL, ?)");
  const addAttempt = db.prepare(
    `INSERT INTO attempt (org_id, generation, number, attempt, at, duration_ms, kind, outcome, address, sent_ms, answered_ms)
     VALUES (?, ?, ?, 1, ?, 12, ?, ?, '127.0.0.1:8080', 1, 11)`,
  );
  letPass(db, retentionHours + 6);
  const changes = Math.ceil(count / generations.length);
  const end = Date.now() - (retentionHours + 2) * HOUR_MS;
  const start = end - 4 * HOUR_MS;
  const addSome = db.transaction((from, to) => {
    for (let i = from; i < to; i += 1) {
      const at = start + Math.floor((i / changes) * (end - start));
      const record = `${ORG}00001${String(i % 100_000).padStart(7, '0')}`;
      const number = lastNumber + i + 1;
      const values = { Description: `Change ${i} of a lead, with a text of a usual length that says nothing.` };
      addChange.run(
        ORG,
        lastChange + i + 1,
        at,
        user,
        JSON.stringify([{ id: record, fields: ['Description'], values, related: [] }]),
        JSON.stringify(Object.fromEntries(generations.map((generation) => [generation, number]))),
      );
      addSubject.run(ORG, subjectOf('Leads', record), lastChange + i + 1);
      addSubject.run(ORG, subjectOf('Leads'), lastChange + i + 1);
      const isParked = i % PARKED.of >= PARKED.from;
      for (const generation of generations) {
        addNotification.run(
          ORG,
          generation,
          number,
          idAt(at),
          lastChange + i + 1,
          JSON.stringify([record]),
          isParked ? 'parked' : 'delivered',
          at + 12,
        );
        if (isParked) addUndelivered.run(ORG, generation, number, at + 12);
        const outcome = isParked ? REJECTED : DELIVERED;
        addAttempt.run(ORG, generation, number, at, outcome.kind, JSON.stringify(outcome));
      }
    }
  });
  for (let i = 0; i < changes; i += CHANGES_PER_COMMIT) {
    addSome(i, Math.min(changes, i + CHANGES_PER_COMMIT));
    onProgress(Math.min(changes, i + CHANGES_PER_COMMIT) * generations.length);
  }
  db.prepare('UPDATE org SET last_change = ? WHERE id = ?').run(lastChange + changes, ORG);
  const reach = db.prepare('UPDATE channel SET last_number = ? WHERE org_id = ? AND generation = ?');
  for (const generation of generations) reach.run(lastNumber + changes, ORG, generation);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

/** What is there was made so much earlier: as if time had passed since the server was stopped. */
function letPass(db, hours) {
  for (const [table, column] of [
    ['record_change', 'at'],
    ['notification', 'settled_at'],
    ['undelivered', 'settled_at'],
    ['attempt', 'at'],
    ['channel_revision', 'at'],
  ]) {
    db.prepare(`UPDATE ${table} SET ${column} = ${column} - ?`).run(hours * HOUR_MS);
  }
}

/** Like the server's own: first the time, then chance. */
const idAt = (at) => `msg_${at.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;

/** Bytes of the file, how many of them are in use, and of the log beside it. */
export function sizes(dataDir) {
  const db = new Sqlite(storeFile(dataDir), { readonly: true });
  const pragma = (name) => db.pragma(name, { simple: true });
  const file = statSync(storeFile(dataDir)).size;
  const used = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  db.close();
  const wal = statSync(`${storeFile(dataDir)}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  return { file, used, wal };
}

/** What is left of the notifications that were seeded, and the ranges that stand for those given up. */
export function leftOf(dataDir, generations) {
  const db = new Sqlite(storeFile(dataDir), { readonly: true });
  const sum = (table) =>
    generations.reduce(
      (rows, generation) =>
        rows +
        db.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE org_id = ? AND generation = ?`).get(ORG, generation).n,
      0,
    );
  const left = { notifications: sum('notification'), attempts: sum('attempt'), ranges: sum('removed_range') };
  db.close();
  return left;
}

export function generationsOf(dataDir, module) {
  const db = new Sqlite(storeFile(dataDir), { readonly: true });
  const rows = db
    .prepare('SELECT generation FROM channel WHERE org_id = ? AND events LIKE ? ORDER BY generation')
    .all(ORG, `%"${module}"%`);
  db.close();
  return rows.map(({ generation }) => generation);
}
