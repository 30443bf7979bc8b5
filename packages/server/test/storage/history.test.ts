import { expect, test } from 'vitest';
import {
  compareHistory,
  isBehind,
  timelineOfFile,
  type UsedHistory,
} from '../../src/storage/engines/postgres-history.ts';

const system = '7710848306016756430';

test.each([
  { stored: undefined, server: { system, timeline: 1 }, is: 'first' },
  { stored: { system, timeline: 2 }, server: { system, timeline: 2 }, is: 'same' },
  { stored: { system, timeline: 2 }, server: { system, timeline: 3 }, is: 'other' },
  { stored: { system, timeline: 2 }, server: { system, timeline: 5 }, is: 'other' },
  { stored: { system, timeline: 3 }, server: { system, timeline: 2 }, is: 'older' },
  // Read from a dump, or by pg_upgrade, which begins at 1 again.
  { stored: { system, timeline: 3 }, server: { system: '7', timeline: 1 }, is: 'other' },
])('data of %o on a server of another or the same timeline', ({ stored, server, is }) => {
  expect(compareHistory(stored, server)).toBe(is);
});

const used = (timeline: number | undefined, number: number, label = `epoch-${number}`): UsedHistory => ({
  epoch: { number, label },
  ...(timeline !== undefined && { server: { system, timeline } }),
});

test.each([
  ['the same', used(2, 1), used(2, 1), false],
  ['a newer timeline', used(2, 1), used(3, 1), false],
  ['an older timeline, whatever its epoch', used(2, 1), used(1, 5), true],
  ['a newer timeline restored to an older epoch', used(2, 3), used(3, 1), false],
  ['another epoch on the same timeline', used(2, 1), used(2, 2), false],
  ['an older epoch on the same timeline', used(2, 2), used(2, 1), true],
  ['a twin that was promoted to the same timeline', used(2, 1, 'one'), used(2, 1, 'two'), true],
  ['another cluster with the newer epoch', used(4, 1), { ...used(1, 2), server: { system: '7', timeline: 1 } }, false],
  ['another cluster with the older epoch', used(1, 2), { ...used(9, 1), server: { system: '7', timeline: 9 } }, true],
  ['servers that do not tell, with the same epoch', used(undefined, 1), used(undefined, 1), false],
  ['servers that do not tell, with an older epoch', used(undefined, 1), used(undefined, 0), true],
])('%s', (_title, before, found, is) => {
  expect(isBehind(before, found)).toBe(is);
});

test('the timeline is in the name of the file that is written', () => {
  expect(timelineOfFile('000000010000000000000001')).toBe(1);
  expect(timelineOfFile('0000000F00000012000000A0')).toBe(15);
  expect(timelineOfFile('')).toBeUndefined();
  expect(timelineOfFile('aurora')).toBeUndefined();
});
