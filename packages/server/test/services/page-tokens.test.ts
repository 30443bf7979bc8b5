import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OrgId, RecordId } from '../../src/domain/ids.ts';
import { SORT_FIELDS, SORT_ORDERS } from '../../src/domain/record-list.ts';
import { type Cursor, createPageTokens } from '../../src/services/page-tokens.ts';

const ORG = '3652397' as OrgId;
const OTHER_ORG = '4111111' as OrgId;
const tokens = createPageTokens(new Uint8Array(32).fill(7));

const cursor: Cursor = {
  module: 'Contacts',
  sortBy: 'Modified_Time',
  order: 'desc',
  since: 5,
  page: 3,
  isBack: true,
  position: { at: 1_767_600_000_123, id: '3652397000000001234' as RecordId },
  expiresAt: 1_767_700_000_000,
};

const REFUSED = expect.objectContaining({ code: 'INVALID_DATA', details: { param_name: 'page_token' } });

describe('page tokens', () => {
  test('are good beyond a change of the key, for as long as the former one is given', () => {
    const [newKey, oldKey] = [new Uint8Array(32).fill(8), new Uint8Array(32).fill(7)];
    const token = tokens.seal(ORG, cursor);
    expect(createPageTokens(newKey, [oldKey]).open(ORG, token)).toEqual(cursor);
    expect(() => createPageTokens(newKey).open(ORG, token)).toThrow(REFUSED);
    const made = createPageTokens(newKey, [oldKey]).seal(ORG, cursor);
    expect(createPageTokens(newKey).open(ORG, made)).toEqual(cursor);
  });

  test('give back the cursor they were made of', () => {
    const { since, ...unbounded } = cursor;
    expect(since).toBe(5);
    for (const sortBy of SORT_FIELDS) {
      for (const order of SORT_ORDERS) {
        const made = { ...unbounded, sortBy, order, isBack: sortBy === 'id' };
        expect(tokens.open(ORG, tokens.seal(ORG, made))).toEqual(made);
      }
    }
    expect(tokens.open(ORG, tokens.seal(ORG, cursor))).toEqual(cursor);
  });

  test('are worth nothing in another organisation or under another key', () => {
    const token = tokens.seal(ORG, cursor);
    expect(() => tokens.open(OTHER_ORG, token)).toThrow(REFUSED);
    expect(() => createPageTokens(new Uint8Array(32)).open(ORG, token)).toThrow(REFUSED);
  });

  test('are refused when any character of them was changed, and so is anything else', () => {
    const token = tokens.seal(ORG, cursor);
    for (let i = 0; i < token.length; i += 1) {
      const other = token[i] === 'A' ? 'B' : 'A';
      expect(() => tokens.open(ORG, token.slice(0, i) + other + token.slice(i + 1))).toThrow(REFUSED);
    }
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), (text) => {
        expect(() => tokens.open(ORG, text)).toThrow(REFUSED);
      }),
    );
  });
});
