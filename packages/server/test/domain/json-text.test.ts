import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/domain/json.ts';
import { objectText } from '../../src/domain/json-text.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map((units) => String.fromCharCode(...units)),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u001f', ' ', '\u007f', '\u2028', 'é', '\ud83d', '\ude00'),
  }),
);

test('an object is written as JSON.stringify writes it, whatever is in its texts', () => {
  fc.assert(
    fc.property(fc.dictionary(anyText, fc.oneof(anyText, fc.jsonValue())), (object) => {
      expect(objectText(object as JsonObject)).toBe(JSON.stringify(object));
    }),
    { numRuns: 2000 },
  );
});

test('what is not there is left out', () => {
  expect(objectText({})).toBe('{}');
  expect(objectText({ a: undefined, b: 'x', c: undefined } as unknown as JsonObject)).toBe('{"b":"x"}');
});
