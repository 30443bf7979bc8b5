import type { EgressRefusal } from './egress.ts';

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
}

export type NextStep =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly at: number }
  | { readonly kind: 'park'; readonly why: 'exhausted' }
  /** The receiver is gone: its channel stops, and the notification stays owed. */
  | { readonly kind: 'suspend' };
