import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordId } from '../../src/domain/ids.ts';
import { STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import type { Principal } from '../../src/domain/org.ts';
import { done } from '../../src/domain/records/result.ts';
import { inChunks } from '../../src/services/chunks.ts';
import { readId } from '../../src/services/record-access.ts';
import { patricia } from '../domain/records/working-set.ts';

const principal: Principal = {
  org: { id: '3652397' as never, name: 'Test', timeZone: 'UTC' },
  user: patricia,
  profile: { id: patricia.profileId, name: 'P', deniedModules: [] },
  catalog: STANDARD_CATALOG,
  clientId: 'c',
  scopes: [],
  idempotency: { key: 'k', fingerprint: 'f' },
};

const text = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.integer({ min: 1, max: 6000 }).map((serial) => `3652397${String(serial).padStart(12, '0')}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('x', '', '1-2') },
);

test('a mass action of up to 5,000 ids makes parts of at most 100 that hold each id once, in order, each with a key of its own', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 5000, size: 'max' }), async (texts) => {
      const parts: (readonly RecordId[])[] = [];
      const keys: string[] = [];
      const results = await inChunks(
        principal,
        texts.map((given) => [given, readId(given)] as const),
        async ({ idempotency }, ids) => {
          parts.push(ids);
          keys.push(idempotency?.key ?? '');
          const stamp = {
            module: 'Leads',
            createdAt: 0,
            createdBy: patricia.id,
            modifiedAt: 0,
            modifiedBy: patricia.id,
          };
          const results = ids.map((id) =>
            done({ operation: 'update' as const, record: { ...stamp, id }, isChanged: true }),
          );
          return { results, user: () => undefined };
        },
      );
      const known = [...new Set(texts.filter((given) => readId(given).ok))];
      expect(parts.flat()).toEqual(known);
      expect(parts.every((part) => part.length > 0 && part.length <= 100)).toBe(true);
      expect(parts.length).toBe(Math.ceil(known.length / 100));
      expect(new Set(keys).size).toBe(keys.length);
      expect(results.filter(({ result }) => result.ok).map(({ id }) => id)).toEqual(known);
      expect(results.filter(({ result }) => !result.ok)).toHaveLength(
        texts.length - texts.filter((t) => readId(t).ok).length,
      );
    }),
    { numRuns: 60 },
  );
});
