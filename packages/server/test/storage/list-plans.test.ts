import { describe, expect, test } from 'vitest';
import type { Generation, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import { createAdministrationStore } from '../../src/storage/administration.ts';
import type { Cipher } from '../../src/storage/cipher.ts';
import type { Db } from '../../src/storage/db.ts';
import { createDeletedRecordStore } from '../../src/storage/deleted-records.ts';
import { selectFirstAbout } from '../../src/storage/notifications.ts';
import { createRecordListReads } from '../../src/storage/record-lists.ts';
import { selectKeys } from '../../src/storage/records.ts';
import { openPlannedStore } from './planned-store.ts';

const ORG = '3652397' as OrgId;
const { plans, ...planned } = openPlannedStore();
const notAsked = () => Promise.reject(new Error('not asked for'));
const db: Db = { ...planned.db, load: notAsked, write: notAsked };

async function planOf(read: () => Promise<unknown>): Promise<readonly string[]> {
  plans.length = 0;
  await read();
  return [...plans];
}

const lists = createRecordListReads(db);
const deleted = createDeletedRecordStore(db);
const after = { at: 5, id: '3652397000000000001' as RecordId };
const PAGE = { skip: 0, limit: 200 } as const;
const KEY = /^SEARCH r USING (COVERING )?INDEX sqlite_autoindex_record_1 \(org_id=\? AND module=\?/;
const MODIFIED = /^SEARCH r USING (COVERING )?INDEX record_modified \(org_id=\? AND module=\?/;

const reads: readonly [string, RegExp, () => Promise<unknown>][] = [
  ['by id', KEY, () => lists.page(ORG, 'Contacts', { by: 'id', order: 'desc', ...PAGE })],
  ['by id, beyond a position', KEY, () => lists.page(ORG, 'Contacts', { by: 'id', order: 'asc', after, ...PAGE })],
  ['by time of change', MODIFIED, () => lists.page(ORG, 'Contacts', { by: 'modified', order: 'desc', ...PAGE })],
  [
    'by time of change, beyond a position, since a time',
    MODIFIED,
    () => lists.page(ORG, 'Contacts', { by: 'modified', order: 'asc', after, since: 1, ...PAGE }),
  ],
  ['far on', KEY, () => lists.page(ORG, 'Contacts', { by: 'id', order: 'asc', skip: 50_000, limit: 200 })],
  ['counted', KEY, () => lists.count(ORG, 'Contacts')],
  [
    'deleted, of a module',
    /INDEX deleted_record_module \(org_id=\? AND module=\? AND deleted_at>\?\)/,
    () => deleted.listModule(ORG, 'Contacts', { type: 'all', since: 0, now: 0, offset: 0, limit: 10 }),
  ],
  [
    'in the bin',
    /INDEX deleted_record_bin \(org_id=\? AND deleted_at>\?\)/,
    () => deleted.listBin(ORG, ['Contacts'], { now: 0, order: 'desc', offset: 0, limit: 10 }),
  ],
  ['too old', /INDEX deleted_record_(bin|time) \(org_id=\? AND deleted_at<\?\)/, () => deleted.purge(ORG, 0)],
];

describe('a list is read by an index, and never sorted', () => {
  test.each(reads)('%s', async (_name, index, read) => {
    const plan = await planOf(read);
    const ofTables = plan.filter((step) => /^(SEARCH|SCAN) [rd] /.test(step));
    expect(ofTables.length).toBeGreaterThan(0);
    for (const step of ofTables) expect(step).toMatch(index);
    expect(plan.filter((step) => step.includes('TEMP B-TREE'))).toEqual([]);
  });
});

describe('what is listed of channels', () => {
  const administration = createAdministrationStore(db, {} as Cipher);
  const GENERATION = '3652397000000000001' as Generation;
  const USER = '3652397000000186017' as UserId;

  test.each<[name: string, index: RegExp, read: () => Promise<unknown>]>([
    [
      'those of a user that have ended',
      /^SEARCH channel USING INDEX channel_user \(org_id=\? AND user_id=\?\)$/,
      () => administration.listChannels(ORG, { userId: USER, ended: true }, 1, 200),
    ],
    [
      'all of an organisation',
      /^SEARCH channel USING PRIMARY KEY \(org_id=\?\)$/,
      () => administration.listChannels(ORG, { ended: false }, 1, 200),
    ],
    [
      'what was made of one',
      /^SEARCH channel_revision USING INDEX channel_revision_generation \(org_id=\? AND generation=\? AND version<\?\)$/,
      () => administration.revisions(ORG, GENERATION, undefined, 50),
    ],
    [
      'what one did not see',
      /^SEARCH lapse USING PRIMARY KEY \(org_id=\? AND generation=\?\)$/,
      () => administration.newestLapses(ORG, GENERATION, 100),
    ],
  ])('is read by an index, and never sorted: %s', async (_name, index, read) => {
    const plan = await planOf(read);
    expect(plan).toEqual([expect.stringMatching(index)]);
  });
});

test('a search goes by the numbers of what is owed, and what it found by its key', async () => {
  const asked = { record: { module: 'Contacts', id: '1' as RecordId }, from: 1, before: 100 };
  const plan = await planOf(() => db.read([selectFirstAbout(db.dialect, ORG, '1' as Generation, [asked], 1000)]));
  const key = 'org_id=? AND generation=? AND number';
  const ofOwed = plan.filter((step) => / o /.test(step));
  const walked = ofOwed.filter((step) => step.includes(`SEARCH o USING PRIMARY KEY (${key}>? AND number<?)`));
  const lookedUp = ofOwed.filter((step) => step.includes(`SEARCH o USING PRIMARY KEY (${key}=?)`));
  expect(walked).toHaveLength(2);
  expect(lookedUp).toHaveLength(2);
  expect(plan.slice(0, plan.indexOf('MATERIALIZE fitting')).join()).not.toContain('TEMP B-TREE');
});

test('a batch looks at no more holders of a value than it loads, however many there are', async () => {
  const [keyed] = selectKeys(ORG, [{ module: 'Contacts', field: 'Account_Name', value: '1' }]);
  for (const statement of [keyed!.holders, keyed!.records]) {
    const plan = await planOf(() => db.read([statement]));
    const all = 'org_id=? AND module=? AND field=? AND value=?';
    expect(plan).toContain(`SEARCH k USING PRIMARY KEY (${all} AND record_id<?)`);
    expect(plan).toContain(`SEARCH n USING PRIMARY KEY (${all})`);
    expect(plan.join()).not.toMatch(/TEMP B-TREE|SCAN (?:k|n|held|r)\b/);
  }
});
