import type { OwedNotification } from '../storage/store.ts';

/** A notification that was dispatched. */
export interface Item {
  readonly number: number;
  readonly attemptsMade: number;
  /** Not before this time of the injected clock; 0: at once. */
  readonly dueAt: number;
  /** Left out while it waits long or memory is short: it is read again before it is sent. */
  readonly owed?: OwedNotification;
}

/** What a lane has in wait for a retry. */
export interface WaitingList {
  add(item: Item): void;
  /** Takes out what is due at `now`, in number order. */
  takeDue(now: number): Item[];
  /** Makes everything due at once. */
  free(): void;
  /** Earliest due time; Infinity when nothing waits. */
  nextDueAt(): number;
  size(): number;
}

export function createWaitingList(): WaitingList {
  const items = new Map<number, Item>();
  /** Kept, since lanes ask at every turn and most lists hold nothing due. */
  let nextDueAt = Infinity;

  return {
    add({ number, attemptsMade, dueAt }) {
      items.set(number, { number, attemptsMade, dueAt });
      nextDueAt = Math.min(nextDueAt, dueAt);
    },
    takeDue(now) {
      if (now < nextDueAt) return [];
      const due = [...items.values()].filter((item) => item.dueAt <= now).sort((a, b) => a.number - b.number);
      for (const { number } of due) items.delete(number);
      nextDueAt = Infinity;
      for (const { dueAt } of items.values()) nextDueAt = Math.min(nextDueAt, dueAt);
      return due;
    },
    free() {
      for (const item of items.values()) items.set(item.number, { ...item, dueAt: 0 });
      if (items.size > 0) nextDueAt = 0;
    },
    nextDueAt: () => nextDueAt,
    size: () => items.size,
  };
}
