import type { Clock } from '../domain/clock.ts';
import type { OrgId } from '../domain/ids.ts';
import type { AccountStore, DeletedRecordStore, HousekeepingStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createPace } from './pace.ts';
import { createRetention, type Table, type Tally } from './retention.ts';
import type { Writer } from './writer.ts';

/** The first turn is soon after the start, so that a server which is often restarted has one at all. */
const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;
/** Rows of one piece, and what it should take. */
const PACE = { leastRows: 200, mostRows: 1000, aimMs: 20 };

/** Tidies up, a little at a time: what is too old goes, and what was derived is written down. */
export interface Housekeeping {
  /** Resolves when nothing is being done to the organisation, which is about to be erased. */
  leave(org: OrgId): Promise<void>;
  /** Resolves when nothing is being done and no turn is due. */
  idle(): Promise<void>;
  /** Resolves when nothing is being done any more; what was left is done in the first turn after the next start. */
  stop(): Promise<void>;
}

export interface HousekeepingOptions {
  readonly store: HousekeepingStore;
  readonly deleted: DeletedRecordStore;
  readonly accounts: AccountStore;
  readonly writer: Writer;
  readonly clock: Clock;
  /** How long what is finished stays. */
  readonly retentionMs: number;
  /** Of a store that nodes share: whether this node is the one that does it for an organisation. */
  readonly isMine?: (org: OrgId) => boolean;
  readonly metrics: Pick<Metrics, 'housekeepingRows' | 'housekeepingSeconds' | 'gauges'>;
  readonly logger: Logger;
}

export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { store, deleted, accounts, writer, clock, retentionMs, isMine, metrics, logger } = options;
  const pace = createPace(PACE);
  const retain = createRetention({ store, writer, retentionMs, pace });
  let isWaiting = false;
  let running = Promise.resolve();
  let current: { readonly org: OrgId; readonly work: Promise<unknown> } | undefined;
  /** When the oldest change of all that are kept was made, as of the last turn. */
  let oldestAt: number | undefined;
  let cancel = clock.at(clock.now() + FIRST_MS, next);

  metrics.gauges.register('watchbell_oldest_change_seconds', 'Age of the oldest change that is kept', () =>
    oldestAt === undefined ? 0 : Math.max(0, (clock.now() - oldestAt) / 1000),
  );

  function next(): void {
    if (pace.isStopped()) return;
    // A clock that is moved far on comes here many times at once.
    if (!isWaiting) running = running.then(turn);
    isWaiting = true;
    cancel = clock.at(clock.now() + EVERY_MS, next);
  }

  async function turn(): Promise<void> {
    isWaiting = false;
    const start = performance.now();
    const rows = new Map<Table, number>();
    const tally: Tally = {
      add(table, count) {
        if (count > 0) rows.set(table, (rows.get(table) ?? 0) + count);
        metrics.housekeepingRows.inc({ table }, count);
      },
    };
    const oldest: number[] = [];
    try {
      for (const { id } of await accounts.listOrgs()) {
        if (pace.isStopped()) break;
        if (isMine?.(id) === false) continue;
        // One that fails is tried again in an hour and keeps no other waiting.
        const work = tidy(id, tally).catch((error) => failed(error, id));
        current = { org: id, work };
        const at = await work;
        if (at !== undefined) oldest.push(at);
      }
      current = undefined;
      oldestAt = oldest.length > 0 ? Math.min(...oldest) : undefined;
    } catch (error) {
      failed(error);
    }
    const seconds = (performance.now() - start) / 1000;
    metrics.housekeepingSeconds.observe(seconds);
    if (rows.size > 0) logger.info({ ...Object.fromEntries(rows), ms: Math.round(seconds * 1000) }, 'housekeeping');
  }

  function failed(error: unknown, org?: OrgId): undefined {
    logger.warn({ err: error, ...(org !== undefined && { org }) }, 'housekeeping failed, trying again in an hour');
  }

  /** Of a suspended organisation only deleted records go; nothing that it owes or is owed. */
  async function tidy(id: OrgId, tally: Tally): Promise<number | undefined> {
    const org = await accounts.findOrg(id);
    if (!org || org.erasingAt !== undefined) return undefined;
    while (!pace.isStopped() && (await deleted.purge(id, clock.now()))) {
      // The next part.
    }
    return org.suspendedAt === undefined ? retain(id, clock.now(), tally) : undefined;
  }

  return {
    async leave(org) {
      if (current?.org === org) await current.work;
    },
    async idle() {
      while (isWaiting) await running;
      await running;
    },
    async stop() {
      pace.stop();
      cancel();
      await running;
    },
  };
}
