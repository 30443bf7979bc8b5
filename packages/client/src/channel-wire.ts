import type { ApiVersion, EventName } from './wire.ts';

// What our own API says of channels. Times are ISO 8601.

export interface AdminChannel {
  readonly channel_id: string;
  readonly generation: string;
  readonly user: string;
  readonly client: string | null;
  readonly modules: readonly string[];
  /** Whose shapes its notifications have. */
  readonly api_version: ApiVersion;
  readonly events: readonly EventName[];
  readonly conditions: readonly ShownCondition[];
  readonly notify_on_related_action: boolean;
  readonly return_affected_field_values: boolean;
  /** Origin and path of the notify URL. */
  readonly receiver: string;
  /** Of one that is expired and suspended, `expired`. */
  readonly state: 'live' | 'suspended' | 'expired' | 'ended';
  readonly opened_at: string;
  readonly expires_at: string;
  /** 0: it has expired, or ended. */
  readonly expires_in_seconds: number;
  readonly suspended_at: string | null;
  /** `failing` for long, `gone` (it answered 410), or by the `operator`. */
  readonly suspended_reason: string | null;
  /** First failure since its last success; null while it is well. */
  readonly failing_since: string | null;
  /** Since then. */
  readonly failed_attempts: number;
  /** Of its newest notification. */
  readonly last_number: number;
  /** Held ones too; counted up to 10,000 in a list, to 1,000,000 of one, one more standing for more. */
  readonly owed: number;
  /** When the change of the oldest was made. */
  readonly oldest_owed_at: string | null;
  /** It owes too much: changes are kept as a range, without notifications. */
  readonly overflowing: boolean;
  /** What it still owed up to this number was cancelled. */
  readonly cancelled_to: number | null;
  /** `expired` or `skipped`. */
  readonly cancelled_reason: string | null;
  /** With a secret of its own. */
  readonly signed: boolean;
  /** Most attempts at once; null: as the server has it. */
  readonly concurrency: number | null;
  /** Origin and path of where its owner is told of its life. */
  readonly lifecycle_url: string | null;
  readonly ended_at: string | null;
  readonly ended_reason: string | null;
}

export interface ShownCondition {
  readonly module: string;
  readonly field_selection: ShownRule;
}

export type ShownRule =
  | { readonly field: { readonly api_name: string } }
  | { readonly group_operator: 'and' | 'or'; readonly group: readonly ShownRule[] };

export interface ChannelDetails extends AdminChannel {
  /** Newest first, at most 100. */
  readonly lapses: readonly ChannelLapse[];
}

/** Changes that a channel did not see: after `from_change`, up to `to_change`. */
export interface ChannelLapse {
  readonly kind: 'expired' | 'overflow';
  readonly from_change: number;
  /** Null: it is open. */
  readonly to_change: number | null;
  readonly began_at: string;
  readonly ended_at: string | null;
  /** The last change that was matched again. */
  readonly rematched_to: number | null;
}

/** What a channel was from one moment on. */
export interface ChannelRevision
  extends Pick<
    AdminChannel,
    | 'api_version'
    | 'events'
    | 'conditions'
    | 'notify_on_related_action'
    | 'return_affected_field_values'
    | 'expires_at'
    | 'last_number'
    | 'overflowing'
  > {
  /** Counts what is made of all channels of the organisation. */
  readonly version: number;
  readonly at: string;
  /** What was done, such as opened, replaced, expired, suspended, deleted. */
  readonly kind: string;
}

export interface ChannelSettings {
  /** Most attempts at once, 1 to 16. */
  readonly concurrency: number | null;
  /** Where its owner is told of its life; shown as origin and path. */
  readonly lifecycle_url: string | null;
}

/** What came of a test notification. */
export interface ChannelTest {
  /** As in `webhook-id`. */
  readonly id: string;
  /** `rejected`: its receiver answered no 2xx; `forbidden`: it must not be connected to. */
  readonly outcome: 'delivered' | 'rejected' | 'unreachable' | 'forbidden';
  readonly status: number | null;
  readonly reason: string | null;
  readonly message: string | null;
  /** Of the body of a rejection. */
  readonly excerpt: string | null;
  readonly receiver: string;
  /** IP address and port. */
  readonly address: string | null;
  readonly at: string;
  /** From the start until it was written to a connection. */
  readonly sent_ms: number | null;
  /** From the start until the status line and the headers had come. */
  readonly answered_ms: number | null;
  readonly duration_ms: number;
}

/** Where a list goes on, and how many of it. */
export interface CursorPage {
  /** `next` of the page before. */
  readonly cursor?: string;
  /** 1 to 200; 50 when absent. A page may have fewer. */
  readonly limit?: number;
}

/** A page of a list that is read page by page. */
export interface Overview<Item> {
  readonly items: readonly Item[];
  /** Null: there is no more. */
  readonly next: string | null;
}
