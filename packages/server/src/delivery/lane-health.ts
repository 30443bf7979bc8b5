import type { Attempt, NextStep } from '../domain/attempt.ts';
import type { SuspendedWhy } from '../domain/channel.ts';
import { afterFailure, type ChannelHealth, isFailingLong, type SuspensionPolicy } from '../domain/channel-health.ts';

/** How the receiver of one lane does. */
export interface LaneHealth {
  /** Undefined: it has not failed since its last success. */
  now(): ChannelHealth | undefined;
  /** Takes what was stored, unless it was forgiven meanwhile; says which. */
  know(stored: ChannelHealth | undefined): boolean;
  /** What came of attempts begun before counts no more. */
  forgive(): void;
  /** To be held against `judge` by the attempt that begins now. */
  begin(): number;
  /** How it does after an attempt, for its settlement: null when it is well again, undefined when nothing changed. */
  judge(begun: number, attempt: Attempt, number: number): ChannelHealth | null | undefined;
  /** Why its channel is to be suspended after that attempt, if it is. */
  verdict(begun: number, next: NextStep, now: number): Exclude<SuspendedWhy, 'operator'> | undefined;
}

export function createLaneHealth(known: ChannelHealth | undefined, policy: SuspensionPolicy | undefined): LaneHealth {
  let health = known;
  let forgivings = 0;

  return {
    now: () => health,
    know(stored) {
      if (forgivings > 0) return false;
      health = stored;
      return true;
    },
    forgive() {
      forgivings += 1;
      health = undefined;
    },
    begin: () => forgivings,
    judge(begun, { at, outcome }, number) {
      if (begun !== forgivings) return undefined;
      const before = health;
      health = outcome.kind === 'delivered' ? undefined : afterFailure(before, at, number);
      return health === before ? undefined : (health ?? null);
    },
    verdict(begun, next, now) {
      if (begun !== forgivings) return undefined;
      if (next.kind === 'suspend') return 'gone';
      return health && isFailingLong(health, now, policy) ? 'failing' : undefined;
    },
  };
}
