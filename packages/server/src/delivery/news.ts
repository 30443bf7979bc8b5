import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterPolicy } from '../domain/cluster-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { News as Look, NewsStore, OrgNews } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createAlarm } from './alarm.ts';
import { readPatiently } from './patient-read.ts';

/** So often all organisations are looked at, to notice those that are gone. */
const LOOK_AT_ALL_MS = 30_000;
const LONGEST_PAUSE_MS = 500;
/** Between the beginnings of two looks, however often it is woken. */
const LEAST_PAUSE_MS = 5;

/** What became of channels, by generation. */
export type Revised = ReadonlyMap<Generation, Kinds>;
export type Kinds = readonly Awaited<ReturnType<NewsStore['revised']>>['revisions'][number]['kind'][];

/** Learns what other nodes committed, and how far this node's own commits are all there is. */
export interface News {
  /** Resolves when it is known how far all organisations have come. */
  start(): Promise<void>;
  /** What others committed up to a short while ago is known. */
  isFresh(): boolean;
  /** Changes of channels of the organisation are known to have been made, but not which. */
  isBehind(org: OrgId): boolean;
  /** Something is being read, or is to be. */
  isReading(): boolean;
  /** Takes a commit of this node. */
  committed(org: OrgId, writes: WriteSet): Place;
  /** Resolves when all that was committed before this call is known and was told. */
  lookNow(): Promise<void>;
  /** Somebody says that there is something. */
  wake(): void;
  epoch(): number;
  /** Milliseconds since the last look began. */
  age(): number;
  /** What was seen may be of another history: looks at all anew, and before that nothing is fresh. */
  beginAnew(): void;
  forget(org: OrgId): void;
  stop(): Promise<void>;
}

/** Where a commit of this node stands among those of its organisation. */
export interface Place {
  /** It follows directly on what is known. */
  readonly isNext: boolean;
  /** Of its channels nothing newer is known. */
  readonly isNewest: boolean;
}

export interface NewsOptions {
  readonly store: NewsStore;
  readonly policy: ClusterPolicy;
  /** Milliseconds that count on while the process is frozen. */
  readonly monotonic: () => number;
  readonly logger: Logger;
  /** The database's time (epoch ms), with when it was asked for and answered by the monotonic clock. */
  readonly onTime: (now: number, sentAt: number, receivedAt: number) => void;
  /** Nodes or owners of buckets are others than before. */
  readonly onSharing: () => void;
  /** The last look was too long ago, and now there is one. */
  readonly onFresh: () => void;
  readonly onSuspended: (org: OrgId, isSuspended: boolean) => void;
  readonly onSigning: (org: OrgId) => void;
  readonly onGone: (org: OrgId) => void;
  /** Its counters went back: what was known of it was lost with a database server. */
  readonly onOtherHistory: (org: OrgId) => void;
  /** Numbers up to these were given. */
  readonly onNumbered: (org: OrgId, numbers: ReadonlyMap<Generation, number>) => void;
  /** Resolves when what it says of channels is taken up. */
  readonly onRevised: (org: OrgId, revised: Revised) => Promise<void>;
  /** The organisation is not behind any more. */
  readonly onCaughtUp: (org: OrgId) => void;
  /** Nothing is to be read any more. */
  readonly onRead: () => void;
}

/** How far an organisation is known and told, and how far it is known to have come. */
interface Marks {
  change: number;
  version: number;
  toChange: number;
  toVersion: number;
  isSuspended: boolean;
  signing: string | undefined;
  /** The looks during which this node last committed something of it, and the organisation itself. */
  committedIn: number;
  savedIn: number;
}

const MOST_READS = 8;

export function createNews(options: NewsOptions): News {
  const { store, policy, monotonic, logger } = options;
  const marks = new Map<OrgId, Marks>();
  /** Organisations of which something is to be read. */
  const behind = new Set<OrgId>();
  const reading = new Set<OrgId>();
  const alarm = createAlarm();
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  /** When the last look began whose answer is known. */
  let confirmedAt = -Infinity;
  let looks = 0;
  /** The last one that is over. */
  let looked = 0;
  let seen: string | undefined;
  let completeAt = -Infinity;
  let sharing: string | undefined;
  let epoch = 0;
  let waiters: { readonly look: number; readonly resolve: () => void }[] = [];

  const isFresh = (): boolean => monotonic() - confirmedAt <= policy.newsAge;

  /** Answers whether it found something. */
  async function look(): Promise<boolean> {
    looks += 1;
    const mine = looks;
    const sentAt = monotonic();
    if (sentAt - completeAt > LOOK_AT_ALL_MS) seen = undefined;
    const found = await store.look(seen);
    const receivedAt = monotonic();
    options.onTime(found.now, sentAt, receivedAt);
    const wasFresh = isFresh();
    confirmedAt = sentAt;
    epoch = found.epoch;
    seen = found.seen;
    const hasNews = take(found, mine);
    if (found.isComplete) completeAt = sentAt;
    if (sharing !== undefined && sharing !== found.sharing) options.onSharing();
    sharing = found.sharing;
    if (!wasFresh) options.onFresh();
    looked = mine;
    readOn();
    release();
    return hasNews;
  }

  function take({ orgs, isComplete }: Look, mine: number): boolean {
    let hasNews = false;
    for (const org of orgs) if (takeOrg(org, mine)) hasNews = true;
    if (!isComplete) return hasNews;
    const there = new Set(orgs.map(({ org }) => org));
    for (const [org, { committedIn }] of marks) {
      if (there.has(org) || committedIn === mine) continue;
      forget(org);
      options.onGone(org);
    }
    return hasNews;
  }

  function takeOrg({ org, lastChange, channelVersion, isSuspended, signing }: OrgNews, mine: number): boolean {
    const known = marks.get(org) ?? begin(org, running ? undefined : { lastChange, channelVersion });
    // What this node committed while the question was on its way may be newer than the answer.
    if (known.committedIn !== mine && (lastChange < known.toChange || channelVersion < known.toVersion)) {
      known.change = known.toChange = lastChange;
      known.version = known.toVersion = channelVersion;
      options.onOtherHistory(org);
    }
    if (known.savedIn === mine) seen = undefined;
    else {
      if (known.isSuspended !== isSuspended) options.onSuspended(org, isSuspended);
      if (known.signing !== undefined && known.signing !== signing) options.onSigning(org);
      known.isSuspended = isSuspended;
      known.signing = signing;
    }
    if (lastChange <= known.toChange && channelVersion <= known.toVersion) return false;
    reach(org, known, lastChange, channelVersion);
    return true;
  }

  function begin(org: OrgId, at = { lastChange: 0, channelVersion: 0 }): Marks {
    const made: Marks = {
      change: at.lastChange,
      version: at.channelVersion,
      toChange: at.lastChange,
      toVersion: at.channelVersion,
      isSuspended: false,
      signing: undefined,
      committedIn: 0,
      savedIn: 0,
    };
    marks.set(org, made);
    return made;
  }

  function reach(org: OrgId, known: Marks, change: number, version: number): void {
    known.toChange = Math.max(known.toChange, change);
    known.toVersion = Math.max(known.toVersion, version);
    if (known.toChange > known.change || known.toVersion > known.version) behind.add(org);
  }

  function readOn(): void {
    for (const org of behind) {
      if (reading.size >= MOST_READS) return;
      if (reading.has(org)) continue;
      reading.add(org);
      void catchUp(org)
        .catch((error) => {
          logger.error({ err: error, org }, 'what other nodes committed was not taken up, all of it is read anew');
          const known = marks.get(org);
          if (known) {
            known.change = known.toChange;
            known.version = known.toVersion;
          }
          behind.delete(org);
          options.onOtherHistory(org);
        })
        .finally(() => {
          reading.delete(org);
          readOn();
          release();
          if (behind.size === 0) options.onRead();
        });
    }
  }

  /** Channels first: what changes owe goes to channels as they are by then. */
  async function catchUp(org: OrgId): Promise<void> {
    for (let known = marks.get(org); known && !stopping.signal.aborted; known = marks.get(org)) {
      if (known.version < known.toVersion) await readRevisions(org, known);
      else if (known.change < known.toChange) await readNumbers(org, known);
      else break;
    }
    behind.delete(org);
    options.onCaughtUp(org);
  }

  async function readRevisions(org: OrgId, known: Marks): Promise<void> {
    const read = await patiently(org, () => store.revised(org, known.version, known.toVersion));
    if (!read) return;
    const revised = new Map<Generation, Kinds[number][]>();
    for (const { generation, kind } of read.revisions) {
      const kinds = revised.get(generation);
      if (kinds) kinds.push(kind);
      else revised.set(generation, [kind]);
    }
    if (revised.size > 0) await options.onRevised(org, revised);
    known.version = Math.max(known.version, read.through);
  }

  async function readNumbers(org: OrgId, known: Marks): Promise<void> {
    const read = await patiently(org, () => store.numbered(org, known.change, known.toChange));
    if (!read) return;
    options.onNumbered(org, read.numbers);
    known.change = Math.max(known.change, read.through);
  }

  async function patiently<Read>(org: OrgId, read: () => Promise<Read>): Promise<Read | undefined> {
    const answered = await readPatiently(
      read,
      () => stopping.signal.aborted || !marks.has(org),
      stopping.signal,
      (error) => logger.error({ err: error, org }, 'what other nodes committed cannot be read, trying again'),
    );
    return answered?.rows;
  }

  async function run(): Promise<void> {
    let pause = policy.pollSoonest;
    let failed = false;
    let lookedAt = -Infinity;
    while (!stopping.signal.aborted) {
      await alarm.sleep(pause);
      const early = LEAST_PAUSE_MS - (monotonic() - lookedAt);
      if (early > 0) await sleep(early);
      if (stopping.signal.aborted) return;
      lookedAt = monotonic();
      try {
        const hasNews = await look();
        if (failed) logger.info({}, 'what other nodes commit is known again');
        failed = false;
        pause = hasNews ? policy.pollSoonest : Math.min(pause * 2, policy.pollLatest);
      } catch (error) {
        if (!failed) logger.error({ err: error }, 'what other nodes commit cannot be read, trying again');
        failed = true;
        seen = undefined;
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** Lets those go on who wait for a look that is over, when all is told that it found. */
  function release(): void {
    const isStopped = stopping.signal.aborted;
    if (waiters.length === 0 || (behind.size > 0 && !isStopped)) return;
    const over = waiters.filter(({ look }) => look <= looked || isStopped);
    waiters = waiters.filter((waiter) => !over.includes(waiter));
    for (const { resolve } of over) resolve();
  }

  function forget(org: OrgId): void {
    marks.delete(org);
    behind.delete(org);
  }

  return {
    async start() {
      await look();
      running = run();
    },
    isFresh,
    isBehind(org) {
      const known = marks.get(org);
      return known !== undefined && known.version < known.toVersion;
    },
    isReading: () => behind.size > 0,
    committed(org, { counters, changes, revisions, org: savedOrg, orgSigning }) {
      if (!running) return { isNext: false, isNewest: true };
      const known = marks.get(org) ?? begin(org);
      known.committedIn = looks;
      if (savedOrg) known.isSuspended = savedOrg.suspendedAt !== undefined;
      if (savedOrg || orgSigning) known.savedIn = looks;
      const { lastChange, channelVersion } = counters;
      const isNext =
        known.change === lastChange - changes.length && known.version === channelVersion - revisions.length;
      const isNewest = channelVersion > known.version || revisions.length === 0;
      if (isNext) {
        known.change = lastChange;
        known.version = channelVersion;
      }
      reach(org, known, lastChange, channelVersion);
      readOn();
      return { isNext, isNewest };
    },
    async lookNow() {
      if (stopping.signal.aborted || !running) return;
      const look = looks + 1;
      alarm.wake();
      await new Promise<void>((resolve) => waiters.push({ look, resolve }));
    },
    wake: alarm.wake,
    epoch: () => epoch,
    age: () => monotonic() - confirmedAt,
    beginAnew() {
      confirmedAt = -Infinity;
      seen = undefined;
      alarm.wake();
    },
    forget,
    async stop() {
      stopping.abort();
      alarm.wake();
      release();
      await running;
    },
  };
}
