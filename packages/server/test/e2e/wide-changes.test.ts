import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { subjectOf } from '../../src/storage/subjects.ts';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { changeIn, rowsIn } from '../support/test-data.ts';

const ORG = '3652397';
const OWN = '/_watchbell/v1';
/** Each of which told so many channels. */
const CHANGES = 20;
const CHANNELS = 40_000;

let app: LiveApp;
let record: string;

beforeEach(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-test-'));
  app = await startLiveApp({ dataDir });
  await app.owner.call('POST', '/crm/v8/actions/watch', {
    watch: [{ channel_id: '1', events: ['Contacts.all'], notify_url: 'http://127.0.0.1:9/hook' }],
  });
  const generation = at((await app.owner.call('GET', `${OWN}/channels/1`)).body, 'generation');
  const created = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  record = at(created.body, 'data', 0, 'details', 'id');
  await app.app.idle();
  const [last] = await rowsIn<{ number: number }>(dataDir, 'SELECT MAX(number) AS number FROM record_change');
  const others = Array.from({ length: CHANNELS }, (_, i) => [
    `${ORG}${String(20_000_000_000 + i).padStart(12, '0')}`,
    1,
  ]);
  for (let i = 1; i <= CHANGES; i += 1) {
    const number = Number(last?.number) + i;
    const numbered = JSON.stringify(Object.fromEntries([...others, [generation, 1 + i]]));
    await changeIn(
      dataDir,
      `INSERT INTO record_change
        (org_id, number, module, operation, at, changed_by, records, numbered, channel_version)
      SELECT org_id, ${number}, module, operation, at, changed_by, records, '${numbered}', channel_version
      FROM record_change WHERE number = ${number - 1}`,
    );
    await changeIn(
      dataDir,
      `INSERT INTO change_subject VALUES ('${ORG}', ${subjectOf('Contacts', record)}, ${number})`,
    );
  }
});
afterEach(() => app.stop());

/** How many items each page has. */
async function pages(path: string, items: string): Promise<number[]> {
  const counts: number[] = [];
  let cursor = '';
  do {
    const { body } = await app.owner.call('GET', `${OWN}${path}&module=Contacts&record=${record}${cursor}`);
    const page = body as Record<string, unknown[]> & { readonly next: string | null };
    counts.push((page[items] ?? []).length);
    cursor = page.next === null ? '' : `&cursor=${page.next}`;
  } while (cursor !== '');
  return counts;
}

test('of changes that told very many channels a page of explanations takes few, and all pages have all', async () => {
  const counts = await pages('/explain?limit=200&channel=1', 'items');
  expect(counts.length).toBeGreaterThan(1);
  expect(counts.reduce((sum, count) => sum + count)).toBe(1 + CHANGES);
});

test('of such changes a page of a list looks at few, where nothing fits', async () => {
  expect((await pages('/notifications?channel=1&outcome=delivered', 'notifications')).length).toBeGreaterThan(1);
});
