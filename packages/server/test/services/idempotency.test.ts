import { expect, test } from 'vitest';
import { STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import type { Principal } from '../../src/domain/org.ts';
import { takeId, type WorkingSet } from '../../src/domain/working-set.ts';
import { once } from '../../src/services/idempotency.ts';
import { openSet, patricia, sam } from '../domain/records/working-set.ts';

const principal = (key: string, fingerprint = 'f', user = patricia): Principal => ({
  org: openSet().org,
  user,
  profile: { id: user.profileId, name: 'P', deniedModules: [] },
  catalog: STANDARD_CATALOG,
  clientId: 'c',
  scopes: [],
  idempotency: { key, fingerprint },
});
const command = { needs: {}, weight: 1, decide: (set: WorkingSet) => takeId(set) };

test('two writes with one key in the same batch are done once', () => {
  const set = openSet();
  const first = once(principal('k'), command).decide(set);
  expect(once(principal('k'), command).decide(set)).toBe(first);
  expect(set.writes.answers).toHaveLength(1);
  expect(once(principal('other'), command).decide(set)).not.toBe(first);
  expect(once(principal('k', 'f', sam), command).decide(set)).not.toBe(first);
  expect(() => once(principal('k', 'another'), command).decide(set)).toThrow('used for another request');
});

test('a write without a key is left as it is', () => {
  const { idempotency, ...without } = principal('k');
  expect(idempotency).toBeDefined();
  expect(once(without, command)).toBe(command);
});
