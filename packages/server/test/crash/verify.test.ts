import { expect, test } from 'vitest';
import type { Arrival } from './recorder.ts';
import { verify } from './verify.ts';

const channel = { name: 'all', generation: 'g', operations: ['insert', 'update', 'delete'], lastNumber: 3 };
const arrival = (number: number, operation: string, description?: string): Arrival => ({
  id: `msg_${number}`,
  generation: 'g',
  number,
  module: 'Contacts',
  operation,
  ids: ['1'],
  descriptions: new Map(description === undefined ? [] : [['1', description]]),
});
const acknowledged = [
  { operation: 'insert', id: '1', description: 'a' },
  { operation: 'update', id: '1', description: 'b' },
  { operation: 'delete', id: '1' },
] as const;
const all = [arrival(1, 'insert', 'a'), arrival(2, 'update', 'b'), arrival(3, 'delete')];

test('a complete run in order is clean, repeats counted', () => {
  expect(verify([channel], [...all, arrival(3, 'delete')], acknowledged)).toEqual({
    arrivals: 4,
    distinct: 3,
    duplicates: 1,
    lost: [],
    gaps: [],
    disorder: [],
  });
});

test('a notification that never came is a loss and a gap', () => {
  const { lost, gaps } = verify([channel], [all[0]!, all[2]!], acknowledged);
  expect(lost).toEqual(['all: update 1 b']);
  expect(gaps).toEqual(['all #2']);
});

test('first arrivals out of order are seen, repeats of earlier ones are not held against the order', () => {
  expect(verify([channel], [all[1]!, all[0]!, all[2]!], acknowledged).disorder).toEqual(['all record 1: #1 after #2']);
  expect(verify([channel], [all[0]!, all[1]!, all[0]!, all[2]!], acknowledged).disorder).toEqual([]);
});
