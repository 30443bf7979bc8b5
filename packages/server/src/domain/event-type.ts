import type { Operation } from './change.ts';

/** `Deals.create`, `Deals.edit`, `Deals.delete`; `Deals.all` is expanded when a channel is opened. */
export interface EventType {
  readonly module: string;
  readonly operation: Operation;
}

/** Event types as a caller names them: one of them, or all of a module. */
export interface EventSelector {
  readonly module: string;
  readonly operation: Operation | 'all';
}

/** The order in which a channel's events are listed (reference §3.7). */
const OPERATIONS: readonly Operation[] = ['update', 'insert', 'delete'];

export const eventKey = (module: string, operation: Operation): string => `${module}.${operation}`;

/** The modules of a list, each once, in the order they first appear. */
export const modulesOf = (events: readonly { readonly module: string }[]): string[] => [
  ...new Set(events.map(({ module }) => module)),
];

export const selects = (selector: EventSelector, event: EventType): boolean =>
  selector.module === event.module && (selector.operation === 'all' || selector.operation === event.operation);

/** What the selectors name, without repeats: by module as first given, then as `OPERATIONS`. */
export const expandEvents = (selectors: readonly EventSelector[]): EventType[] =>
  modulesOf(selectors).flatMap((module) =>
    OPERATIONS.map((operation) => ({ module, operation })).filter((event) =>
      selectors.some((selector) => selects(selector, event)),
    ),
  );
