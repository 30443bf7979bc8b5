import { expect, test } from 'vitest';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { createCipher } from '../../src/storage/cipher.ts';
import { createFeedStore } from '../../src/storage/feed.ts';
import { createLapseReads } from '../../src/storage/lapses.ts';
import { openPlannedStore } from './planned-store.ts';

const ORG = '3652397' as OrgId;
const G = '3652397000010000001' as Generation;
const cipher = createCipher(new Uint8Array(32).fill(7), []);
const sealed = (column: string) => cipher.seal('https://example.com/', ['channel', ORG, G, column]);
// Something to come upon for the statements that follow from what was found.
const { db, plans } = openPlannedStore(`
    INSERT INTO channel (org_id, generation, user_id, channel_id, version, events, notify_on_related, with_values,
      conditions, expires_at, notify_url, last_number, opened_at, modified_at, epoch, restarts)
      VALUES ('${ORG}', '${G}', 'u', '1', 'v8', '[]', 0, 0, '[]', 0, '${sealed('notify_url')}', 9, 0, 0, 0, '[]');
    INSERT INTO record_change VALUES ('${ORG}', 1, 'Leads', 'update', 0, 'u', '[]', '{}', 1);
    INSERT INTO channel_revision (org_id, version, at, kind, generation, snapshot)
      VALUES ('${ORG}', 1, 0, 'opened', '${G}', '{}');`);
const feed = createFeedStore(db, cipher);
const lapses = createLapseReads(db);
const cursor = { name: 'a', number: 1, at: 1 };

/** Steps of the plan that look at more than what an index leads to; what was read already is no more than was asked for. */
const walks = () =>
  plans.filter((step) => /^SCAN (?!CONSTANT|json_each|page|part|islands|sized|fitting|f$|f |p$|p |\(sub)/.test(step));

test.each<[what: string, run: () => Promise<unknown>, leads: readonly RegExp[]]>([
  [
    'a page of the feed',
    () => feed.slice(ORG, G, 3, 10, 1000),
    [
      /notification USING (?:COVERING )?(?:PRIMARY KEY|INDEX \S+) \(org_id=\? AND generation=\? AND number>\?\)/,
      /removed_range USING PRIMARY KEY \(org_id=\? AND generation=\? AND from_number<\?\)/,
      /removed_range USING PRIMARY KEY \(org_id=\? AND generation=\? AND from_number>\? AND from_number<\?\)/,
    ],
  ],
  [
    'gaps',
    () => feed.open(ORG, G, 3),
    [
      /owed USING PRIMARY KEY \(org_id=\? AND generation=\? AND number>\?\)/,
      /undelivered USING PRIMARY KEY \(org_id=\? AND generation=\? AND number>\?\)/,
    ],
  ],
  ['newest numbers', () => feed.lastNumbers([{ org: ORG, generation: G }]), [/c USING .*org_id=\? AND generation=\?/]],
  ['cursors', () => feed.cursors(ORG, G), [/feed_cursor USING PRIMARY KEY \(org_id=\? AND generation=\?\)/]],
  [
    'a cursor that is moved, made and removed',
    async () => {
      await feed.saveCursor(ORG, G, cursor, 2);
      await feed.saveCursor(ORG, G, { ...cursor, number: 2 }, 2);
      await feed.removeCursor(ORG, G, 'a');
    },
    [/feed_cursor USING PRIMARY KEY \(org_id=\? AND generation=\? AND name=\?\)/],
  ],
  [
    'lapses',
    () => lapses.lapses(ORG, G, { fromChange: 1, kind: 'expired' }, 10, 'open'),
    [/lapse USING PRIMARY KEY \(org_id=\? AND generation=\?/],
  ],
  ['how far changes go', () => lapses.changes(ORG), [/record_change USING .*\(org_id=\?\)/]],
  [
    'changes with the channel as it was',
    () => lapses.matchable(ORG, G, { after: 0, to: 9 }, 10, 1000),
    [
      /record_change USING .*org_id=\? AND number>\? AND number<\?/,
      /channel_revision USING INDEX channel_revision_generation \(org_id=\? AND generation=\? AND version<\?\)/,
      /channel_revision USING INDEX channel_revision_generation \(org_id=\? AND generation=\? AND version>\? AND version<\?\)/,
    ],
  ],
])('%s: found by what leads to it, however much there is of others', async (_what, act, leads) => {
  plans.length = 0;
  await act();
  expect(walks()).toEqual([]);
  for (const lead of leads) expect(plans.join('\n')).toMatch(lead);
});
