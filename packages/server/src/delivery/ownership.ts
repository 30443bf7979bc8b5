import type { Generation, OrgId } from '../domain/ids.ts';

/** A bucket that this node owns, from when it got it until it gives it back or loses it. */
export interface Hold {
  readonly bucket: number;
  /** Under which what comes of its attempts is saved; undefined: nobody else is there. */
  readonly epoch: number | undefined;
  /** `draining`: no attempt starts any more, and it is given back when all is saved. `lost`: nothing of it is saved. */
  state: 'held' | 'draining' | 'lost';
  lanes: number;
  /** Attempts made whose outcomes are not saved yet. */
  unsaved: number;
}

/** Nothing of it is in the air or unsaved, and nothing will be. */
export const isDrained = ({ lanes, unsaved }: Hold): boolean => lanes === 0 && unsaved === 0;

/** What this node may send for. */
export interface Ownership {
  /** Undefined: it is another node's, or nobody's. */
  holdOf(id: Generation | OrgId): Hold | undefined;
  holds(): readonly Hold[];
  /** Whether attempts may start at all: its lease lasts long enough, and what others committed is known. */
  isOpen(): boolean;
  /** Whether one may start now. Everything that forbids it to a node is here (docs/architecture.md). */
  mayStart(org: OrgId, hold: Hold): boolean;
  /** Of the store, as far as others give numbers under it: what a channel of an older one is numbered is to be read. */
  epoch(): number;
}

/** Of a process that has the store for itself. */
export function ownsAll(): Ownership {
  const all: Hold = { bucket: 0, epoch: undefined, state: 'held', lanes: 0, unsaved: 0 };
  return { holdOf: () => all, holds: () => [all], isOpen: () => true, mayStart: () => true, epoch: () => -1 };
}
