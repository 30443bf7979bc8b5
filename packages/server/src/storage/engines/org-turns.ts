import type { OrgId } from '../../domain/ids.ts';
import type { OrgTransactions } from '../store.ts';

export interface EngineOrgTransactions extends OrgTransactions {
  /** Builds every index anew from what is stored. */
  forgetAll(): void;
  /** Resolves when all that was begun has ended. */
  idle(): Promise<void>;
}

export interface Turns {
  /** Runs after whatever the organisation began before, however that ended. */
  run<T>(org: OrgId, work: () => Promise<T>): Promise<T>;
  /** Resolves when nobody is at it. */
  idle(): Promise<void>;
}

export function createTurns(): Turns {
  const turns = new Map<OrgId, Promise<unknown>>();
  return {
    run(org, work) {
      const before = turns.get(org) ?? Promise.resolve();
      const turn = before.then(work, work);
      const settled = turn.then(
        () => undefined,
        () => undefined,
      );
      turns.set(org, settled);
      settled.then(() => {
        if (turns.get(org) === settled) turns.delete(org);
      });
      return turn;
    },
    async idle() {
      while (turns.size > 0) await Promise.all(turns.values());
    },
  };
}

/** Most organisations of which something is kept; the one unused for longest goes first. */
const MAX_KEPT = 1000;

export interface Kept<Value> {
  get(org: OrgId): Value | undefined;
  keep(org: OrgId, value: Value): void;
  forget(org: OrgId): void;
  forgetAll(): void;
}

export function createKept<Value>(): Kept<Value> {
  const values = new Map<OrgId, Value>();
  return {
    get: (org) => values.get(org),
    keep(org, value) {
      values.delete(org);
      values.set(org, value);
      for (const oldest of values.keys()) {
        if (values.size <= MAX_KEPT) break;
        values.delete(oldest);
      }
    },
    forget(org) {
      values.delete(org);
    },
    forgetAll() {
      values.clear();
    },
  };
}
