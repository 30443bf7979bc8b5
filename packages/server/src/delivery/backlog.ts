import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OwedNotification } from '../storage/store.ts';
import { type OrgMemory, weigh } from './memory.ts';

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
  /** Lets go of what is in memory; it is read again when needed. */
  forget(): void;
}

interface Gap {
  readonly from: number;
  /** Newest number when the read began. */
  readonly to: number;
}

export function createBacklog(from: number, policy: DeliveryPolicy, memory: OrgMemory): Backlog {
  let kept: OwedNotification[] = [];
  let bytes = 0;
  /** Every pending number before it was taken or is kept. */
  let end = from;
  let newest = from - 1;

  function keep(owed: OwedNotification): void {
    const weight = weigh(owed);
    kept.push(owed);
    bytes += weight;
    memory.add(weight);
    end = owed.number + 1;
  }

  return {
    feed(owed) {
      newest = Math.max(newest, owed.number);
      const hasRoom = kept.length < policy.laneNotifications && bytes < policy.laneBytes && !memory.isFull();
      if (owed.number === end && hasRoom) keep(owed);
    },
    reaches(number) {
      newest = Math.max(newest, number);
    },
    take() {
      const owed = kept.shift();
      if (!owed) return undefined;
      const weight = weigh(owed);
      bytes -= weight;
      memory.add(-weight);
      return owed;
    },
    gap: () => (kept.length === 0 && end <= newest ? { from: end, to: newest } : undefined),
    fill(gap, rows) {
      // Forgotten meanwhile, or fed: then these rows are not the next ones.
      if (gap.from !== end || kept.length > 0) return;
      for (const row of rows) keep(row);
      if (rows.length === 0) end = gap.to + 1;
    },
    isEmpty: () => kept.length === 0 && end > newest,
    forget() {
      end = kept[0]?.number ?? end;
      kept = [];
      memory.add(-bytes);
      bytes = 0;
    },
  };
}
