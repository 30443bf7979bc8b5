import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { DeliveryStore, JobStore, OwedNotification } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Air } from './air.ts';
import type { Circuits } from './circuits.ts';
import type { FlightContext } from './flight.ts';
import type { Hold, Ownership } from './ownership.ts';
import type { Slots } from './slots.ts';

/** `over`: its state says how. `rests`: it waits for its channel. `stopped`: it goes on here later, or elsewhere. */
export type RunEnd = 'over' | 'rests' | 'stopped';

/** A job that this node works on. */
export interface Run {
  /** Resolves when nothing of it is in the air or unsaved. Never rejects. */
  readonly done: Promise<RunEnd>;
  /** It could do something now, or waits for an answer or a save, or ends. */
  isBusy(): boolean;
  /** Something was committed about its channel, or may go that could not. */
  wake(isChannelOld: boolean): void;
}

export interface ResendingContext {
  readonly store: Pick<JobStore, 'page' | 'bring' | 'settle'>;
  readonly channels: Pick<DeliveryStore, 'channel'>;
  readonly clock: Clock;
  readonly policy: DeliveryPolicy;
  readonly ownership: Ownership;
  readonly slots: Slots;
  readonly air: Air;
  readonly circuits: Pick<Circuits, 'admits'>;
  readonly flights: FlightContext;
  readonly isSuspended: (org: OrgId) => boolean;
  /** Which attempts jobs made last, of those that may not be saved yet: by generation and number. */
  readonly given: AttemptsGiven;
  /** Aborted when what is not saved by then is given up. */
  readonly giveUp: AbortSignal;
  readonly metrics: Pick<Metrics, 'resent'>;
  readonly logger: Logger;
  /** What it did was not saved, since the bucket is another node's. */
  readonly onRefused: (hold: Hold) => void;
  /** Called when it may have stopped being busy. */
  readonly onQuiet: () => void;
}

/** Two jobs may send the same notification: their attempts are numbered on. */
export interface AttemptsGiven {
  next(generation: Generation, number: number, attemptsMade: number): number;
}

/** A notification that a job sends. */
export interface Item {
  readonly number: number;
  readonly owed: OwedNotification;
  readonly attemptsMade: number;
  readonly bytes: number;
  /** Attempts that the job made. */
  readonly tries: number;
  readonly dueAt: number;
}
