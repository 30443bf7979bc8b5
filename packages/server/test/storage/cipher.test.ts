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
    ['a changed byte', (sealed: string) => cipher.open(flip(sealed, 20), PLACE)],
    ['a changed tag', (sealed: string) => cipher.open(flip(sealed, sealed.length - 4), PLACE)],
    ['a cut end', (sealed: string) => cipher.open(sealed.slice(0, -8), PLACE)],
    ['an unknown version', (sealed: string) => cipher.open(sealed.replace('v1.', 'v2.'), PLACE)],
    ['the name of another key', (sealed: string) => cipher.open(renamed(sealed), PLACE)],
    ['no form at all', () => cipher.open('plain text', PLACE)],
  ])('does not open with %s', (_, open) => {
    expect(() => open(cipher.seal('token', PLACE))).toThrow();
  });
});

describe('keys', () => {
  const [older, old, newer] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [Key, Key, Key];

  it('a text names the key that it was sealed under, and is opened while that is given', () => {
    const sealed = createCipher(old).seal('token', PLACE);
    const rotated = createCipher(newer, [older, old]);
    expect(rotated.open(sealed, PLACE)).toBe('token');
    expect(rotated.isCurrent(sealed)).toBe(false);
    expect(() => createCipher(newer, [older]).open(sealed, PLACE)).toThrow(createCipher(old).keyId);
  });

  it('everything is sealed under the present one', () => {
    const rotated = createCipher(newer, [older, old]);
    const sealed = rotated.seal('token', PLACE);
    expect(rotated.isCurrent(sealed)).toBe(true);
    expect(createCipher(newer).open(sealed, PLACE)).toBe('token');
  });

  it('have names of their own that do not tell them', () => {
    const names = [older, old, newer].map((key) => createCipher(key).keyId);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{8}$/);
    expect(createCipher(newer, [old]).knows(createCipher(old).keyId)).toBe(true);
    expect(createCipher(newer, [old]).knows(createCipher(older).keyId)).toBe(false);
  });

  it.each([0, 16, 31, 33])('of %i bytes are refused, present or former', (bytes) => {
    expect(() => createCipher(new Uint8Array(bytes))).toThrow('32 bytes');
    expect(() => createCipher(newer, [new Uint8Array(bytes)])).toThrow('32 bytes');
  });
});

type Key = Uint8Array;
const renamed = (sealed: string): string =>
  sealed.replace(cipher.keyId, createCipher(new Uint8Array(32).fill(9)).keyId);

const flip = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
