import { expect, test } from 'vitest';
import { parseChannelId } from '../../src/domain/ids.ts';

test.each([
  ['9223372036854775807', '9223372036854775807'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['9223372036854775808', undefined],
  ['007', '7'],
  ['1e3', undefined],
  ['', undefined],
])('a channel id given as %j is read as %j', (text, expected) => {
  expect(parseChannelId(text)).toBe(expected);
});
