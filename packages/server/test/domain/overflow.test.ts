import { describe, expect, test } from 'vitest';
import type { Channel } from '../../src/domain/channel.ts';
import type { Generation, RecordId } from '../../src/domain/ids.ts';
import { endChannel, endOverflows, expireDue, saveChannel } from '../../src/domain/working-channels.ts';
import { addChange, type WorkingSet } from '../../src/domain/working-set.ts';
import { aChannel, channelId, channelSet, HOUR, NOW, USER } from '../support/channel-set.ts';

const G1 = 'g1' as Generation;
const LIMIT = 100;

const batch = (channels: readonly Channel[], before?: WorkingSet, now = NOW): WorkingSet => ({
  ...channelSet(channels, now),
  maxBacklog: LIMIT,
  ...(before && { index: before.index }),
});

function write(set: WorkingSet, times = 1): void {
  for (let i = 0; i < times; i += 1) {
    addChange(set, 'Contacts', 'update', USER, [{ id: '1' as RecordId, fields: ['City'], values: {}, related: [] }]);
  }
}

const kinds = (set: WorkingSet) => set.writes.revisions.map(({ kind }) => kind);
const ranges = (set: WorkingSet) =>
  set.writes.lapses.map(({ kind, fromChange, toChange }) => [kind, fromChange, toChange]);
const numbers = (set: WorkingSet) => set.writes.notifications.map(({ number }) => number);

/** A channel whose newest number is `lastNumber` and that was counted to owe `owed` of them. */
function counted(owed: number, lastNumber = owed): WorkingSet {
  const set = batch([aChannel({ lastNumber })]);
  set.index.counted.set(G1, { upTo: lastNumber, owed });
  return set;
}

describe('a channel that owes much', () => {
  test.each([
    { lastNumber: 88, owed: undefined, asks: false, why: 'even if it owed every number it is far from the limit' },
    { lastNumber: 89, owed: undefined, asks: true, why: 'it may owe nine tenths' },
    { lastNumber: 5000, owed: undefined, asks: true, why: 'how much it owes is not known' },
    { lastNumber: 5000, owed: 10, asks: false, why: 'it was counted to owe little' },
    { lastNumber: 5000, owed: 95, asks: false, why: 'it was just counted' },
  ])('is counted: $asks, since $why', ({ lastNumber, owed, asks }) => {
    const set = owed === undefined ? batch([aChannel({ lastNumber })]) : counted(owed, lastNumber);
    write(set);
    expect(set.index.uncounted.has(G1)).toBe(asks);
    expect(kinds(set)).toEqual([]);
    expect(numbers(set)).toEqual([lastNumber + 1]);
  });

  test('is counted again after it has grown by a twentieth of the limit', () => {
    const set = counted(91, 1000);
    write(set, 4);
    expect(set.index.uncounted.size).toBe(0);
    write(set);
    expect(set.index.uncounted.has(G1)).toBe(true);
  });

  test('never overflows before it was counted', () => {
    const set = batch([aChannel({ lastNumber: 5000 })]);
    write(set, 2 * LIMIT);
    expect(numbers(set)).toHaveLength(2 * LIMIT);
    expect(set.writes.lapses).toEqual([]);
  });

  test('does not overflow by a count that a tenth of the limit came after', () => {
    const set = counted(95, 1000);
    write(set, 10);
    expect(set.writes.lapses).toHaveLength(1);
    const late = counted(50, 1000);
    write(late, 80);
    expect(late.writes.lapses).toEqual([]);
    expect(late.index.uncounted.has(G1)).toBe(true);
  });

  test('takes numbers up to its limit, and from then on none: a range begins that others do not feel', () => {
    const other = aChannel({ generation: 'g2' as Generation, channelId: channelId('2'), lastNumber: 0 });
    const set = batch([aChannel({ lastNumber: 1098 }), other]);
    set.index.counted.set(G1, { upTo: 1098, owed: 98 });
    write(set, 4);
    const of = (generation: string) =>
      set.writes.notifications.filter((owed) => owed.generation === generation).map(({ number }) => number);
    expect(of('g1')).toEqual([1099, 1100]);
    expect(of('g2')).toEqual([1, 2, 3, 4]);
    expect(ranges(set)).toEqual([['overflow', 42, undefined]]);
    expect(set.writes.overflowed).toEqual(new Map([['g1', 42]]));
    expect(set.writes.revisions).toMatchObject([
      { kind: 'overflowed', channel: { overflowFrom: 42, lastNumber: 1100 } },
    ]);
    expect(set.writes.counters.lastChange).toBe(44);
  });

  test.each([
    { owed: 90, flows: false },
    { owed: 89, flows: true },
    { owed: 0, flows: true },
  ])('flows again when it was counted to owe less than nine tenths: $owed, $flows', ({ owed, flows }) => {
    const set = batch([aChannel({ lastNumber: 1100, overflowFrom: 12 })]);
    set.index.counted.set(G1, { upTo: 1100, owed });
    endOverflows(set);
    write(set);
    expect(numbers(set)).toEqual(flows ? [1101] : []);
    expect(kinds(set)).toEqual(flows ? ['flowing'] : []);
    expect(ranges(set)).toEqual(flows ? [['overflow', 12, 40]] : []);
    expect(set.writes.overflowed).toEqual(flows ? new Map([['g1', null]]) : new Map());
    expect(set.index.uncounted.has(G1)).toBe(!flows);
    expect(set.index.overflowing.size).toBe(flows ? 0 : 1);
  });

  test('is not let go before it was counted after a restart', () => {
    const set = batch([aChannel({ lastNumber: 1100, overflowFrom: 12 })]);
    endOverflows(set);
    write(set);
    expect(numbers(set)).toEqual([]);
    expect(set.index.uncounted.has(G1)).toBe(true);
  });

  test('keeps its range when its owner changes it meanwhile', () => {
    const known = aChannel({ lastNumber: 1100, overflowFrom: 12 });
    const set = batch([known]);
    const { overflowFrom: _, ...stale } = known;
    saveChannel(set, { ...stale, notifyUrl: 'https://example.com/moved' }, 'merged');
    write(set);
    expect(numbers(set)).toEqual([]);
    expect(set.writes.channels.get(G1)).toMatchObject({ overflowFrom: 12 });
  });

  test('flows at once in the batch after all that it owed was cancelled', () => {
    const known = aChannel({ lastNumber: 1100, overflowFrom: 12 });
    const set = batch([known]);
    saveChannel(set, { ...known, cancelledTo: 1100, cancelledWhy: 'skipped' }, 'resumed');
    endOverflows(set);
    write(set);
    expect(numbers(set)).toEqual([1101]);
  });

  test.each([
    ['expires', (set: WorkingSet) => expireDue(set), 'expired'],
    ['ends', (set: WorkingSet) => endChannel(set, aChannel({ lastNumber: 1100, overflowFrom: 12 })), 'deleted'],
  ])('has its range closed when it %s', (_, act, kind) => {
    const set = batch([aChannel({ lastNumber: 1100, overflowFrom: 12 })], undefined, NOW + HOUR);
    act(set);
    expect(ranges(set)[0]).toEqual(['overflow', 12, 40]);
    expect(set.writes.overflowed).toEqual(new Map([['g1', null]]));
    expect(set.writes.revisions.at(-1)?.kind).toBe(kind);
    expect(set.index.overflowing.size).toBe(0);
  });

  test('has no overflow left when it is renewed in the batch in which it expired', () => {
    const set = batch([aChannel({ lastNumber: 1100, overflowFrom: 12 })], undefined, NOW + HOUR);
    expireDue(set);
    const lapsed = set.channels.get(`${USER}/1`);
    expect(lapsed).toMatchObject({ lapsedFrom: 40 });
    expect(lapsed).not.toHaveProperty('overflowFrom');
    saveChannel(set, { ...(lapsed as Channel), expiresAt: NOW + 2 * HOUR }, 'renewed');
    write(set);
    expect(numbers(set)).toEqual([1101]);
  });
});

test('an expired channel that ends has the range of its lapse closed', () => {
  const set = batch([aChannel({ lapsedFrom: 7 })]);
  endChannel(set, aChannel({ lapsedFrom: 7 }), 'retention');
  expect(ranges(set)).toEqual([['expired', 7, 40]]);
});
