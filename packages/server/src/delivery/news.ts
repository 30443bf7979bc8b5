import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterPolicy } from '../domain/cluster-policy.ts';
import type { OrgId } from '../domain/ids.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { News as Look, NewsStore, OrgNews } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createAlarm } from './alarm.ts';
import { type CatchingUpOptions, createCatchingUp } from './catching-up.ts';

/** So often all organisations are looked at, to notice those that are gone. */
const LOOK_AT_ALL_MS = 30_000;
/** Between the beginnings of two looks, however often it is woken. */
const LEAST_PAUSE_MS = 5;

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
  /** What is known may be of another history. Until it was looked at all anew nothing is fresh; then `onAnew` is called. */
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

export interface NewsOptions extends Pick<CatchingUpOptions, 'onNumbered' | 'onRevised' | 'onKnown' | 'onRead'> {
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
  /** What was known of the organisation is not to be relied on: what it owes is to be read. */
  readonly onOtherHistory: (org: OrgId) => void;
  /** The same of all organisations. */
  readonly onAnew: () => void;
}

export function createNews(options: NewsOptions): News {
  const { store, policy, monotonic, logger } = options;
  const alarm = createAlarm();
  const stopping = new AbortController();
  const orgs = createCatchingUp({
    ...options,
    stop: stopping.signal,
    onFault: options.onOtherHistory,
    onRead() {
      release();
      options.onRead();
    },
  });
  let running: Promise<void> | undefined;
  /** When the last look began whose answer is known. */
  let confirmedAt = -Infinity;
  let looks = 0;
  /** The last one that is over. */
  let looked = 0;
  /** Whether how far organisations have come is known at all; looks begun before it was not are not used. */
  let isKnown = false;
  let unknownSince = 0;
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
    options.onTime(found.now, sentAt, monotonic());
    if (mine <= unknownSince) return true;
    const wasFresh = isFresh();
    const wasKnown = isKnown;
    confirmedAt = sentAt;
    ({ epoch, seen } = found);
    const hasNews = take(found, mine);
    if (found.isComplete) completeAt = sentAt;
    if (sharing !== undefined && sharing !== found.sharing) options.onSharing();
    sharing = found.sharing;
    isKnown = true;
    if (!wasKnown && running) options.onAnew();
    if (!wasFresh) options.onFresh();
    looked = mine;
    release();
    return hasNews;
  }

  function take(found: Look, mine: number): boolean {
    let hasNews = false;
    for (const org of found.orgs) if (takeOrg(org, mine)) hasNews = true;
    if (!found.isComplete) return hasNews;
    const there = new Set(found.orgs.map(({ org }) => org));
    for (const [org, { committedIn }] of [...orgs.all()]) {
      if (there.has(org) || committedIn === mine) continue;
      orgs.forget(org);
      options.onGone(org);
    }
    return hasNews;
  }

  function takeOrg({ org, lastChange, channelVersion, isSuspended, signing }: OrgNews, mine: number): boolean {
    let known = orgs.of(org) ?? (isKnown ? orgs.begin(org, 0, 0) : orgs.begin(org, lastChange, channelVersion));
    // What this node committed while the question was on its way may be newer than the answer.
    if (known.committedIn !== mine && (lastChange < known.toChange || channelVersion < known.toVersion)) {
      known = orgs.begin(org, lastChange, channelVersion);
      options.onOtherHistory(org);
    }
    if (known.savedIn === mine) seen = undefined;
    else {
      if (!isKnown || known.isSuspended !== isSuspended) options.onSuspended(org, isSuspended);
      if (known.signing !== signing) options.onSigning(org);
      known.isSuspended = isSuspended;
      known.signing = signing;
    }
    if (lastChange <= known.toChange && channelVersion <= known.toVersion) return false;
    orgs.reach(org, known, lastChange, channelVersion);
    return true;
  }

  async function run(): Promise<void> {
    let pause = policy.pollSoonest;
    let hasFailed = false;
    let lookedAt = -Infinity;
    while (!stopping.signal.aborted) {
      await alarm.sleep(pause);
      const early = LEAST_PAUSE_MS - (monotonic() - lookedAt);
      if (early > 0) await sleep(early);
      if (stopping.signal.aborted) return;
      lookedAt = monotonic();
      try {
        const hasNews = await look();
        if (hasFailed) logger.info({}, 'what other nodes commit is known again');
        hasFailed = false;
        pause = hasNews ? policy.pollSoonest : Math.min(pause * 2, policy.pollLatest);
      } catch (error) {
        if (!hasFailed) logger.error({ err: error }, 'what other nodes commit cannot be read, trying again');
        hasFailed = true;
        seen = undefined;
        pause = Math.min(pause * 2, policy.pollLatest);
      }
    }
  }

  /** Lets those go on who wait for a look that is over, when all is told that it found. */
  function release(): void {
    const isStopped = stopping.signal.aborted;
    if (waiters.length === 0 || (orgs.isUnderWay() && !isStopped)) return;
    const over = waiters.filter(({ look }) => look <= looked || isStopped);
    waiters = waiters.filter((waiter) => !over.includes(waiter));
    for (const { resolve } of over) resolve();
  }

  return {
    async start() {
      await look();
      running = run();
    },
    isFresh,
    isBehind(org) {
      const known = orgs.of(org);
      return known !== undefined && known.version < known.toVersion;
    },
    isReading: () => orgs.isUnderWay() || !isKnown,
    committed(org, { counters, changes, revisions, org: savedOrg, orgSigning }) {
      if (!isKnown) return { isNext: false, isNewest: true };
      const known = orgs.of(org) ?? orgs.begin(org, 0, 0);
      known.committedIn = looks;
      if (savedOrg) known.isSuspended = savedOrg.suspendedAt !== undefined;
      if (savedOrg || orgSigning) known.savedIn = looks;
      const { lastChange, channelVersion } = counters;
      const isNext =
        known.change === lastChange - changes.length && known.version === channelVersion - revisions.length;
      const isNewest = channelVersion > known.telling || revisions.length === 0;
      if (isNext) {
        known.change = lastChange;
        known.version = channelVersion;
        known.telling = Math.max(known.telling, channelVersion);
      }
      orgs.reach(org, known, lastChange, channelVersion);
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
      isKnown = false;
      unknownSince = looks;
      confirmedAt = -Infinity;
      seen = undefined;
      orgs.forgetAll();
      alarm.wake();
    },
    forget: orgs.forget,
    async stop() {
      stopping.abort();
      alarm.wake();
      release();
      await running;
    },
  };
}
