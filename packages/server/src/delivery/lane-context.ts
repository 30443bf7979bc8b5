import type { Channel, Restart } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { SuspensionRequest } from '../domain/suspension.ts';
import type { DeliveryStore, OwedNotification } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Air } from './air.ts';
import type { Circuits } from './circuits.ts';
import type { DueTimes } from './due-times.ts';
import type { FairTurns } from './fair-turns.ts';
import type { FlightContext } from './flight.ts';
import type { Memory } from './memory.ts';
import type { Hold, Ownership } from './ownership.ts';
import type { Receiver } from './receivers.ts';
import type { Settler } from './settle.ts';
import type { Slots } from './slots.ts';

/** Sends what one channel is owed, in the order of its numbers as far as they share records (P4). */
export interface Lane {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly hold: Hold;
  /** Where it sends to, as far as it is known here. */
  channel(): Channel | undefined;
  /** Takes notifications just committed, in number order. */
  feed(owed: readonly OwedNotification[]): void;
  /** Numbers up to this one were given. */
  reaches(number: number): void;
  /**
   * Takes the channel as a commit left it: where it is sent to and until when. `isForgiven`: how its receiver did so far
   * counts no more, and what waits is due at once.
   */
  update(channel: Channel, isForgiven: boolean): void;
  /** Takes where its numbers began anew for receivers. */
  restarted(restart: Restart): void;
  /** Begins anew from what is stored, once nothing is in flight or unsaved. */
  beginAnew(): void;
  /** Its bucket is given back: it closes once nothing is in flight or unsaved. */
  leave(): void;
  /** Its bucket is another node's: it closes at once. */
  drop(): void;
  /** Its expiry was committed: no attempt starts any more. */
  lapse(): void;
  /** Its channel was deleted: what it still owes is cancelled. */
  end(): void;
  /** Something it waits for has come. */
  wake(): void;
  /** It could do something now, or waits for an answer or a save. */
  isBusy(): boolean;
  /** It owes more than it may keep track of and reads no further until something ends. */
  isStalled(): boolean;
  /** Notifications that wait for their retry. */
  waiting(): number;
}

/**
 * Why a lane closed: nothing is owed now, or a committed lapse holds it, or its channel ended; its channel is suspended;
 * something is still owed that neither holds; it is to begin anew at once; it failed; or it is another node's to send.
 */
export type Closing = 'done' | 'suspended' | 'left' | 'anew' | 'failed' | 'moved';

export interface LaneContext {
  readonly store: DeliveryStore;
  readonly clock: Clock;
  readonly policy: DeliveryPolicy;
  readonly ownership: Ownership;
  readonly slots: Slots;
  readonly settler: Settler;
  readonly dueTimes: DueTimes<Lane>;
  readonly memory: Memory;
  readonly air: Air;
  readonly searchTurn: FairTurns;
  readonly flights: FlightContext;
  readonly logger: Logger;
  /** Aborted when no attempt starts any more. */
  readonly stop: AbortSignal;
  /** No attempt starts for the organisation's channels. */
  readonly isSuspended: (org: OrgId) => boolean;
  /** The receiver as it is now; undefined when the channel has ended. */
  readonly findReceiver: (org: OrgId, generation: Generation) => Promise<Receiver | undefined>;
  /** Asks for the channel to be suspended; false: it was changed meanwhile, and is to be tried as it is now. */
  readonly suspend: (org: OrgId, request: SuspensionRequest) => Promise<boolean>;
  readonly circuits: Pick<Circuits, 'admits'>;
  /** An outcome was not saved, since the bucket is another node's. */
  readonly onRefused: (hold: Hold) => void;
  readonly onSettled: (hold: Hold) => void;
  readonly onClosed: (lane: Lane, receiver: Receiver | undefined, why: Closing) => void;
  /** Called when it may have stopped being busy. */
  readonly onQuiet: () => void;
}
