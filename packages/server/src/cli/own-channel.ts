import { randomBytes, randomInt } from 'node:crypto';
import { type Client, type EventName, expectSuccess } from '@watchbell/client';

/** A channel of a command's own, open until it is closed. */
export interface OwnChannel {
  readonly channelId: string;
  /** Extends its life by an hour. */
  renew(): Promise<void>;
  /** Deletes it: what it still owes is cancelled. */
  close(): Promise<void>;
}

export interface OwnChannelOptions {
  readonly events: readonly EventName[];
  readonly notifyUrl: string;
  readonly token: string;
  readonly withValues: boolean;
  /** Undefined: as the API's version has it. */
  readonly notifyOnRelated?: boolean;
}

/** Below 2^48, so that it survives every JSON reader. */
const MAX_CHANNEL_ID = 2 ** 48 - 1;

/** Half of a channel's hour. */
const RENEW_EVERY_MS = 1_800_000;
const RENEW_AGAIN_MS = 60_000;

/** Calls once after so many milliseconds; the answer cancels. */
export type Later = (delayMs: number, call: () => void) => () => void;

const later: Later = (delayMs, call) => {
  const timer = setTimeout(call, delayMs);
  return () => clearTimeout(timer);
};

export const randomToken = (): string => randomBytes(16).toString('hex');

/** Opens a channel under a random id for an hour, the life that the API gives when none is asked for. */
export async function openOwnChannel(client: Client, options: OwnChannelOptions): Promise<OwnChannel> {
  const channelId = String(randomInt(1, MAX_CHANNEL_ID));
  const entry = {
    channel_id: channelId,
    notify_url: options.notifyUrl,
    events: options.events,
    token: options.token,
    return_affected_field_values: options.withValues,
    ...(options.notifyOnRelated !== undefined && { notify_on_related_action: options.notifyOnRelated }),
  };
  // A POST on a live channel renews it and, unlike PATCH, also takes up one that expired while the machine slept.
  const open = async () => void expectSuccess(await client.watch.open([entry]));
  await open();
  return {
    channelId,
    renew: open,
    close: async () => void expectSuccess(await client.watch.delete([channelId])),
  };
}

/** Renews the channel at half of its life; after a failure, which `tell` is told, every minute. The answer ends it. */
export function keepAlive(
  channel: Pick<OwnChannel, 'renew'>,
  tell: (line: string) => void,
  schedule: Later = later,
): () => void {
  let isOver = false;
  let cancel = schedule(RENEW_EVERY_MS, renew);
  async function renew(): Promise<void> {
    const delay = await channel.renew().then(
      () => RENEW_EVERY_MS,
      (error: unknown) => {
        tell(
          `The channel was not renewed, trying again in a minute: ${error instanceof Error ? error.message : error}`,
        );
        return RENEW_AGAIN_MS;
      },
    );
    if (!isOver) cancel = schedule(delay, renew);
  }
  return () => {
    isOver = true;
    cancel();
  };
}
