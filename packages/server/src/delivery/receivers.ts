import type { Channel, Restart } from '../domain/channel.ts';
import type { ChannelHealth } from '../domain/channel-health.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { withRestart } from '../domain/restart.ts';
import type { DeliveryStore } from '../storage/store.ts';
import { createFairTurns } from './fair-turns.ts';
import type { Standing } from './slots.ts';
import { targetOf } from './target.ts';

/** What is known of a channel when its lane starts. */
export interface Receiver {
  readonly channel: Channel;
  readonly standing: Standing;
  readonly level: number;
  /** Undefined: it has not failed since its last success. */
  readonly health?: ChannelHealth;
}

/** Where channels send to, kept for those that were busy last, so that their next lane starts without a read. */
export interface Receivers {
  known(generation: Generation): Receiver | undefined;
  /** Reads it from the store, few at a time and dealt by organisation; undefined when the channel has ended. */
  readonly find: (org: OrgId, generation: Generation) => Promise<Receiver | undefined>;
  remember(receiver: Receiver): void;
  /** Takes a channel as it was just committed. `isForgiven`: how its receiver did so far counts no more. */
  update(channel: Channel, isForgiven: boolean): void;
  /** Takes where its numbers began anew for receivers. */
  restart(generation: Generation, restart: Restart): void;
  forget(generation: Generation): void;
  forgetThose(isGone: (generation: Generation) => boolean): void;
  forgetAll(): void;
}

export function createReceivers(store: Pick<DeliveryStore, 'channel'>, policy: DeliveryPolicy): Receivers {
  /** Least recently used first. */
  const kept = new Map<Generation, Receiver>();
  const turn = createFairTurns(policy.startReads);

  return {
    known: (generation) => kept.get(generation),
    async find(org, generation) {
      const stored = await turn(org, () => store.channel(org, generation));
      if (!stored) return undefined;
      const { channel, lastSucceeded, health } = stored;
      if (lastSucceeded === false) return { channel, standing: 'failing', level: 1, ...(health && { health }) };
      return { channel, standing: lastSucceeded ? 'proven' : 'unproven', level: policy.firstFlights };
    },
    remember(receiver) {
      const { generation } = receiver.channel;
      kept.delete(generation);
      kept.set(generation, receiver);
      if (kept.size <= policy.maxReceivers) return;
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        return;
      }
    },
    update(channel, isForgiven) {
      const known = kept.get(channel.generation);
      if (!known) return;
      kept.set(
        channel.generation,
        isForgiven ? { channel, standing: 'unproven', level: policy.firstFlights } : { ...known, channel },
      );
    },
    restart(generation, restart) {
      const known = kept.get(generation);
      if (known) kept.set(generation, { ...known, channel: withRestart(known.channel, restart) });
    },
    forget(generation) {
      kept.delete(generation);
    },
    forgetAll() {
      kept.clear();
    },
    forgetThose(isGone) {
      for (const generation of kept.keys()) if (isGone(generation)) kept.delete(generation);
    },
  };
}

/** What a channel's flights are counted by; of a URL that is none, itself. */
export const originOf = (channel: Channel): string => targetOf(channel).origin;
