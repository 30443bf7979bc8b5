import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

// Kept in step with what the server itself writes by using its own code for ids and look-up entries.
const dist = (file) => import(new URL(`../../dist/${file}`, import.meta.url));
const { idFromSerial } = await dist('domain/ids.js');
const { findModule, STANDARD_CATALOG } = await dist('domain/modules/catalog.js');
const { keysOf } = await dist('domain/records/keys.js');

const ORG = '3652397';
const ROWS_PER_COMMIT = 50_000;
const CITIES = ['Chennai', 'Austin', 'Berlin', 'Yokohama', 'Utrecht'];
/** On the oldest records only, so that whoever looks for it looks at all. */
export const RARE = { field: 'Department', value: 'Lighthouse' };
const RARE_RECORDS = 3;

/** Puts so many contacts into the store of a stopped server. */
export function seed(dataDir, count) {
  const contacts = findModule(STANDARD_CATALOG, 'Contacts');
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  db.pragma('synchronous = OFF');
  const { next_serial: first } = db.prepare('SELECT next_serial FROM org WHERE id = ?').get(ORG);
  const { created_at: at, id: user } = db.prepare('SELECT created_at, id FROM user_account WHERE org_id = ?').get(ORG);
  const addRecord = db.prepare(
    `INSERT INTO record (org_id, module, id, field_values, created_at, created_by, modified_at, modified_by)
     VALUES (?, 'Contacts', ?, ?, ?, ?, ?, ?)`,
  );
  const addKey = db.prepare('INSERT INTO record_key (org_id, module, field, value, record_id) VALUES (?, ?, ?, ?, ?)');
  const idOf = (i) => idFromSerial(ORG, first + i);
  const addSome = db.transaction((from, to) => {
    for (let i = from; i < to; i += 1) {
      const values = contactOf(i, user);
      // Half of them at the same time, so that lists have ties.
      const time = at - count + Math.floor(i / 2);
      addRecord.run(ORG, idOf(i), JSON.stringify(values), time, user, time, user);
      for (const { module, field, value } of keysOf(contacts, values)) addKey.run(ORG, module, field, value, idOf(i));
    }
  });
  for (let i = 0; i < count; i += ROWS_PER_COMMIT) addSome(i, Math.min(count, i + ROWS_PER_COMMIT));
  db.prepare('UPDATE org SET next_serial = ? WHERE id = ?').run(first + count, ORG);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return {
    email: (i) => emailOf(i % count),
    *ids() {
      for (let i = 0; i < count; i += 1) yield idOf(i);
    },
  };
}

const emailOf = (i) => `person${i}@example.com`;

const contactOf = (i, user) => ({
  Owner: { id: user },
  First_Name: `First${i % 977}`,
  Last_Name: `Last${i % 9973}`,
  Full_Name: `First${i % 977} Last${i % 9973}`,
  Email: emailOf(i),
  Title: 'Head of Something',
  ...(i < RARE_RECORDS && { [RARE.field]: RARE.value }),
  Lead_Source: 'Web Download',
  Mailing_City: CITIES[i % CITIES.length],
  Mailing_Zip: String(10_000 + (i % 89_999)),
  Description: `Seeded as number ${i}, with a description of a usual length that nobody has ever read to its end.`,
});
