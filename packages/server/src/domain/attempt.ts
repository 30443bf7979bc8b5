import type { EgressRefusal } from './egress.ts';
import type { JobId } from './ids.ts';

/** What one HTTP request to a receiver came to. Data, never an exception. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'rejected'; readonly status: number; readonly retryAfterMs?: number; readonly excerpt?: string }
  | { readonly kind: 'unreachable'; readonly reason: UnreachableReason; readonly message: string }
  /** Our own guard refused to connect (P8). */
  | ({ readonly kind: 'forbidden' } & EgressRefusal);

export type UnreachableReason = 'dns' | 'connect' | 'tls' | 'timeout' | 'reset' | 'protocol';

export interface Attempt {
  /** From 1. */
  readonly attempt: number;
  /** Start, epoch ms of the injected clock. */
  readonly at: number;
  readonly durationMs: number;
  readonly outcome: Outcome;
  /** IP address and port that it was sent to; undefined: there was no connection. */
  readonly address?: string | undefined;
  /** From its start until it was written to a connection, ms; undefined: it was not. */
  readonly sentMs?: number | undefined;
  /** From its start until the status line and the headers had come, ms; undefined: they did not. */
  readonly answeredMs?: number | undefined;
  /** That sent it again; undefined: it was owed. */
  readonly job?: JobId;
}

export type NextStep =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly at: number }
  | { readonly kind: 'park'; readonly why: 'exhausted' }
  /** The receiver is gone: its channel stops, and the notification stays owed. */
  | { readonly kind: 'suspend' };
