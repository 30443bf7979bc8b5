import type { CursorPage, Overview } from './channel-wire.ts';
import type { Call } from './transport.ts';

// What our own API says of notifications and attempts. Times are ISO 8601.

/** `held`: owed while its channel is expired or suspended; `parked`: given up; `cancelled`: not to be sent any more. */
export type NotificationState = 'pending' | 'held' | 'delivered' | 'parked' | 'cancelled';
/** `forbidden`: the server refused to connect to such an address. */
export type AttemptOutcome = 'delivered' | 'rejected' | 'unreachable' | 'forbidden';

export interface MadeAttempt {
  /** From 1. */
  readonly attempt: number;
  readonly at: string;
  readonly duration_ms: number;
  /** From its start until it was written to a connection; null: it was not. */
  readonly sent_ms: number | null;
  /** From its start until the status line and the headers had come; null: they did not. */
  readonly answered_ms: number | null;
  /** IP address and port; null: there was no connection. */
  readonly address: string | null;
  readonly outcome: AttemptOutcome;
  readonly status: number | null;
  /** Of an unreachable or forbidden one. */
  readonly reason: string | null;
  readonly message: string | null;
  /** Begin of the body of a refusal. */
  readonly answer: string | null;
  /** That sent it again. */
  readonly job: string | null;
}

export interface FoundNotification {
  /** As in `webhook-id`. */
  readonly id: string;
  readonly channel_id: string;
  /** Of the channel, as paths and filters take it. */
  readonly channel_generation: string;
  /** In the channel, as paths take it. */
  readonly number: number;
  /** As in `watchbell-generation`. */
  readonly generation: string;
  /** As in `watchbell-sequence`. */
  readonly sequence: number;
  /** Of what it is about. */
  readonly module: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** Of the records that it is about. */
  readonly ids: readonly string[];
  readonly change: { readonly number: number; readonly at: string; readonly by: string };
  readonly state: NotificationState;
  /** Of a cancelled one. */
  readonly reason: string | null;
  readonly attempts_made: number;
  /** Of a pending one that failed. */
  readonly next_attempt_at: string | null;
  readonly settled_at: string | null;
  /** Job that made it of a lapse or an overflow. */
  readonly rematched: string | null;
  readonly last_attempt: MadeAttempt | null;
}

export interface NotificationDetails extends FoundNotification {
  readonly api_version: string;
  /** The exact text that an attempt would send now. */
  readonly body: string;
  /** Those that are the same on every attempt. */
  readonly headers: Readonly<Record<string, string>>;
  /** For a POSIX shell: sends it by hand, unsigned. */
  readonly curl: string;
  /** The first 200. */
  readonly attempts: readonly MadeAttempt[];
}

export interface FoundAttempt extends MadeAttempt {
  /** Id of the notification. */
  readonly notification: string;
  readonly channel_id: string;
  readonly channel_generation: string;
  readonly number: number;
  readonly generation: string;
  readonly sequence: number;
}

/** All that is given must fit. */
export interface NotificationQuery extends CursorPage {
  /** Of an owner the channel id, of an operator the generation. */
  readonly channel?: string;
  /** Of an operator: of channels of this user. */
  readonly user?: string;
  readonly module?: string;
  /** Of that module. */
  readonly record?: string;
  readonly state?: NotificationState;
  /** Of the last attempt; `none`: there was none. */
  readonly outcome?: AttemptOutcome | 'none';
  /** When the change was made, the end exclusive. */
  readonly from?: string;
  readonly to?: string;
}

export interface AttemptQuery extends CursorPage {
  readonly channel?: string;
  readonly user?: string;
  readonly outcome?: AttemptOutcome;
  /** HTTP status of the answer. */
  readonly status?: number;
  /** When it began, the end exclusive. */
  readonly from?: string;
  readonly to?: string;
}

/** Finds what was sent, and what came of it. A page may hold fewer than asked for, or none, and have a next one. */
export interface Notifications {
  list(query?: NotificationQuery): Promise<Overview<FoundNotification>>;
  /** By its id. */
  show(notification: string): Promise<NotificationDetails>;
  /** Of one channel all, else those that failed. */
  attempts(query?: AttemptQuery): Promise<Overview<FoundAttempt>>;
}

/** `path`: what notifications and attempts are below. */
export function createNotifications(call: Call, path: string): Notifications {
  // What an answer holds is the server's promise, not checked again.
  async function list<Item>(what: string, query: object): Promise<Overview<Item>> {
    const { body } = await call({ method: 'GET', path: `${path}/${what}`, query: { ...query } });
    const { [what]: items, next } = body as { readonly [what: string]: readonly Item[] } & {
      readonly next: string | null;
    };
    return { items: items ?? [], next };
  }
  return {
    list: (query = {}) => list('notifications', query),
    async show(notification) {
      const { body } = await call({ method: 'GET', path: `${path}/notifications/${encodeURIComponent(notification)}` });
      return body as NotificationDetails;
    },
    attempts: (query = {}) => list('attempts', query),
  };
}
