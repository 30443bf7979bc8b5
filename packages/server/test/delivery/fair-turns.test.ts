import { expect, test } from 'vitest';
import { createFairTurns } from '../../src/delivery/fair-turns.ts';
import type { OrgId } from '../../src/domain/ids.ts';

const [A, B] = ['1', '2'] as OrgId[] as [OrgId, OrgId];

test('turns are dealt by organisation, so many at once, also after one that fails', async () => {
  const turn = createFairTurns(2);
  const begun: string[] = [];
  let atOnce = 0;
  const work = (name: string) => async () => {
    begun.push(name);
    atOnce += 1;
    expect(atOnce).toBeLessThanOrEqual(2);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce -= 1;
    if (name === 'a1') throw new Error('out of order');
    return name;
  };
  const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2'];
  const done = names.map((name) => turn(name.startsWith('a') ? A : B, work(name)));
  const results = await Promise.allSettled(done);
  expect(results.map(({ status }) => status)).toEqual(['rejected', ...Array.from({ length: 6 }, () => 'fulfilled')]);
  expect(begun).toEqual(['a1', 'a2', 'a3', 'b1', 'a4', 'b2', 'a5']);
});
