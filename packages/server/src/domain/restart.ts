import type { Channel, LiveChannel, Restart } from './channel.ts';

/** Which history of the store this is. Raised when it was restored from a backup, whose original may have gone further. */
export interface StoreEpoch {
  /** 0: never restored. */
  readonly number: number;
  /** Random, so that no two stores restored from one backup ever have the same. */
  readonly label: string;
}

export const FIRST_EPOCH: StoreEpoch = { number: 0, label: '' };

/** What a receiver knows a notification by, beside its id (P3). */
export interface Identity {
  readonly generation: string;
  /** Contiguous within it: 1, 2, 3 … */
  readonly number: number;
}

/** The generation and the number that receivers are told: those stored, but for what was numbered after a restore. */
export function identityOf(channel: Pick<Channel, 'generation' | 'restarts'>, number: number): Identity {
  const restart = channel.restarts.findLast(({ from }) => from <= number);
  if (!restart) return { generation: channel.generation, number };
  return { generation: restart.generation, number: number - restart.from + 1 };
}

/** Whether its next notification must take a new generation on the wire: the numbers after its last may have been given. */
export const mustRestart = ({ epoch }: LiveChannel, current: StoreEpoch): boolean => epoch < current.number;

export const restartAt = (
  { generation, lastNumber }: Pick<LiveChannel, 'generation' | 'lastNumber'>,
  { label }: StoreEpoch,
): Restart => ({ from: lastNumber + 1, generation: `${generation}-${label}` });

/** The channel with the restart; as it is when it has it already. */
export function withRestart<Known extends Pick<Channel, 'restarts'>>(channel: Known, restart: Restart): Known {
  if (channel.restarts.some(({ from }) => from === restart.from)) return channel;
  return { ...channel, restarts: [...channel.restarts, restart] };
}
