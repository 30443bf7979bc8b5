import { expect, test } from 'vitest';
import { subjectOf } from '../../src/storage/subjects.ts';

const MODULES = ['Leads', 'Contacts', 'Deals', 'sdaeL', ''];
const COUNT = 40_000;

/** As evenly as by chance: of so many, half have each bit. */
function expectEven(numbers: readonly number[], from: number): void {
  for (let bit = from; bit < 53; bit += 1) {
    const set = numbers.filter((number) => Math.floor(number / 2 ** bit) % 2 === 1).length / numbers.length;
    expect(Math.abs(set - 0.5), `bit ${bit}`).toBeLessThan(0.01);
  }
}

test('what is as like as can be has numbers of its own, which a database and a double hold alike', () => {
  const counted = Array.from({ length: COUNT }, (_, i) => `3652397${String(i).padStart(12, '0')}`);
  const others = [
    ...Array.from({ length: COUNT }, (_, i) => `order-${i}`),
    ...Array.from({ length: 200 }, (_, i) => 'a'.repeat(i)),
  ];
  const numbers = MODULES.flatMap((module) => [...counted, ...others].map((id) => subjectOf(module, id)));
  expect(new Set(numbers).size).toBe(MODULES.length * (counted.length + others.length));
  expect(numbers.every((number) => Number.isSafeInteger(number) && number >= 0)).toBe(true);
  expectEven(
    MODULES.flatMap((module) => others.map((id) => subjectOf(module, id))),
    0,
  );
});

test('ids of digits that were given one after the other have numbers that follow each other, wherever they begin', () => {
  for (const id of ['3652397000000000001', '3652397000000123456', 'order-000000000']) {
    const next = id.slice(0, -9) + String(Number(id.slice(-9)) + 1).padStart(9, '0');
    expect(subjectOf('Leads', next)).toBe(subjectOf('Leads', id) + 1);
  }
  const heads = MODULES.flatMap((module) =>
    Array.from({ length: COUNT }, (_, i) => subjectOf(module, `${i}000000000`)),
  );
  // What stands before the last nine digits.
  expectEven(heads, 32);
});

test('a module has another number than each of its records', () => {
  expect(subjectOf('Leads')).not.toBe(subjectOf('Leads', '1'));
  expect(subjectOf('Leads', '1')).not.toBe(subjectOf('Leads1'));
  expect(subjectOf('Leads')).toBe(subjectOf('Leads'));
});
