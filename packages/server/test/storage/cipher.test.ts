import { describe, expect, it } from 'vitest';
import { createCipher } from '../../src/storage/cipher.ts';

const cipher = createCipher(new Uint8Array(32).fill(1));
const PLACE = ['channel', '3652397', 'g1', 'token'];

describe('a sealed secret', () => {
  it.each(['', 'token', 'zwölf 😀', 'x'.repeat(5000)])('opens to what was sealed', (text) => {
    expect(cipher.open(cipher.seal(text, PLACE), PLACE)).toBe(text);
  });

  it('looks different each time', () => {
    expect(cipher.seal('token', PLACE)).not.toBe(cipher.seal('token', PLACE));
  });

  it.each([
    ['another place', (sealed: string) => cipher.open(sealed, ['channel', '3652397', 'g2', 'token'])],
    ['places that join to the same text', (sealed: string) => cipher.open(sealed, ['channel3652397', 'g1', 'token'])],
    ['another key', (sealed: string) => createCipher(new Uint8Array(32).fill(2)).open(sealed, PLACE)],
    ['a changed byte', (sealed: string) => cipher.open(flip(sealed, 10), PLACE)],
    ['a changed tag', (sealed: string) => cipher.open(flip(sealed, sealed.length - 4), PLACE)],
    ['a cut end', (sealed: string) => cipher.open(sealed.slice(0, -8), PLACE)],
    ['an unknown version', (sealed: string) => cipher.open(sealed.replace('v1.', 'v2.'), PLACE)],
    ['no form at all', () => cipher.open('plain text', PLACE)],
  ])('does not open with %s', (_, open) => {
    expect(() => open(cipher.seal('token', PLACE))).toThrow();
  });
});

const flip = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
