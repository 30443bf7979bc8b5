import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelIndex } from '../domain/channel-index.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { type Db, sql } from './db.ts';
import { integer } from './rows.ts';

/** Notifications counted by one statement; other reads come in between. */
const SLICE = 20_000;
/** After a count it rests for so many times as long as it took. */
const REST = 9;

/**
 * Counts what channels owe, beside the writer and never in its way: one channel at a time, in slices, first those that
 * come near their limit, then those that are over it. What it finds is in the index when a later batch looks. A count that failed is asked for again by the next notification.
 */
export interface BacklogCounts {
  /** Takes over what the index wants to be counted. */
  take(org: OrgId, index: ChannelIndex): void;
  /** Resolves when nothing is being counted; nothing more is taken. */
  stop(): Promise<void>;
}

interface Asked {
  readonly org: OrgId;
  readonly key: string;
  readonly index: ChannelIndex;
}

const first = (queue: ReadonlyMap<Generation, Asked>) => queue.entries().next().value;

export function createBacklogCounts(db: Pick<Db, 'read'>): BacklogCounts {
  const near = new Map<Generation, Asked>();
  const overflowing = new Map<Generation, Asked>();
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let next = first(near) ?? first(overflowing); next; next = first(near) ?? first(overflowing)) {
      const [generation, { org, key, index }] = next;
      const start = performance.now();
      const known = index.byKey.get(key);
      const counted = await count(org, generation).catch(() => undefined);
      // Not of a channel that was changed meanwhile, here or elsewhere: what it owed may be cancelled.
      if (counted && known && index.byKey.get(key) === known) index.counted.set(generation, counted);
      await sleep((performance.now() - start) * REST, undefined, { signal: stopping.signal }).catch(() => undefined);
      near.delete(generation);
      overflowing.delete(generation);
      if (stopping.signal.aborted) break;
    }
    running = undefined;
  }

  async function count(org: OrgId, generation: Generation) {
    const [[channel] = []] = await db.read([
      sql`
        SELECT last_number, COALESCE(cancelled_to, 0) AS cancelled_to FROM channel
        WHERE org_id = ${org} AND generation = ${generation}`,
    ]);
    if (!channel) return undefined;
    const upTo = integer(channel, 'last_number');
    let owed = 0;
    for (let after = integer(channel, 'cancelled_to'); !stopping.signal.aborted; ) {
      const [[slice] = []] = await db.read([
        sql`
          SELECT COUNT(*) AS owed, COALESCE(MAX(number), 0) AS last FROM (
            SELECT number FROM owed
            WHERE org_id = ${org} AND generation = ${generation} AND number > ${after} AND number <= ${upTo}
            ORDER BY number LIMIT ${SLICE}) r`,
      ]);
      if (!slice) return undefined;
      owed += integer(slice, 'owed');
      after = integer(slice, 'last');
      if (integer(slice, 'owed') < SLICE) return { upTo, owed };
    }
    return undefined;
  }

  return {
    take(org, index) {
      for (const [generation, key] of index.uncounted) {
        const queue = index.overflowing.has(key) ? overflowing : near;
        if (!stopping.signal.aborted) queue.set(generation, { org, key, index });
      }
      index.uncounted.clear();
      if (near.size + overflowing.size > 0) running ??= Promise.resolve().then(run);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
