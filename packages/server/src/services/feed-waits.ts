import { AppError } from '../domain/error.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { WriteSet } from '../domain/working-set.ts';

interface Waiting {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly after: number;
  readonly wake: () => void;
}

/** Who waits for numbers of a channel after one. */
export interface WaitFor {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly after: number;
  /** Whoever asks: only so many of one may wait. */
  readonly who: string;
  /** Real time, ms. */
  readonly waitMs: number;
  /** The caller has gone. */
  readonly signal?: AbortSignal;
}

export interface Waiter {
  /** Resolves when there is something, the time is over, the caller has gone, or the server stops. */
  readonly over: Promise<void>;
  /** Gives the place back. */
  leave(): void;
}

/** Bounded: who waits costs a connection and a timer, and nothing else until something comes. */
export interface FeedWaits {
  /** What is committed from now on ends it. Refuses with TOO_MANY_REQUESTS, or SERVICE_UNAVAILABLE when the node is full. */
  enter(waiting: WaitFor): Waiter;
  /** Told of each commit of this node. Never throws. */
  committed(org: OrgId, writes: Pick<WriteSet, 'numbers'>): void;
  count(): number;
  /** Ends all waiting, and what comes from then on at once. */
  close(): void;
}

export interface FeedWaitsOptions {
  /** Undefined: all commits are this node's. Else the newest numbers of the channels that are there, whoever gave them. */
  readonly look?: (
    channels: readonly { readonly org: OrgId; readonly generation: Generation }[],
  ) => Promise<ReadonlyMap<Generation, number>>;
  readonly maxWaiting?: number;
  readonly maxOfOne?: number;
  /** Of all callers of one organisation: others find room beside it. */
  readonly maxOfOrg?: number;
  /** Between two looks, ms of real time. */
  readonly lookEvery?: number;
}

const AGAIN_MS = 1_000;

export function createFeedWaits(options: FeedWaitsOptions): FeedWaits {
  const { look, maxWaiting = 1_000, maxOfOne = 20, maxOfOrg = 250, lookEvery = 700 } = options;
  const waiting = new Map<Generation, Set<Waiting>>();
  const byWho = new Map<string, number>();
  const byOrg = new Map<OrgId, number>();
  let count = 0;
  let isClosed = false;
  let isLooking = false;

  function refuseTooMany({ org, who }: WaitFor): void {
    if (count >= maxWaiting) {
      throw new AppError('SERVICE_UNAVAILABLE', 'Too many callers wait', {}, { retryAfterMs: AGAIN_MS });
    }
    if ((byWho.get(who) ?? 0) >= maxOfOne) {
      throw tooMany(`No more than ${maxOfOne} requests of one caller may wait at once`);
    }
    if ((byOrg.get(org) ?? 0) >= maxOfOrg) {
      throw tooMany(`No more than ${maxOfOrg} requests of one organisation may wait at once`);
    }
  }

  function reached(generation: Generation, number: number): void {
    for (const one of waiting.get(generation) ?? []) if (number > one.after) one.wake();
  }

  /** One look at a time, for all who wait; none when nobody does. */
  async function lookAround(ask: NonNullable<FeedWaitsOptions['look']>): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (count > 0 && !isClosed) {
      await new Promise<void>((resolve) => setTimeout(resolve, lookEvery).unref());
      const channels = [...waiting.values()].flatMap(([first]) => first ?? []);
      // A store that fails is asked again; who waits is answered by then at the latest when the time is over.
      const numbers = channels.length > 0 ? await ask(channels).catch(() => new Map<Generation, number>()) : new Map();
      for (const [generation, number] of numbers) reached(generation, number);
    }
    isLooking = false;
  }

  return {
    enter(asked) {
      const { org, generation, after, who, waitMs, signal } = asked;
      if (isClosed || waitMs <= 0 || signal?.aborted) return { over: Promise.resolve(), leave: () => undefined };
      refuseTooMany(asked);
      let wake: () => void = () => undefined;
      const over = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const entry: Waiting = { org, generation, after, wake };
      const timer = setTimeout(wake, waitMs);
      signal?.addEventListener('abort', wake, { once: true });
      const others = waiting.get(generation);
      if (others) others.add(entry);
      else waiting.set(generation, new Set([entry]));
      add(byWho, who, 1);
      add(byOrg, org, 1);
      count += 1;
      let hasLeft = false;
      if (look) void lookAround(look);
      return {
        over,
        leave() {
          if (hasLeft) return;
          hasLeft = true;
          clearTimeout(timer);
          signal?.removeEventListener('abort', wake);
          wake();
          count -= 1;
          add(byWho, who, -1);
          add(byOrg, org, -1);
          const beside = waiting.get(generation);
          beside?.delete(entry);
          if (beside?.size === 0) waiting.delete(generation);
        },
      };
    },
    committed(_org, { numbers }) {
      if (count === 0) return;
      for (const [generation, number] of numbers) reached(generation, number);
    },
    count: () => count,
    close() {
      isClosed = true;
      for (const others of waiting.values()) for (const one of others) one.wake();
    },
  };
}

const tooMany = (message: string): AppError =>
  new AppError('TOO_MANY_REQUESTS', message, { api_name: 'wait' }, { retryAfterMs: AGAIN_MS });

/** What nobody has is forgotten. */
function add<Key>(counts: Map<Key, number>, key: Key, more: number): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
