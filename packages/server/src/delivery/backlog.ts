import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OwedNotification } from '../storage/store.ts';
import { type OrgMemory, weigh } from './memory.ts';
import { createQueue } from './queue.ts';

/**
 * The pending notifications that a lane has yet to consider, in number order. What was just committed is taken directly
 * only if it is the next number; everything else is read from the store when its turn comes.
 */
export interface Backlog {
  /** Takes what was just committed. */
  feed(owed: OwedNotification): void;
  /** Says that numbers up to this one exist. */
  reaches(number: number): void;
  take(): OwedNotification | undefined;
  /** Where the store is to be read, when nothing is at hand and more is there; then call `fill`. */
  gap(): Gap | undefined;
  fill(gap: Gap, rows: readonly OwedNotification[]): void;
  isEmpty(): boolean;
  /** Lets go of what is beyond a lane's own part of memory; it is read again when needed. */
  shrink(): void;
  /** Lets go of what is in memory; it is read again when needed. */
  forget(): void;
}

interface Gap {
  readonly from: number;
  /** Newest number when the read began. */
  readonly to: number;
}

type BacklogPolicy = Pick<DeliveryPolicy, 'laneNotifications' | 'laneBytes' | 'laneShare'>;

/** `flows`: what it keeps is sent soon; then it may keep more than its own part, as long as others leave it free. */
export function createBacklog(
  from: number,
  { laneNotifications, laneBytes, laneShare }: BacklogPolicy,
  memory: OrgMemory,
  flows: () => boolean,
): Backlog {
  const kept = createQueue<OwedNotification>();
  let bytes = 0;
  /** Every pending number before it was taken or is kept. */
  let end = from;
  let newest = from - 1;

  const isWithinOwn = (): boolean => kept.size() < laneNotifications && bytes < laneBytes;

  function mayKeep(): boolean {
    if (memory.isFull()) return false;
    return isWithinOwn() || (bytes < memory.spare() * laneShare && flows());
  }

  function keep(owed: OwedNotification): void {
    const weight = weigh(owed);
    kept.put(owed);
    bytes += weight;
    memory.keep(owed);
    end = owed.number + 1;
  }

  function letGo(owed: OwedNotification): void {
    bytes -= weigh(owed);
    memory.letGo(owed);
  }

  /** From the newest on. */
  function letGoWhile(isTooMuch: () => boolean): void {
    while (isTooMuch()) {
      const last = kept.takeLast();
      if (!last) return;
      letGo(last);
      end = last.number;
    }
  }

  return {
    feed(owed) {
      newest = Math.max(newest, owed.number);
      if (owed.number === end && mayKeep()) keep(owed);
    },
    reaches(number) {
      newest = Math.max(newest, number);
    },
    take() {
      const owed = kept.take();
      if (owed) letGo(owed);
      return owed;
    },
    gap: () => (kept.size() === 0 && end <= newest ? { from: end, to: newest } : undefined),
    fill(gap, rows) {
      // Forgotten meanwhile, or fed: then these rows are not the next ones.
      if (gap.from !== end || kept.size() > 0) return;
      for (const row of rows) keep(row);
      if (rows.length === 0) end = gap.to + 1;
    },
    isEmpty: () => kept.size() === 0 && end > newest,
    shrink: () => letGoWhile(() => kept.size() > laneNotifications || bytes > laneBytes),
    forget: () => letGoWhile(() => true),
  };
}
