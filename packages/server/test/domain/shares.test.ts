import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUCKETS } from '../../src/domain/bucket.ts';
import { type Sharing, type SharingNode, shareOf } from '../../src/domain/shares.ts';

const NOW = 1_000_000;
const live = (id: string, left = 20_000): SharingNode => ({ id, leaseUntil: NOW + left, isLeaving: false });

/** The first so many of one node, then so many of the next. */
function sharing(nodes: readonly SharingNode[], counts: Readonly<Record<string, number>> = {}): Sharing {
  const owners = Object.entries(counts).flatMap(([id, count]) => Array.from({ length: count }, () => id));
  return {
    now: NOW,
    nodes,
    buckets: Array.from({ length: BUCKETS }, (_, bucket) => {
      const node = owners[bucket];
      return { bucket, ...(node !== undefined && { node }) };
    }),
  };
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('the share of a node', () => {
  test('is everything while it is alone', () => {
    expect(shareOf(sharing([live('a')]), 'a')).toEqual({ fair: 64, release: [], claim: range(0, 64) });
    expect(shareOf(sharing([live('a')], { a: 64 }), 'a')).toEqual({ fair: 64, release: [], claim: [] });
  });

  test('is half when another joins, which takes nothing before it is given back', () => {
    const joined = sharing([live('a'), live('b')], { a: 64 });
    expect(shareOf(joined, 'a')).toMatchObject({ fair: 32, release: range(32, 64), claim: [] });
    expect(shareOf(joined, 'b')).toMatchObject({ fair: 32, release: [], claim: [] });
    expect(shareOf(sharing([live('a'), live('b')], { a: 40 }), 'b').claim).toEqual(range(40, 64));
  });

  test('takes what a dead node had from the moment on at which its lease is over', () => {
    const dying = [live('a'), live('b', 1)];
    const counts = { a: 32, b: 32 };
    expect(shareOf(sharing(dying, counts), 'a')).toEqual({ fair: 32, release: [], claim: [], lookAgainAt: NOW + 1 });
    expect(shareOf(sharing([live('a'), live('b', 0)], counts), 'a')).toEqual({
      fair: 64,
      release: [],
      claim: range(32, 64),
    });
  });

  test('takes what belongs to nobody that is known', () => {
    expect(shareOf(sharing([live('a')], { a: 32, gone: 32 }), 'a').claim).toEqual(range(32, 64));
  });

  test('leaves a leaving node what it has not given back yet, and counts on it no more', () => {
    const leaving = sharing([live('a'), { ...live('b'), isLeaving: true }], { a: 32, b: 30 });
    expect(shareOf(leaving, 'a')).toMatchObject({ fair: 64, claim: [62, 63] });
    expect(shareOf(leaving, 'b')).toMatchObject({ fair: 0, release: range(32, 62), claim: [] });
  });

  test('is nothing of a node that is not registered', () => {
    expect(shareOf(sharing([live('a')], { a: 60 }), 'b')).toMatchObject({ fair: 0, release: [], claim: [] });
  });

  test('looks again when the first lease of another node runs out', () => {
    const nodes = [live('a', 3), live('b', 20), live('c', 10), live('d', -1)];
    expect(shareOf(sharing(nodes), 'a').lookAgainAt).toBe(NOW + 10);
    expect(shareOf(sharing([live('a', 3)]), 'a').lookAgainAt).toBeUndefined();
  });

  test('leaves what does not divide where it is', () => {
    const three = [live('a'), live('b'), live('c')];
    const counts = { a: 21, b: 21, c: 22 };
    for (const { id } of three) {
      expect(shareOf(sharing(three, counts), id)).toMatchObject({ release: [], claim: [] });
    }
    expect(shareOf(sharing(three, { a: 32, b: 32 }), 'a').fair).toBe(22);
    expect(shareOf(sharing(three, { a: 32, b: 32 }), 'b').fair).toBe(21);
  });
});

/** Which of eight nodes are there, and whose each bucket is; `undefined` and nodes that are not there own some, too. */
const anySharing = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 8 }),
    fc.uniqueArray(fc.integer({ min: 0, max: 7 })),
    fc.array(fc.option(fc.integer({ min: 0, max: 9 })), { minLength: BUCKETS, maxLength: BUCKETS }),
  )
  .map(
    ([here, leaving, owners]): Sharing => ({
      now: NOW,
      nodes: here.map((n) => ({ ...live(`n${n}`, 1 + n), isLeaving: leaving.includes(n) })),
      buckets: owners.map((owner, bucket) => ({ bucket, ...(owner !== null && { node: `n${owner}` }) })),
    }),
  );

/** What follows when one node does what it is to do, as the store would let it. */
function act(state: Sharing, id: string): Sharing {
  const { release, claim } = shareOf(state, id);
  return {
    ...state,
    buckets: state.buckets.map((bucket) => {
      if (release.includes(bucket.bucket)) return { bucket: bucket.bucket };
      return claim.includes(bucket.bucket) ? { bucket: bucket.bucket, node: id } : bucket;
    }),
  };
}
const counted = (state: Sharing, id: string): number => state.buckets.filter(({ node }) => node === id).length;

test('no two nodes claim one bucket, and none claims what somebody here owns', () => {
  fc.assert(
    fc.property(anySharing, (state) => {
      const claims = state.nodes.flatMap(({ id }) => shareOf(state, id).claim);
      expect(new Set(claims).size).toBe(claims.length);
      const here = new Set(state.nodes.map(({ id }) => id));
      for (const bucket of claims) expect(here.has(state.buckets[bucket]?.node ?? '')).toBe(false);
    }),
  );
});

test('in whatever order nodes act, all buckets are dealt out evenly soon, and then none moves', () => {
  fc.assert(
    fc.property(anySharing, fc.array(fc.nat(7), { maxLength: 30 }), (begun, turns) => {
      const ids = begun.nodes.map(({ id }) => id);
      const staying = begun.nodes.flatMap(({ id, isLeaving }) => (isLeaving ? [] : id));
      fc.pre(staying.length > 0);
      const acting = [...turns.map((turn) => ids[turn % ids.length] ?? ''), ...ids, ...ids, ...ids];
      const state = acting.reduce(act, begun);
      const counts = staying.map((id) => counted(state, id));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(BUCKETS);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      for (const id of ids) expect(shareOf(state, id)).toMatchObject({ release: [], claim: [] });
    }),
  );
});

test('no bucket is given back that its owner could keep under any even deal', () => {
  fc.assert(
    fc.property(anySharing, (state) => {
      const staying = state.nodes.flatMap(({ id, isLeaving }) => (isLeaving ? [] : id));
      fc.pre(staying.length > 0);
      const moved = staying.reduce((sum, id) => sum + shareOf(state, id).release.length, 0);
      const least = Math.floor(BUCKETS / staying.length);
      const over = staying.map((id) => counted(state, id) - least).filter((more) => more > 0);
      const extras = Math.min(over.length, BUCKETS - least * staying.length);
      expect(moved).toBe(over.reduce((sum, more) => sum + more, 0) - extras);
    }),
  );
});
