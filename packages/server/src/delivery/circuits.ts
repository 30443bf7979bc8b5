import type { Outcome } from '../domain/attempt.ts';
import {
  admits,
  type Circuit,
  CLOSED,
  connectionOf,
  landed,
  probeDue,
  probeUnmade,
  started,
} from '../domain/circuit.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OrgId } from '../domain/ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createDueTimes } from './due-times.ts';

/**
 * The circuits of this node, one for each organisation and origin, so that nobody trips another's. They are kept in
 * memory only: after a restart all are closed, and ten attempts find out anew.
 */
export interface Circuits {
  /** Whether an attempt may start. */
  admits(org: OrgId, origin: string): boolean;
  /** An attempt starts that was admitted. True: it is the probe. */
  start(org: OrgId, origin: string): boolean;
  /** What it came to; undefined: no request was made. */
  land(org: OrgId, origin: string, isProbe: boolean, outcome: Outcome | undefined): void;
  /** How many hold attempts back. */
  open(): number;
  forget(org: OrgId): void;
  stop(): void;
}

export interface CircuitsOptions {
  readonly policy: Pick<DeliveryPolicy, 'circuit' | 'orgCircuits' | 'nodeCircuits'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when attempts may start again that were held back, or, while it is probed, one of them. */
  readonly onAdmitting: (org: OrgId, origin: string, isProbing: boolean) => void;
}

interface Entry {
  readonly org: OrgId;
  readonly origin: string;
  circuit: Circuit;
}

/** Of those used least lately, how many are looked at for one that is closed. */
const EVICTION_LOOKS = 16;

export function createCircuits({ policy, clock, logger, onAdmitting }: CircuitsOptions): Circuits {
  const { circuit: rules } = policy;
  /** Both levels least recently used first. */
  const byOrg = new Map<OrgId, Map<string, Entry>>();
  const probes = createDueTimes<Entry>(clock, (entry) => change(entry, probeDue(entry.circuit)));
  let kept = 0;
  /** The one used last: it has its place already. */
  let newest: Entry | undefined;

  const find = (org: OrgId, origin: string): Entry | undefined => byOrg.get(org)?.get(origin);

  function use(org: OrgId, origin: string): Entry {
    if (newest?.org === org && newest.origin === origin) return newest;
    const own = byOrg.get(org) ?? new Map<string, Entry>();
    const known = own.get(origin);
    const entry = known ?? { org, origin, circuit: CLOSED };
    if (!known) {
      kept += 1;
      if (own.size >= policy.orgCircuits) evict(org, own);
      if (kept > policy.nodeCircuits) for (const [other, theirs] of byOrg) if (evict(other, theirs)) break;
    }
    own.delete(origin);
    own.set(origin, entry);
    byOrg.delete(org);
    byOrg.set(org, own);
    newest = entry;
    return entry;
  }

  /** One that is closed, else the oldest, which is closed by that. */
  function evict(org: OrgId, own: Map<string, Entry>): boolean {
    const oldest: Entry[] = [];
    for (const entry of own.values()) {
      oldest.push(entry);
      if (entry.circuit.state === 'closed' || oldest.length === EVICTION_LOOKS) break;
    }
    const chosen = oldest.find(({ circuit }) => circuit.state === 'closed') ?? oldest[0];
    if (!chosen) return false;
    drop(chosen);
    if (own.size === 0) byOrg.delete(org);
    return true;
  }

  function drop(entry: Entry): void {
    byOrg.get(entry.org)?.delete(entry.origin);
    if (newest === entry) newest = undefined;
    kept -= 1;
    change(entry, CLOSED);
  }

  function change(entry: Entry, next: Circuit): void {
    const { org, origin, circuit: before } = entry;
    if (next === before) return;
    entry.circuit = next;
    if (next.state === 'open') probes.set(entry, next.probeAt);
    else probes.remove(entry);
    if (before.state === 'closed' && next.state === 'open') {
      logger.warn({ org, origin }, 'circuit opened: the receiver cannot be reached');
    } else if (before.state === 'half-open' && next.state === 'closed') {
      logger.info({ org, origin, openMs: clock.now() - before.since }, 'circuit closed: the receiver is reached again');
    }
    if (!admits(before) && admits(next)) onAdmitting(org, origin, next.state === 'half-open');
  }

  return {
    admits(org, origin) {
      const entry = find(org, origin);
      return entry === undefined || admits(entry.circuit);
    },
    start(org, origin) {
      const entry = find(org, origin);
      if (entry?.circuit.state !== 'half-open') return false;
      change(entry, started(entry.circuit));
      return true;
    },
    land(org, origin, isProbe, outcome) {
      if (!rules) return;
      const connection = outcome && connectionOf(outcome);
      const entry = connection === undefined || connection === 'none' ? find(org, origin) : use(org, origin);
      if (!entry) return;
      if (connection !== undefined) change(entry, landed(entry.circuit, isProbe, connection, clock.now(), rules));
      else if (isProbe) change(entry, probeUnmade(entry.circuit));
    },
    open() {
      let open = 0;
      for (const own of byOrg.values()) for (const { circuit } of own.values()) if (!admits(circuit)) open += 1;
      return open;
    },
    forget(org) {
      for (const entry of byOrg.get(org)?.values() ?? []) drop(entry);
      byOrg.delete(org);
    },
    stop: () => probes.stop(),
  };
}
