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
