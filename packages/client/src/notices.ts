import type { CursorPage, Overview } from './channel-wire.ts';
import type { Call } from './transport.ts';

/** `missed`: what a channel does not get, with its range. */
export type NoticeType =
  | 'channel.expiring'
  | 'channel.expired'
  | 'channel.suspended'
  | 'channel.resumed'
  | 'channel.missed';

/** What is POSTed to a life-cycle URL. Times are ISO 8601. */
export interface NoticeBody {
  /** The same on every attempt, as the header `webhook-id`. */
  readonly id: string;
  readonly type: NoticeType;
  readonly at: string;
  readonly org: string;
  readonly channel_id: string;
  readonly generation: string;
  /** Id of its owner. */
  readonly user: string;
  readonly expires_at: string;
  /** Of `channel.suspended`: `failing`, `gone` or `operator`. */
  readonly reason?: string;
  /** Of `channel.missed`. */
  readonly range?: NoticeRange;
}

/** Inclusive at both ends. */
export type NoticeRange =
  | {
      readonly kind: 'lapse' | 'overflow';
      readonly from_change: number;
      readonly to_change: number;
      readonly from_time: string | null;
      readonly to_time: string | null;
    }
  /** Of these numbers those that were still owed are cancelled, for `expired`, `skipped` or `retention`. */
  | { readonly kind: 'numbers'; readonly from_number: number; readonly to_number: number; readonly reason: string };

/** What became of one. */
export interface Notice extends Pick<NoticeBody, 'id' | 'type' | 'generation' | 'at'> {
  /** Null: its channel is gone. */
  readonly channel_id: string | null;
  /** `parked`: given up after the last attempt. */
  readonly state: 'pending' | 'delivered' | 'parked';
  readonly attempts: number;
  readonly next_attempt_at: string | null;
  /** Of the last attempt. */
  readonly outcome: 'delivered' | 'rejected' | 'unreachable' | 'forbidden' | null;
  readonly status: number | null;
  readonly reason: string | null;
  readonly body: NoticeBody;
}

export interface NoticeQuery extends CursorPage {
  /** An owner's by its channel id, an operator's by its generation. */
  readonly channel?: string;
  readonly state?: Notice['state'];
}

/** What was told of the life of channels. */
export interface Notices {
  /** Newest first. A page may hold fewer than asked for, and have a next. */
  list(query?: NoticeQuery): Promise<Overview<Notice>>;
  /** Tries one again from the first attempt on. */
  redeliver(notice: string): Promise<Notice>;
}

/** `path`: `/_watchbell/v1`, or that of an organisation. */
export function createNotices(call: Call, path: string): Notices {
  return {
    async list(query = {}) {
      const { body } = await call({ method: 'GET', path: `${path}/notices`, query: { ...query } });
      const { notices, next } = body as { readonly notices: readonly Notice[]; readonly next: string | null };
      return { items: notices, next };
    },
    async redeliver(notice) {
      const { body } = await call({ method: 'POST', path: `${path}/notices/${encodeURIComponent(notice)}/redeliver` });
      return body as Notice;
    },
  };
}
