import type { Call } from './transport.ts';
import { listIn } from './transport.ts';
import type {
  DeletedWatch,
  EventName,
  ItemResult,
  PageInfo,
  WatchDetails,
  WatchEntry,
  WatchPatch,
  WatchReplacement,
  WatchRow,
} from './wire.ts';

/** Up to 100 channels a call; each is judged alone and answered in request order. */
export interface Watch {
  /** Opens channels, or replaces and renews those that are there. */
  open(entries: readonly WatchEntry[]): Promise<readonly ItemResult<WatchDetails>[]>;
  /** The caller's live channels, a row for each module; at most 200 channels a page. */
  list(filter?: WatchFilter): Promise<{ readonly watch: readonly WatchRow[]; readonly info?: PageInfo }>;
  replace(entries: readonly WatchReplacement[]): Promise<readonly ItemResult<WatchDetails>[]>;
  merge(entries: readonly WatchPatch[]): Promise<readonly ItemResult<WatchDetails>[]>;
  /** Takes events off channels; a channel without any is gone. */
  disableEvents(entries: readonly EventRemoval[]): Promise<readonly ItemResult<WatchDetails>[]>;
  /** Ends channels: what they still owe is cancelled. One result for each module of each channel. */
  delete(channelIds: readonly string[]): Promise<readonly ItemResult<DeletedWatch>[]>;
}

export interface WatchFilter {
  readonly page?: number;
  readonly perPage?: number;
  readonly module?: string;
  readonly channelId?: string;
}

export interface EventRemoval {
  readonly channel_id: string;
  readonly events: readonly EventName[];
}

const path = '/actions/watch';

export function createWatch(call: Call): Watch {
  const send = async (method: 'POST' | 'PUT' | 'PATCH', watch: readonly object[]) =>
    listIn<ItemResult<WatchDetails>>((await call({ method, path, json: { watch } })).body, 'watch');
  return {
    open: (entries) => send('POST', entries),
    replace: (entries) => send('PUT', entries),
    merge: (entries) => send('PATCH', entries),
    disableEvents: (entries) =>
      send(
        'PATCH',
        entries.map((entry) => ({ ...entry, _delete_events: true })),
      ),
    async list({ page, perPage, module, channelId } = {}) {
      const query = { page, per_page: perPage, module, channel_id: channelId };
      const { body } = await call({ method: 'GET', path, query });
      const info = (body as { readonly info?: PageInfo } | undefined)?.info;
      return { watch: listIn<WatchRow>(body, 'watch'), ...(info && { info }) };
    },
    async delete(channelIds) {
      const { body } = await call({ method: 'DELETE', path, query: { channel_ids: channelIds.join(',') } });
      return listIn<ItemResult<DeletedWatch>>(body, 'watch');
    },
  };
}
