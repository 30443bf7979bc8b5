import { monotonicMicros } from '../processes.ts';
import type { Moments } from '../system.ts';

/**
 * Calls `handIn` at a steady rate with 0, 1, 2, …, each at its own time whatever became of those before it. A timer is
 * good for a millisecond: at more than 1,000 a second, those that fell due together are handed in together.
 */
export async function pace(
  perSecond: number,
  seconds: number,
  handIn: (nth: number) => Promise<void>,
): Promise<Moments> {
  const count = Math.round(perSecond * seconds);
  const handedIn = new Float64Array(count).fill(Number.NaN);
  const durable = new Float64Array(count).fill(Number.NaN);
  const begun = monotonicMicros();
  const dueAt = (nth: number): number => begun + (nth * 1e6) / perSecond;

  async function one(nth: number): Promise<void> {
    handedIn[nth] = monotonicMicros();
    await handIn(nth);
    durable[nth] = monotonicMicros();
  }

  const all: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const handInDue = (): void => {
      while (all.length < count && dueAt(all.length) <= monotonicMicros()) all.push(one(all.length));
      if (all.length === count) resolve();
      else setTimeout(handInDue, Math.max(0, (dueAt(all.length) - monotonicMicros()) / 1000));
    };
    handInDue();
  });
  await Promise.all(all);
  return { handedIn, durable };
}
