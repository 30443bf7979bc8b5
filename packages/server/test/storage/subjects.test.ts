import { expect, test } from 'vitest';
import { subjectOf } from '../../src/storage/subjects.ts';

test('what is as like as can be has numbers of its own, which a database and a double hold alike', () => {
  const modules = ['Leads', 'Contacts', 'Deals', 'sdaeL', ''];
  const ids = Array.from({ length: 40_000 }, (_, i) => [`3652397${String(i).padStart(12, '0')}`, `order-${i}`]).flat();
  const texts = [...ids, ...Array.from({ length: 200 }, (_, i) => 'a'.repeat(i))];
  const numbers = modules.flatMap((module) => texts.map((id) => subjectOf(module, id)));
  expect(new Set(numbers).size).toBe(modules.length * texts.length);
  expect(numbers.every((number) => Number.isSafeInteger(number) && number >= 0)).toBe(true);
  // As evenly as by chance: of so many, half have each bit.
  for (let bit = 0; bit < 53; bit += 1) {
    const set = numbers.filter((number) => Math.floor(number / 2 ** bit) % 2 === 1).length / numbers.length;
    expect(Math.abs(set - 0.5), `bit ${bit}`).toBeLessThan(0.01);
  }
});

test('a module has another number than each of its records', () => {
  expect(subjectOf('Leads')).not.toBe(subjectOf('Leads', '1'));
  expect(subjectOf('Leads', '1')).not.toBe(subjectOf('Leads1'));
  expect(subjectOf('Leads')).toBe(subjectOf('Leads'));
});
