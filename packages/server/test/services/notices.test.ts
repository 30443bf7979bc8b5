import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { NotificationId, OrgId } from '../../src/domain/ids.ts';
import { createLifeCycleLog } from '../../src/services/life-cycle-log.ts';
import { createNotices } from '../../src/services/notices.ts';
import { createWriter } from '../../src/services/writer.ts';
import type { NoticeStore } from '../../src/storage/store.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { addOrgs, ORG, openChannel } from '../storage/suite/sample.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const HOUR = 3_600_000;
const URL = 'https://owner.example/';
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A store with an organisation, and what makes its notices; `between` stands between the two. */
async function makeNotices(between: (store: NoticeStore) => NoticeStore = (store) => store) {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-notices-'));
  onTestFinished(() => removeData(dataDir));
  const store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32).fill(7), logger: silent });
  onTestFinished(() => store.close());
  await addOrgs(store, ORG);
  const clock = createManualClock();
  const commits: number[] = [];
  const writer = createWriter({
    store: store.writing,
    clock,
    randomId: () => 'n' as NotificationId,
    onCommitted(org, writes) {
      commits.push(writes.revisions.length);
      notices.committed(org, writes);
    },
    maxQueued: 1000,
    maxBatchWeight: 2000,
  });
  const due: number[] = [];
  const notices = createNotices({
    store: between(store.notices),
    writer,
    clock,
    isMine: () => true,
    onDue: (_org: OrgId, at) => due.push(at),
    onNone() {},
    log: createLifeCycleLog({ metrics: createMetrics(), logger: silent }),
    logger: silent,
  });
  onTestFinished(() => notices.stop());
  await notices.start();
  const open = (count: number) =>
    writer.submit(ORG, {
      needs: {},
      weight: 1,
      decide(set) {
        for (let id = 1; id <= count; id += 1) openChannel(set, String(id), { lifecycleUrl: URL });
      },
    });
  return { store, clock, notices, open, commits, due, told: async () => (await store.notices.look(ORG))?.told };
}

test('many channels whose time comes at once cost few commits, and none is told of twice', async () => {
  const { store, clock, notices, open, commits, told } = await makeNotices();
  await open(3000);
  await notices.idle();
  commits.length = 0;
  clock.advance(HOUR * 0.75);
  await notices.idle();
  expect(commits).toEqual(Array(6).fill(500));
  expect(await told()).toBe(6000);
  clock.advance(HOUR / 4);
  await notices.idle();
  // Five minutes before and the expiry have both come: only what is true is told.
  expect(commits.slice(6)).toEqual([3000]);
  const kinds = new Map<string, number>();
  for (let before: { version: number; part: number } | undefined, isFirst = true; isFirst || before; isFirst = false) {
    const page = await store.notices.list(ORG, {}, before, 200);
    for (const { notice } of page.items) kinds.set(notice.kind, (kinds.get(notice.kind) ?? 0) + 1);
    before = page.next;
  }
  expect(Object.fromEntries(kinds)).toEqual({ expiring: 3000, expired: 3000 });
  expect((await store.notices.look(ORG))?.lookAt).toBeUndefined();
});

test('what could not be saved is made at the next occasion', async () => {
  let failures = 1;
  const { clock, notices, open, told, store } = await makeNotices((store) => ({
    ...store,
    async add(...given) {
      if (failures-- > 0) throw new Error('the disk is full');
      await store.add(...given);
    },
  }));
  await open(1);
  clock.advance(HOUR * 0.75);
  await notices.idle();
  expect(await told()).toBe(0);
  notices.changed(ORG);
  await notices.idle();
  expect(await told()).toBe(2);
  expect((await store.notices.list(ORG, {}, undefined, 9)).items).toHaveLength(1);
});

test('whoever looks at all asks for none alone that nothing is to be done for', async () => {
  let asked = 0;
  const { clock, notices, open, commits } = await makeNotices((store) => ({
    ...store,
    look(org) {
      asked += 1;
      return store.look(org);
    },
  }));
  await open(1);
  await notices.idle();
  asked = 0;
  await notices.start();
  await notices.idle();
  expect(asked).toBe(0);
  // What it found, it holds to.
  commits.length = 0;
  clock.advance(HOUR * 0.75);
  await notices.idle();
  expect(commits).toEqual([1]);
});

test('what tells nothing writes nothing', async () => {
  const { notices, open, told, due } = await makeNotices();
  await open(500);
  await notices.idle();
  expect(await told()).toBe(0);
  expect(due).toEqual([]);
});
