import type { StoreEpoch } from '../../domain/restart.ts';

/**
 * Which history a server's data have. A server that is promoted begins a timeline of its own, without what the one before
 * it had committed and not sent on: what was numbered there may be numbered again.
 */
export interface ServerHistory {
  /** The cluster's own number, made when it was; empty when the server does not tell. A dump is read into another one. */
  readonly system: string;
  readonly timeline: number;
}

/** Where this process has been: the newest history that it has used. */
export interface UsedHistory {
  /** Undefined: the server does not tell. */
  readonly server?: ServerHistory;
  readonly epoch: StoreEpoch;
}

/**
 * What a server's history is to the one its database says it has: `same`; `first`, when it says none yet; `other`, when
 * it was promoted, restored or copied since; `older`, which no server of ours can be.
 */
export function compareHistory(
  stored: ServerHistory | undefined,
  server: ServerHistory,
): 'same' | 'first' | 'other' | 'older' {
  if (!stored) return 'first';
  if (stored.system !== server.system) return 'other';
  if (server.timeline === stored.timeline) return 'same';
  return server.timeline > stored.timeline ? 'other' : 'older';
}

/** Whether a server is behind what this process has used: an old primary that came back, or its twin. */
export function isBehind(used: UsedHistory, found: UsedHistory): boolean {
  if (used.server && found.server && used.server.system === found.server.system) {
    if (found.server.timeline !== used.server.timeline) return found.server.timeline < used.server.timeline;
  }
  if (found.epoch.number !== used.epoch.number) return found.epoch.number < used.epoch.number;
  return found.epoch.label !== used.epoch.label;
}

/** `000000020000000000000001` is of timeline 2. Undefined when it is no name of a WAL file. */
export function timelineOfFile(name: string): number | undefined {
  return /^[0-9A-F]{24}$/.test(name) ? Number.parseInt(name.slice(0, 8), 16) : undefined;
}
