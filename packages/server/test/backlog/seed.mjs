import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { subjectOf } from '../../dist/storage/subjects.js';

const ROWS_PER_COMMIT = 50_000;

const open = (dataDir) => {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  db.pragma('synchronous = OFF');
  return db;
};

function close(db) {
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

/** Of a stopped server: the channel with that id owes `owed` more, each about an edit of one of the records. */
export function owe(dataDir, channelId, records, owed) {
  const db = open(dataDir);
  const channel = db.prepare('SELECT * FROM channel WHERE channel_id = ?').get(channelId);
  const { org_id: org, generation, last_number: number } = channel;
  const { last_change: change } = db.prepare('SELECT last_change FROM org WHERE id = ?').get(org);
  const addChange = db.prepare(
    `INSERT INTO record_change (org_id, number, module, operation, at, changed_by, records, numbered, channel_version)
     VALUES (?, ?, 'Contacts', 'update', ?, ?, ?, ?, 1)`,
  );
  const addNotification = db.prepare(
    `INSERT INTO notification (org_id, generation, number, id, change_number, module, operation, ids, version, with_values,
       state, attempts_made)
     VALUES (?, ?, ?, ?, ?, 'Contacts', 'update', ?, ?, 0, 'pending', 0)`,
  );
  const addSubject = db.prepare('INSERT INTO change_subject VALUES (?, ?, ?)');
  const addOwed = db.prepare(
    `INSERT INTO owed (org_id, generation, number, change_number, attempts_made) VALUES (?, ?, ?, ?, 0)`,
  );
  const addSome = db.transaction((from, to) => {
    for (let i = from; i <= to; i += 1) {
      const id = records[i % records.length];
      const values = { Description: `Edit ${i}, as it came while nobody took it at the other end` };
      const changed = [{ id, fields: ['Description'], values, related: [] }];
      const numbered = JSON.stringify({ [generation]: number + i });
      addChange.run(org, change + i, channel.opened_at + i, channel.user_id, JSON.stringify(changed), numbered);
      addSubject.run(org, subjectOf('Contacts', id), change + i);
      addSubject.run(org, subjectOf('Contacts'), change + i);
      const message = `msg_${randomUUID().replaceAll('-', '')}`;
      addNotification.run(org, generation, number + i, message, change + i, JSON.stringify([id]), channel.version);
      addOwed.run(org, generation, number + i, change + i);
    }
  });
  for (let i = 1; i <= owed; i += ROWS_PER_COMMIT) addSome(i, Math.min(owed, i + ROWS_PER_COMMIT - 1));
  db.prepare('UPDATE org SET last_change = ? WHERE id = ?').run(change + owed, org);
  db.prepare('UPDATE channel SET last_number = ? WHERE org_id = ? AND generation = ?').run(
    number + owed,
    org,
    generation,
  );
  close(db);
}

/** A copy of a stopped server's data, in which all that was owed is delivered. */
export function settledCopy(dataDir, copyDir) {
  cpSync(dataDir, copyDir, { recursive: true });
  const db = open(copyDir);
  db.exec(`UPDATE notification SET state = 'delivered', attempts_made = 1,
    settled_at = (SELECT at FROM record_change c WHERE c.org_id = notification.org_id AND c.number = change_number)
    WHERE state = 'pending';
    DELETE FROM owed`);
  close(db);
}

/** How many a channel owes, told of the store of a stopped server. */
export function countOwed(dataDir, channelId) {
  const db = open(dataDir);
  const { owed } = db
    .prepare('SELECT count(*) AS owed FROM owed JOIN channel c USING (org_id, generation) WHERE c.channel_id = ?')
    .get(channelId);
  db.close();
  return owed;
}
