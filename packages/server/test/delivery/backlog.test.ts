import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Backlog, createBacklog } from '../../src/delivery/backlog.ts';
import { createMemory, type Memory, weigh } from '../../src/delivery/memory.ts';
import { createQueue } from '../../src/delivery/queue.ts';
import type { Change } from '../../src/domain/change.ts';
import type { Generation, NotificationId, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import type { OwedNotification } from '../../src/storage/store.ts';

const ORG = '3652397' as OrgId;
const OTHER = '4652397' as OrgId;

const changeOf = (number: number): Change => ({
  number,
  module: 'Contacts',
  operation: 'update',
  at: 0,
  by: '3652397000000000001' as UserId,
  channelVersion: 1,
  records: [{ id: '1' as RecordId, fields: [], values: { Description: 'x'.repeat(100) }, related: [] }],
});

const owed = (number: number, change = changeOf(number), org = ORG): OwedNotification => ({
  org,
  generation: `${org}g1` as Generation,
  number,
  id: `n${number}` as NotificationId,
  module: 'Contacts',
  operation: 'update',
  ids: ['1' as RecordId],
  version: 'v8',
  withValues: false,
  change,
  attemptsMade: 0,
});

const WEIGHT = weigh(owed(1));
const OWN = { laneNotifications: 10, laneBytes: 10 * WEIGHT, laneShare: 1 };

/** Feeds from `from` on until no more is kept; answers how many are. */
function flood(backlog: Backlog, from = 1, count = 200, org = ORG): void {
  for (let number = from; number < from + count; number += 1) backlog.feed(owed(number, changeOf(number), org));
}

function drain(backlog: Backlog): number[] {
  const numbers: number[] = [];
  for (let next = backlog.take(); next; next = backlog.take()) numbers.push(next.number);
  return numbers;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

/** How many of `WEIGHT` the organisation may still take. */
const freeOf = (memory: Memory, org = ORG): number => Math.floor(memory.of(org).free() / WEIGHT);

test('one lane that is behind keeps half of what its organisation may, and leaves the other half to others', () => {
  const memory = createMemory({ nodeBytes: 200 * WEIGHT, orgShare: 0.5 });
  const backlog = createBacklog(1, OWN, memory.of(ORG), () => true);
  flood(backlog);
  expect(freeOf(memory)).toBe(50);
  expect(drain(backlog)).toEqual(upTo(50));
  expect(backlog.gap()).toEqual({ from: 51, to: 200 });
  expect(freeOf(memory)).toBe(100);
});

test('what keeps more than its share takes no more until it has less, and each lane has its own part however many there are', () => {
  const memory = createMemory({ nodeBytes: 200 * WEIGHT, orgShare: 0.5 });
  const first = createBacklog(1, OWN, memory.of(ORG), () => true);
  flood(first, 1, 40);
  const others = Array.from({ length: 3 }, () => createBacklog(1, OWN, memory.of(ORG), () => true));
  for (const other of others) flood(other);
  flood(first, 41, 10);
  expect(drain(first)).toEqual(upTo(40));
  for (const other of others) expect(drain(other).length).toBeGreaterThanOrEqual(10);
});

test('a lane whose receiver does not do well keeps its own part and no more, and lets go of what it kept beyond', () => {
  const memory = createMemory({ nodeBytes: 200 * WEIGHT, orgShare: 0.5 });
  let flows = true;
  const backlog = createBacklog(1, OWN, memory.of(ORG), () => flows);
  flood(backlog, 1, 30);
  flows = false;
  flood(backlog, 31, 10);
  expect(freeOf(memory)).toBe(70);
  backlog.shrink();
  expect(freeOf(memory)).toBe(90);
  expect(drain(backlog)).toEqual(upTo(10));
  const gap = backlog.gap();
  expect(gap).toEqual({ from: 11, to: 40 });
  if (gap) backlog.fill(gap, [owed(11), owed(12)]);
  expect(drain(backlog)).toEqual([11, 12]);
});

test('what another organisation keeps of its own takes nothing from one that keeps nothing yet', () => {
  const memory = createMemory({ nodeBytes: 200 * WEIGHT, orgShare: 0.5 });
  const lanes = Array.from({ length: 20 }, () => createBacklog(1, OWN, memory.of(OTHER), () => true));
  for (const lane of lanes) flood(lane, 1, 200, OTHER);
  expect(memory.of(OTHER).isFull()).toBe(true);
  expect(freeOf(memory)).toBe(100);
});

test("what organisations with many lanes keep beyond those lanes' own parts leaves half of all for the parts of others", () => {
  const memory = createMemory({ nodeBytes: 200 * WEIGHT, orgShare: 0.5 });
  const third = '5652397' as OrgId;
  for (const org of [ORG, OTHER]) {
    const lanes = Array.from({ length: 5 }, () => createBacklog(1, OWN, memory.of(org), () => true));
    for (const lane of lanes) flood(lane, 1, 200, org);
  }
  expect(freeOf(memory, third)).toBeGreaterThanOrEqual(50);
  const backlog = createBacklog(1, OWN, memory.of(third), () => true);
  flood(backlog, 1, 200, third);
  expect(drain(backlog)).toEqual(upTo(10));
});

test('a change that is owed to many is counted once, until the last of them is gone', () => {
  const memory = createMemory({ nodeBytes: 200 * WEIGHT, orgShare: 0.5 });
  const before = memory.of(ORG).free();
  const lanes = Array.from({ length: 100 }, () => createBacklog(1, OWN, memory.of(ORG), () => true));
  const change = changeOf(1);
  lanes[0]?.feed(owed(1, change));
  const alone = before - memory.of(ORG).free();
  expect(alone).toBe(WEIGHT);
  for (const lane of lanes.slice(1)) lane.feed(owed(1, change));
  const eachMore = (before - memory.of(ORG).free() - alone) / 99;
  expect(eachMore).toBe(weigh({ ...owed(1), change: { ...change, records: [] } }) - 200);
  for (const lane of lanes.slice(0, 99)) lane.forget();
  expect(before - memory.of(ORG).free()).toBe(alone);
  lanes[99]?.take();
  expect(memory.of(ORG).free()).toBe(before);
});

test('a queue gives what was put in the order in which it was put, or the last from its end, however long it is', () => {
  const step = fc.oneof(
    fc.record({ put: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 900 }), last: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = createQueue<number>();
      const model: number[] = [];
      let next = 0;
      for (const one of steps) {
        if ('put' in one) {
          for (let i = 0; i < one.put; i += 1) {
            queue.put(next);
            model.push(next);
            next += 1;
          }
        } else {
          for (let i = 0; i < one.take; i += 1) {
            expect(one.last ? queue.takeLast() : queue.take()).toBe(one.last ? model.pop() : model.shift());
          }
        }
        expect(queue.size()).toBe(model.length);
      }
    }),
  );
});
