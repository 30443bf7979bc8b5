import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answer,
  createLaneState,
  finish,
  found,
  isClear,
  type LaneState,
  type Numbered,
  nextSearch,
  type Search,
  scan,
} from '../../src/delivery/lane-state.ts';

/** The store's rows as a lane sees them: those not saved as ended say pending. */
interface Rows {
  readonly all: readonly Numbered[];
  readonly ended: Set<number>;
}
const numbered = (...records: string[][]): Rows => ({
  all: records.map((one, i) => ({ number: i + 1, records: one })),
  ended: new Set(),
});
const firstAbout = ({ all, ended }: Rows, { record, from, before }: Search): Numbered | undefined =>
  all.find(
    (row) => row.number >= from && row.number < before && !ended.has(row.number) && row.records.includes(record),
  );

/** Makes every search that is asked for, at once; answers what was dispatched, in order. */
function searchAll(state: LaneState, rows: Rows): number[] {
  const dispatched: number[] = [];
  for (let search = nextSearch(state); search; search = nextSearch(state)) {
    const row = firstAbout(rows, search);
    if (found(state, search, row) && row) dispatched.push(row.number);
  }
  return dispatched;
}
const scanAll = (state: LaneState, rows: Rows): number[] =>
  rows.all.filter((row) => scan(state, row)).map(({ number }) => number);

describe('a lane', () => {
  test.each<[string, Rows, number[]]>([
    ['shares nothing', numbered(['a'], ['b'], ['c']), [1, 2, 3]],
    ['shares a record with something before', numbered(['a'], ['a'], ['b']), [1, 3]],
    ['shares a record with something skipped', numbered(['a'], ['a', 'b'], ['b'], ['c']), [1, 4]],
    ['is about many records', numbered(['a', 'b'], ['c', 'd'], ['b', 'c'], ['e']), [1, 2, 4]],
  ])('dispatches at first what %s as far as order allows', (_, rows, expected) => {
    expect(scanAll(createLaneState(1), rows)).toEqual(expected);
  });

  test('dispatches what waited for a record, one after another, as each is answered', () => {
    const rows = numbered(['a'], ['a'], ['b'], ['a']);
    const state = createLaneState(1);
    expect(scanAll(state, rows)).toEqual([1, 3]);
    answer(state, 1);
    expect(searchAll(state, rows)).toEqual([2]);
    answer(state, 2);
    expect(searchAll(state, rows)).toEqual([4]);
  });

  test('never dispatches again what was answered while its row still says pending', () => {
    const rows = numbered(['a'], ['a', 'b'], ['b'], ['a', 'b']);
    const state = createLaneState(1);
    const dispatched = scanAll(state, rows);
    for (let i = 0; i < dispatched.length; i += 1) {
      answer(state, dispatched[i]!);
      dispatched.push(...searchAll(state, rows));
    }
    expect(dispatched).toEqual([1, 2, 3, 4]);
    for (const number of dispatched) finish(state, number);
    expect(isClear(state)).toBe(true);
  });

  test('dispatches what waits for two records only when both are free', () => {
    const rows = numbered(['a'], ['b'], ['a', 'b']);
    const state = createLaneState(1);
    scanAll(state, rows);
    answer(state, 2);
    expect(searchAll(state, rows)).toEqual([]);
    answer(state, 1);
    expect(searchAll(state, rows)).toEqual([3]);
  });

  test('finds what is skipped for a record while that record is being searched', () => {
    const rows = numbered(['a'], ['a', 'b'], ['b']);
    const state = createLaneState(1);
    scan(state, rows.all[0]!);
    scan(state, rows.all[1]!);
    answer(state, 1);
    const search = nextSearch(state)!;
    expect(search).toEqual({ record: 'a', from: 2, before: 3 });
    // A later one about the same records is scanned before the search is answered.
    const later = { number: 3, records: ['a'] };
    expect(scan(state, later)).toBe(false);
    rows.ended.add(2);
    expect(found(state, search, undefined)).toBe(false);
    expect(nextSearch(state)).toEqual({ record: 'a', from: 3, before: 4 });
  });

  test('searches no further than where the last was skipped, and not at all once that is sent', () => {
    const rows = numbered(['a'], ['a'], ['b'], ['a', 'b'], ['c'], ['c'], ['d']);
    const state = createLaneState(1);
    expect(scanAll(state, rows)).toEqual([1, 3, 5, 7]);
    answer(state, 1);
    const search = nextSearch(state)!;
    expect(search).toEqual({ record: 'a', from: 2, before: 5 });
    expect(found(state, search, rows.all[1])).toBe(true);
    answer(state, 2);
    answer(state, 3);
    expect(searchAll(state, rows)).toEqual([4]);
    answer(state, 4);
    expect(nextSearch(state)).toBeUndefined();
    expect(state.resume).toEqual(new Map([['c', 6]]));
    expect(state.last).toEqual(new Map([['c', 6]]));
  });

  test('goes on where a search got to', () => {
    const rows = numbered(['a'], ['a'], ['b'], ['a']);
    const state = createLaneState(1);
    scanAll(state, rows);
    rows.ended.add(2);
    answer(state, 1);
    expect(found(state, nextSearch(state)!, undefined, 3)).toBe(false);
    expect(nextSearch(state)).toEqual({ record: 'a', from: 3, before: 5 });
  });

  test('keeps nothing of 5,000 changes behind a stuck record but where they begin', () => {
    const state = createLaneState(1);
    scan(state, { number: 1, records: ['stuck'] });
    for (let number = 2; number <= 5001; number += 1) expect(scan(state, { number, records: ['stuck'] })).toBe(false);
    expect(scan(state, { number: 5002, records: ['other'] })).toBe(true);
    expect(state.unfinished.size).toBe(2);
    expect(state.resume).toEqual(new Map([['stuck', 2]]));
  });
});

/**
 * Events in an order that fast-check chooses: the next number is scanned, a search is begun, a begun search reads or its
 * rows arrive, something in flight is answered, fails and is parked, or an answer is saved.
 */
test('whatever happens in whatever order, records keep their order and everything is sent exactly once', () => {
  const records = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1, maxLength: 4 });
  const lane = fc.record({
    numbers: fc.array(records, { minLength: 1, maxLength: 40 }),
    choices: fc.infiniteStream(fc.nat(1_000_000)),
  });
  fc.assert(
    fc.property(lane, ({ numbers, choices }) => {
      const rows = numbered(...numbers);
      const state = createLaneState(1);
      const unscanned = [...rows.all];
      const flying: number[] = [];
      const unsaved: number[] = [];
      const parking: number[] = [];
      const begun: Search[] = [];
      const read: { search: Search; row: Numbered | undefined; lookedTo: number }[] = [];
      const sent: number[] = [];
      /** Ended as far as order is concerned: answered, or parked and saved. */
      const over = new Set<number>();

      const dispatch = (number: number): void => {
        const mine = rows.all[number - 1]!;
        for (const before of rows.all.slice(0, number - 1)) {
          const shares = before.records.some((record) => mine.records.includes(record));
          if (shares && !over.has(before.number)) throw new Error(`${number} was sent before ${before.number} ended`);
        }
        if (sent.includes(number)) throw new Error(`${number} was sent twice`);
        sent.push(number);
        flying.push(number);
      };
      const pick = <One>(from: One[]): One => from.splice(choices.next().value % from.length, 1)[0]!;

      for (;;) {
        const canBegin = [...state.free].some((record) => !state.looking.has(record));
        const acts: (() => void)[] = [];
        if (unscanned.length > 0)
          acts.push(() => {
            const next = unscanned.shift()!;
            if (scan(state, next)) dispatch(next.number);
          });
        if (canBegin)
          acts.push(() => {
            const search = nextSearch(state);
            if (search) begun.push(search);
          });
        if (begun.length > 0)
          acts.push(() => {
            const search = pick(begun);
            const row = firstAbout(rows, search);
            const end = row?.number ?? search.before;
            const lookedTo = Math.max(search.from + 1, end - (choices.next().value % 4));
            // It may get no further than there.
            if (lookedTo < end) read.push({ search, row: undefined, lookedTo });
            else read.push({ search, row, lookedTo: end });
          });
        if (read.length > 0)
          acts.push(() => {
            const { search, row, lookedTo } = pick(read);
            if (found(state, search, row, lookedTo) && row) dispatch(row.number);
          });
        if (flying.length > 0)
          acts.push(() => {
            const number = pick(flying);
            if (choices.next().value % 5 === 0) parking.push(number);
            else {
              over.add(number);
              answer(state, number);
              unsaved.push(number);
            }
          });
        if (parking.length > 0)
          acts.push(() => {
            const number = pick(parking);
            rows.ended.add(number);
            over.add(number);
            finish(state, number);
          });
        if (unsaved.length > 0)
          acts.push(() => {
            const number = pick(unsaved);
            rows.ended.add(number);
            finish(state, number);
          });
        if (acts.length === 0) break;
        acts[choices.next().value % acts.length]!();
      }
      expect([...sent].sort((a, b) => a - b)).toEqual(rows.all.map(({ number }) => number));
      expect(isClear(state)).toBe(true);
    }),
    { numRuns: 1500 },
  );
});
