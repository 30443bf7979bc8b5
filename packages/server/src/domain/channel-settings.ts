import type { Channel } from './channel.ts';
import { amendChannel } from './working-channels.ts';
import type { WorkingSet } from './working-set.ts';

/** Most attempts at once that a channel may be given. */
export const MAX_CONCURRENCY = 16;

/** What is not said stays; null: as it is without a setting. The calls that open and change channels know nothing of these. */
export interface SettingsChange {
  /** 1 to `MAX_CONCURRENCY`. */
  readonly concurrency?: number | null;
  readonly lifecycleUrl?: string | null;
}

/** Live or lapsed. What changes nothing makes no revision. */
export function changeSettings(set: WorkingSet, channel: Channel, change: SettingsChange): Channel {
  const { concurrency: _, lifecycleUrl: __, ...rest } = channel;
  const concurrency = after(channel.concurrency, change.concurrency);
  const lifecycleUrl = after(channel.lifecycleUrl, change.lifecycleUrl);
  if (concurrency === channel.concurrency && lifecycleUrl === channel.lifecycleUrl) return channel;
  return amendChannel(
    set,
    { ...rest, ...(concurrency !== undefined && { concurrency }), ...(lifecycleUrl !== undefined && { lifecycleUrl }) },
    'settings',
  );
}

function after<Value>(known: Value | undefined, asked: Value | null | undefined): Value | undefined {
  return asked === undefined ? known : (asked ?? undefined);
}
