import type { Operation } from './change.ts';

/** `Deals.create`, `Deals.edit`, `Deals.delete`; `Deals.all` is expanded when a channel is opened. */
export interface EventType {
  readonly module: string;
  readonly operation: Operation;
}

/** The order in which a channel's events are listed (reference §3.7). */
export const OPERATIONS: readonly Operation[] = ['update', 'insert', 'delete'];

export const eventKey = (module: string, operation: Operation): string => `${module}.${operation}`;
