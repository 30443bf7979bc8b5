import { AppError } from '../domain/error.ts';
import type { OrgId } from '../domain/ids.ts';
import { TELLING, tellExpiring } from '../domain/life-cycle.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { NoticeLook, NoticeStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Making, noticesOf } from './notice-making.ts';
import type { Writer } from './writer.ts';

/**
 * Looks at channels when their expiry comes near or has come, and makes notices of what revisions tell, for those who want
 * to be told. Of each organisation one node does.
 */
export interface Notices {
  /** Finds what is to be done: at the start, and whenever it is not known what others did. */
  start(): Promise<void>;
  /** Told of each commit of this node, in commit order for each organisation. Never throws. */
  committed(org: OrgId, writes: WriteSet): void;
  /** Others have committed something of the organisation. */
  changed(org: OrgId): void;
  /** Resolves when nothing is being done and nothing could be. */
  idle(): Promise<void>;
  /** Resolves when nothing is being done to the organisation, which is suspended. */
  quiet(org: OrgId): Promise<void>;
  forget(org: OrgId): void;
  stop(): Promise<void>;
}

export interface NoticesOptions extends Making {
  readonly store: Pick<NoticeStore, 'looks' | 'look' | 'dueChannels' | 'untold' | 'facts' | 'firstCancelled' | 'add'>;
  readonly writer: Writer;
  /** Whether this node is the one that does it for an organisation. */
  readonly isMine: (org: OrgId) => boolean;
  /** Told when notices of an organisation are due. */
  readonly onDue: (org: OrgId, dueAt: number) => void;
  /** Told that nothing is to be sent for it: it is suspended, gone, or another node's. */
  readonly onNone: (org: OrgId) => void;
  readonly logger: Logger;
}

/** Channels that one command looks at, and revisions that one step reads. */
const AT_ONCE = 500;
/** So many revisions that tell nothing are remembered as told only in memory. */
const UNSAVED = 1000;
/** The store's time may come a moment after this node's. */
const SOON_MS = 25;
/** After a failure, real time. */
const PAUSE_MS = 1000;
const ORGS = 1000;

/** How far this node is with an organisation. */
interface Known {
  /** Up to this revision all is told; and up to this one the store knows it. */
  told: number;
  saved: number;
  /** When a channel is next looked at. */
  lookAt: number;
  work: Promise<void> | undefined;
  isAgain: boolean;
}

export function createNotices(options: NoticesOptions): Notices {
  const { store, writer, clock, isMine, onDue, onNone, logger } = options;
  const orgs = new Map<OrgId, Known>();
  const pausing = new Set<NodeJS.Timeout>();
  let armed: { readonly time: number; readonly cancel: () => void } | undefined;
  let starting: Promise<void> | undefined;
  let isStopped = false;

  function lookAt(known: Known, time: number): void {
    known.lookAt = time;
    if (isStopped || time === Infinity || (armed && armed.time <= time)) return;
    armed?.cancel();
    armed = { time, cancel: clock.at(time, ring) };
  }

  function ring(): void {
    armed = undefined;
    const now = clock.now();
    let next = Infinity;
    for (const [org, known] of orgs) {
      if (known.lookAt <= now) wake(org);
      else next = Math.min(next, known.lookAt);
    }
    if (next < Infinity && !isStopped) armed = { time: next, cancel: clock.at(next, ring) };
  }

  function wake(org: OrgId): void {
    if (isStopped || !isMine(org)) return;
    const known = knownOf(org);
    known.isAgain = true;
    known.work ??= follow(org, known)
      .catch((error) => failed(org, error))
      .finally(() => {
        known.work = undefined;
      });
  }

  function knownOf(org: OrgId): Known {
    const known = orgs.get(org) ?? { told: 0, saved: 0, lookAt: Infinity, work: undefined, isAgain: false };
    orgs.set(org, known);
    return known;
  }

  /** Found with many others: what nothing is to be done for is not asked for alone. */
  function found({ org, version, told, lookAt: next = Infinity, dueAt = Infinity }: NoticeLook): void {
    const known = orgs.get(org);
    const to = Math.max(told, known?.told ?? 0);
    // What was committed since it was found is known better by now.
    if (known?.work || version !== to || next <= clock.now()) wake(org);
    else if (known || next < Infinity || dueAt < Infinity) {
      lookAt(Object.assign(knownOf(org), { told: to, saved: told }), next);
      if (dueAt < Infinity) onDue(org, dueAt);
    }
  }

  function failed(org: OrgId, error: unknown): void {
    if (isStopped) return;
    logger.warn({ err: error, org }, 'what happened to channels cannot be told of, trying again');
    later(() => wake(org));
  }

  function later(act: () => void): void {
    const timer = setTimeout(() => {
      pausing.delete(timer);
      act();
    }, PAUSE_MS);
    timer.unref();
    pausing.add(timer);
  }

  async function follow(org: OrgId, known: Known): Promise<void> {
    while (known.isAgain && !isStopped) {
      known.isAgain = false;
      const look = await store.look(org);
      if (!look || !isMine(org)) {
        // Suspended, gone, or another node's: whoever makes it otherwise wakes this again.
        orgs.delete(org);
        onNone(org);
        return;
      }
      // What was restored or made anew has come less far.
      if (look.version < known.told) known.told = 0;
      known.saved = look.told;
      known.told = Math.max(known.told, look.told);
      const isDue = (look.lookAt ?? Infinity) <= clock.now();
      lookAt(known, isDue ? Infinity : (look.lookAt ?? Infinity));
      if (isDue) await lookAtChannels(org, known);
      if (look.version > known.told) await tell(org, known, look.version);
      if (look.dueAt !== undefined) onDue(org, look.dueAt);
    }
  }

  /** The commit wakes this again, if it changed something. */
  async function lookAtChannels(org: OrgId, known: Known): Promise<void> {
    const due = await store.dueChannels(org, clock.now(), AT_ONCE);
    try {
      await writer.submit(org, {
        needs: { channels: due },
        weight: due.length,
        decide: (set) => tellExpiring(set, due),
      });
    } catch (error) {
      // Suspended or gone since.
      if (!(error instanceof AppError) || error.code === 'SERVICE_UNAVAILABLE') throw error;
      return;
    }
    if (!known.isAgain) lookAt(known, clock.now() + SOON_MS);
  }

  /** Makes notices of what was not told yet, and saves them with how far it is told. */
  async function tell(org: OrgId, known: Known, version: number): Promise<void> {
    for (let isAll = false; !isAll && !isStopped; ) {
      const untold = await store.untold(org, known.told, AT_ONCE);
      isAll = untold.isAll;
      // What is missing at the end was removed by its age.
      const through = isAll ? Math.max(untold.through, version) : untold.through;
      const notices = await noticesOf(org, untold.revisions, options);
      if (untold.revisions.length > 0 || through - known.saved >= UNSAVED) {
        await store.add(org, through, notices);
        known.saved = through;
      }
      known.told = through;
      const [first] = notices;
      if (first) onDue(org, first.dueAt);
    }
  }

  async function findAll(): Promise<void> {
    for (let after = ''; !isStopped; ) {
      const looks = await store.looks(after, ORGS);
      for (const look of looks) if (isMine(look.org)) found(look);
      const last = looks.at(-1);
      if (!last || looks.length < ORGS) return;
      after = last.org;
    }
  }

  function start(): Promise<void> {
    starting = findAll()
      .catch((error) => {
        if (isStopped) return;
        logger.warn({ err: error }, 'what happened to channels cannot be told of, trying again');
        later(() => void start());
      })
      .finally(() => {
        starting = undefined;
      });
    return starting;
  }

  return {
    start,
    committed(org, writes) {
      const { revisions, channels, noticed } = writes;
      const [first] = revisions;
      const last = revisions.at(-1);
      if (isStopped || !isMine(org) || (!first && writes.org === undefined)) return;
      const known = orgs.get(org);
      const isPlain = known && !known.work && writes.org === undefined && first?.version === known.told + 1;
      if (
        !isPlain ||
        !last ||
        revisions.some(({ kind }) => TELLING.includes(kind)) ||
        last.version - known.saved >= UNSAVED
      ) {
        wake(org);
        return;
      }
      known.told = last.version;
      const next = Math.min(
        ...Array.from(channels.values(), ({ noticeAt = Infinity }) => noticeAt),
        ...noticed.values(),
      );
      if (next < known.lookAt) lookAt(known, next);
    },
    changed: wake,
    async idle() {
      for (;;) {
        const now = clock.now();
        const under = [...orgs.values()].flatMap(({ work }) => work ?? []);
        if (starting) under.push(starting);
        if (under.length === 0) return;
        await Promise.all(under);
        for (const [org, known] of orgs) if (known.lookAt <= now) wake(org);
      }
    },
    async quiet(org) {
      await orgs.get(org)?.work;
    },
    forget: (org) => void orgs.delete(org),
    async stop() {
      isStopped = true;
      armed?.cancel();
      for (const timer of pausing) clearTimeout(timer);
      await starting;
      await Promise.all([...orgs.values()].flatMap(({ work }) => work ?? []));
    },
  };
}
