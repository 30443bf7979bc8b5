import Sqlite from 'better-sqlite3';
import { afterAll, expect, test } from 'vitest';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import type { Cipher } from '../../src/storage/cipher.ts';
import type { Db } from '../../src/storage/db.ts';
import { readMigrations } from '../../src/storage/engines/migrations.ts';
import { eachTime, toCommand } from '../../src/storage/engines/sqlite-message.ts';
import { migrate } from '../../src/storage/engines/sqlite-migrations.ts';
import { createNoticeStore } from '../../src/storage/notices.ts';

const ORG = '3652397' as OrgId;
const GENERATION = '3652397000010000001' as Generation;

const sqlite = new Sqlite(':memory:');
migrate(sqlite, readMigrations('sqlite'), 0);
afterAll(() => void sqlite.close());

const plans: string[] = [];
/** Keeps how SQLite would look for the rows of what is read and written, and finds none. */
const look = (statements: Parameters<Db['write']>[0]): Promise<never[][]> => {
  for (const { text, ...given } of statements.map(toCommand)) {
    const steps = sqlite.prepare(`EXPLAIN QUERY PLAN ${text}`).all(eachTime(given)[0] ?? []) as { detail: string }[];
    plans.push(...steps.map(({ detail }) => detail));
  }
  return Promise.resolve(statements.map(() => []));
};
const store = createNoticeStore({ read: look, load: look, write: look } as unknown as Db, {} as Cipher);
const place = { version: 5, part: 0 };

/** By which keys rows are found, where there may be many. */
test.each<[string, () => Promise<unknown>, readonly string[]]>([
  ['all organisations', () => store.looks('', 9), ['channel_notice (org_id=?', 'notice_due (org_id=?']],
  ['one', () => store.look(ORG), ['channel_notice (org_id=?', 'notice_due (org_id=?']],
  [
    'channels whose time has come',
    () => store.dueChannels(ORG, 9, 9),
    ['channel_notice (org_id=? AND notice_at>? AND notice_at<?)'],
  ],
  ['what was not told', () => store.untold(ORG, 5, 9), ['(org_id=? AND version>?)']],
  ['who listens', () => store.facts(ORG, [GENERATION], []), ['(org_id=? AND generation=?)']],
  [
    'since when changes are missed',
    () => store.facts(ORG, [GENERATION], [{ generation: GENERATION, fromChange: 7 }]),
    ['(org_id=? AND generation=?)', '(org_id=? AND generation=? AND from_change=?)'],
  ],
  [
    'the first that was cancelled',
    () => store.firstCancelled(ORG, [{ generation: GENERATION, from: 1, to: 9 }]),
    ['(org_id=? AND generation=? AND number>? AND number<?)'],
  ],
  ['what is due', () => store.due(ORG, 9, { ...place, dueAt: 5 }, 9), ['notice_due (org_id=?']],
  ['what is due next', () => store.nextDue(ORG, 9), ['notice_due (org_id=? AND due_at>?)']],
  [
    'a page of all',
    () => store.list(ORG, {}, place, 9),
    ['(org_id=? AND (version,part)<(?,?))', '(org_id=? AND version=? AND part=?)'],
  ],
  [
    'a page of a channel',
    () => store.list(ORG, { generation: GENERATION }, place, 9),
    ['channel_revision_generation (org_id=? AND generation=? AND version<?)', '(org_id=? AND version=?'],
  ],
  ['one notice', () => store.find(ORG, place), ['(org_id=? AND version=? AND part=?)']],
])('%s is found by an index', async (_, ask, keys) => {
  plans.length = 0;
  await ask();
  for (const key of keys) expect(plans.join('\n')).toContain(key);
  const scans = plans.filter(
    (plan) => plan.startsWith('SCAN ') && !/^SCAN (o|org|json_each|p|u|f|r|CONSTANT|value)\b/.test(plan),
  );
  expect(scans).toEqual([]);
});
