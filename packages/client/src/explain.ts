import type { Call } from './transport.ts';
import type { EventName } from './wire.ts';

/** Of which record, and which channels and changes. */
export interface ExplainQuery {
  /** API name. */
  readonly module: string;
  /** Id, of one that is there or that was deleted. */
  readonly record: string;
  /** Channel id; absent: all that might have been told. */
  readonly channel?: string;
  /** Changes committed from then on, and until then (ISO 8601). */
  readonly from?: string;
  readonly to?: string;
  /** Only the change of this number. */
  readonly change?: number;
  readonly cursor?: string;
  /** Most of a page, 1 to 200. */
  readonly limit?: number;
}

/** Newest change first. A page may hold fewer than its limit, or nothing, and still have a `next`. */
export interface ExplainPage {
  readonly items: readonly Explanation[];
  readonly next: string | null;
  /** Before this nothing is known; null: nothing is kept. */
  readonly oldest_change: { readonly number: number; readonly at: string } | null;
}

/** Why one channel was, or was not, notified of one change. */
export interface Explanation {
  readonly change: {
    readonly number: number;
    readonly at: string;
    /** Of the records that changed; null: one that the caller may not use. */
    readonly module: string | null;
    readonly operation: 'insert' | 'update' | 'delete';
    /** Id of the user. */
    readonly by: string;
    /** Fields of the record that changed; null: others changed that point at it. */
    readonly fields: readonly string[] | null;
  };
  readonly channel: { readonly channel_id: string; readonly generation: string | null; readonly user: string | null };
  readonly verdict: 'notified' | 'not_notified';
  readonly reason: ExplainReason;
  /** The rule, in plain English. */
  readonly why: string;
  readonly channel_as_it_was: {
    readonly version: number;
    readonly kind: string;
    readonly since: string;
    readonly events: readonly EventName[];
    readonly conditions: readonly { readonly module: string; readonly rule: string }[];
    readonly notify_on_related: boolean;
    readonly expires_at: string;
    /** Change after which it owed too much and took no more. */
    readonly overflow_from: number | null;
  } | null;
  readonly notifications: readonly ExplainedNotification[];
}

export type ExplainReason =
  | 'own_event'
  | 'related_action'
  | 'suspended'
  | 'event_type'
  | 'condition'
  | 'related_off'
  | 'related_condition'
  | 'changed_itself'
  | 'expired'
  | 'overflow'
  | 'not_opened'
  | 'deleted'
  | 'ended'
  | 'other_user'
  | 'unknown';

export interface ExplainedNotification {
  readonly number: number;
  /** Null, as what follows, of one that was finished and that retention removed. */
  readonly id: string | null;
  readonly module: string | null;
  readonly ids: readonly string[] | null;
  readonly state: 'pending' | 'held' | 'delivered' | 'parked' | 'cancelled' | 'removed';
  /** Of a cancelled one. */
  readonly reason: string | null;
  readonly attempts: number | null;
  readonly last_attempt: { readonly at: string; readonly outcome: string; readonly status: number | null } | null;
  /** Job that re-matched it. */
  readonly rematch: string | null;
  /** Why it is not being sent; null: nothing holds it. */
  readonly held_by: {
    readonly kind: 'organisation_suspended' | 'expired' | 'suspended' | 'retry' | 'order';
    readonly since: string | null;
    readonly until: string | null;
    /** Number of one before it about the same record. */
    readonly behind: number | null;
  } | null;
}

export async function readExplanations(
  call: Call,
  path: string,
  query: ExplainQuery & { readonly user?: string },
): Promise<ExplainPage> {
  // What an answer holds is the server's promise, not checked again.
  return (await call({ method: 'GET', path, query: { ...query } })).body as ExplainPage;
}
