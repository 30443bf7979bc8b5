import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAir } from '../../src/delivery/air.ts';
import type { OrgId } from '../../src/domain/ids.ts';

const [A, B, C] = ['1', '2', '3'] as OrgId[] as [OrgId, OrgId, OrgId];

/** What was let in, by name, in that order. */
function setUp(airBytes = 100) {
  const stop = new AbortController();
  const air = createAir({ airBytes, orgShare: 0.5 }, stop.signal);
  const entered: string[] = [];
  return {
    stop,
    entered,
    leave: air.leave,
    async enter(name: string, org: OrgId, bytes: number): Promise<void> {
      const room = air.enter(org, bytes);
      if (room) void room.then(() => entered.push(name));
      else entered.push(name);
      await Promise.resolve();
    },
  };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('what is in the air', () => {
  test('is at most the share of an organisation, which keeps nobody else waiting', async () => {
    const { enter, leave, entered } = setUp();
    await enter('a1', A, 30);
    await enter('a2', A, 30);
    await enter('b1', B, 50);
    expect(entered).toEqual(['a1', 'b1']);
    leave(A, 30);
    await turn();
    expect(entered).toEqual(['a1', 'b1', 'a2']);
  });

  test('is at most all the room, and who waits for room alone is not overtaken', async () => {
    const { enter, leave, entered } = setUp();
    await enter('a', A, 50);
    await enter('b', B, 30);
    await enter('c1', C, 40);
    await enter('c2', C, 1);
    await enter('b2', B, 1);
    expect(entered).toEqual(['a', 'b']);
    leave(B, 30);
    await turn();
    expect(entered).toEqual(['a', 'b', 'c1', 'c2', 'b2']);
  });

  test('may be larger than a share, alone', async () => {
    const { enter, leave, entered } = setUp();
    await enter('huge', A, 1000);
    await enter('small', A, 1);
    await enter('other', B, 10);
    expect(entered).toEqual(['huge', 'other']);
    leave(A, 1000);
    await turn();
    expect(entered).toEqual(['huge', 'other', 'small']);
  });

  test('waits no more once nothing is sent', async () => {
    const { enter, stop, entered } = setUp();
    await enter('a1', A, 50);
    await enter('a2', A, 50);
    stop.abort();
    await turn();
    await enter('a3', A, 50);
    expect(entered).toEqual(['a1', 'a2', 'a3']);
  });
});

test('everybody is let in once, in turn within an organisation, and never more than there is room for', async () => {
  const calls = fc.array(
    fc.record({ org: fc.constantFrom(A, B, C), bytes: fc.integer({ min: 1, max: 80 }), leaves: fc.boolean() }),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(calls, async (run) => {
      const air = createAir({ airBytes: 100, orgShare: 0.5 }, new AbortController().signal);
      const flying: { readonly index: number; readonly org: OrgId; readonly bytes: number }[] = [];
      const order: number[] = [];
      const land = () => {
        const one = flying.shift();
        if (one) air.leave(one.org, one.bytes);
      };
      for (const [index, { org, bytes, leaves }] of run.entries()) {
        const enter = () => {
          flying.push({ index, org, bytes });
          order.push(index);
        };
        const room = air.enter(org, bytes);
        if (room) void room.then(enter);
        else enter();
        await turn();
        const used = flying.reduce((sum, one) => sum + Math.min(one.bytes, 50), 0);
        expect(used).toBeLessThanOrEqual(100);
        if (leaves) land();
        await turn();
      }
      while (flying.length > 0) {
        land();
        await turn();
      }
      expect([...order].sort((a, b) => a - b)).toEqual(run.map((_, index) => index));
      for (const org of [A, B, C]) {
        const own = order.filter((index) => run[index]?.org === org);
        expect(own).toEqual([...own].sort((a, b) => a - b));
      }
    }),
  );
});
