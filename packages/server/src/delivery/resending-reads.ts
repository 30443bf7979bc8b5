import type { Job } from '../domain/job.ts';
import type { JobStore, Resendable, ResendRange } from '../storage/store.ts';
import type { Item } from './resending-context.ts';

export interface Found {
  /** What is to be sent; without an item: it was done before, or is gone. In ascending order. */
  readonly numbers: readonly { readonly number: number; readonly item?: Item }[];
  /** Up to this number all was looked at. */
  readonly to: number;
}

/** The next of a range, bounded in numbers and in bytes; at least one. `most`: attempts at one notification. */
export async function readResendable(
  store: Pick<JobStore, 'page' | 'bring'>,
  { org, generation, id }: Job,
  range: ResendRange,
  most: number,
  limits: { readonly rows: number; readonly bytes: number },
): Promise<Found> {
  const { items, lookedTo } = await store.page(org, generation, id, range, limits.rows);
  const isDue = ({ isDelivered, tries }: Resendable) => !isDelivered && tries < most;
  let room = limits.bytes;
  const cut = items.findIndex((item, i) => {
    if (!isDue(item)) return false;
    room -= item.bytes;
    return room < 0 && i > 0;
  });
  const taken = cut < 0 ? items : items.slice(0, cut);
  const asked = taken.filter(isDue).map(({ number }) => number);
  const brought = asked.length > 0 ? await store.bring(org, generation, asked) : [];
  const byNumber = new Map(brought.map((owed) => [owed.number, owed]));
  return {
    to: cut < 0 ? lookedTo : (taken.at(-1)?.number ?? lookedTo),
    numbers: taken.map(({ number, attemptsMade, bytes, tries }) => {
      const owed = byNumber.get(number);
      return owed ? { number, item: { number, owed, attemptsMade, bytes, tries, dueAt: 0 } } : { number };
    }),
  };
}
