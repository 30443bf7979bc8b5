import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OrgId } from '../domain/ids.ts';
import type { DueNotice, NoticeStore } from '../storage/store.ts';
import { createConnections } from './connections.ts';
import { createDueTimes } from './due-times.ts';
import type { Guard } from './guard.ts';
import { type Failing, rememberFailing } from './notice-origins.ts';
import { noticeAfter, postNotice, type Reporting } from './notice-post.ts';
import { createNoticeSettler } from './notice-settler.ts';
import { heldTo, keyOf, newTurn, type OrgTurn, originOf } from './notice-turn.ts';

/** Sends notices until they are delivered or parked: beside notifications, with connections and bounds of its own. */
export interface NoticeSender {
  /** Notices of the organisation are due then. */
  wake(org: OrgId, dueAt: number): void;
  /** It is not to be sent for any more: suspended, gone, or another node's. What is in the air lands. */
  drop(org: OrgId): void;
  /** Resolves when nothing is in flight or unsaved and nothing could be sent now. */
  idle(): Promise<void>;
  /** Resolves when nothing of a suspended organisation is in the air or unsaved. */
  quiet(org: OrgId): Promise<void>;
  forget(org: OrgId): void;
  /** Ends what is in the air within `withinMs`. */
  stop(withinMs?: number): Promise<void>;
}

export interface NoticeSenderOptions extends Reporting {
  readonly store: Pick<NoticeStore, 'due' | 'nextDue' | 'settle'>;
  readonly policy: DeliveryPolicy;
  readonly guard: Guard;
  /** Of this software, for the `user-agent` header. */
  readonly version: string;
  readonly isMine: (org: OrgId) => boolean;
}

/** Most requests at once: of the node, of an organisation, of it to one origin. */
const NODE_FLIGHTS = 64;
const ORG_FLIGHTS = 8;
const ORIGIN_FLIGHTS = 4;
/** Most of the node to origins that could not be reached. */
const FAILING_FLIGHTS = NODE_FLIGHTS / 2;
/** Notices of one read, and most of an organisation that are kept because their origin or channel is busy. */
const WINDOW = 100;
const HELD = 200;
/** Of these to one origin; when a window takes longer than this with them, others are not kept waiting. */
const ORIGIN_HELD = 50;
const SLOW_MS = 1000;
const PAUSE_MS = 1000;
const STOP_WITHIN_MS = 15_000;

export function createNoticeSender(options: NoticeSenderOptions): NoticeSender {
  const { store, clock, policy, guard, isMine, logger } = options;
  const connections = createConnections(guard, policy);
  const cutting = new AbortController();
  const orgs = new Map<OrgId, OrgTurn>();
  const line: OrgTurn[] = [];
  const failing: Failing = rememberFailing(policy);
  const nextDue = new Map<OrgId, number>();
  const dueTimes = createDueTimes<OrgId>(clock, (org) => {
    nextDue.delete(org);
    again(org);
  });
  const waiters = new Map<() => void, () => boolean>();
  let isPumping = false;
  let flights = 0;
  let failingFlights = 0;
  let isStopping = false;

  const settler = createNoticeSettler({
    store,
    logger,
    stop: cutting.signal,
    onSaved(org, notice) {
      const turn = orgs.get(org);
      turn?.busy.delete(keyOf(notice));
      if (turn?.isReading) turn.saved.add(keyOf(notice));
      if (notice.state === 'pending') dueAt(org, notice.dueAt);
      check();
    },
  });

  function dueAt(org: OrgId, time: number): void {
    const known = nextDue.get(org) ?? Infinity;
    if (isStopping || known <= time) return;
    nextDue.set(org, time);
    dueTimes.set(org, time);
  }

  /** Looks at all that is due from the first on. */
  function again(org: OrgId): void {
    if (isStopping || !isMine(org)) return;
    const turn = orgs.get(org) ?? newTurn(org);
    orgs.set(org, turn);
    for (const { notice } of turn.window) turn.busy.delete(keyOf(notice));
    turn.window = [];
    turn.after = undefined;
    turn.isAtEnd = false;
    turn.passed.clear();
    turn.hasLanded = false;
    turn.round += 1;
    ready(turn);
  }

  function ready(turn: OrgTurn): void {
    if (turn.isReady || turn.isReading) return;
    turn.isReady = true;
    line.push(turn);
    pump();
  }

  function pump(): void {
    if (isPumping) return;
    isPumping = true;
    while (!isStopping && flights < NODE_FLIGHTS) {
      const turn = line.shift();
      if (!turn) break;
      turn.isReady = false;
      if (startOne(turn)) ready(turn);
    }
    isPumping = false;
    check();
  }

  /** False: nothing more of the organisation can start for now. */
  function startOne(turn: OrgTurn): boolean {
    if (turn.flights >= ORG_FLIGHTS) return false;
    if (!isMine(turn.org)) drop(turn.org);
    const at = turn.held.findIndex((due) => mayStart(turn, due));
    const [held] = at < 0 ? [] : turn.held.splice(at, 1);
    if (held) return begin(turn, held);
    for (let due = turn.window.shift(); due; due = turn.window.shift()) {
      const origin = originOf(due);
      if (turn.passed.has(origin)) turn.busy.delete(keyOf(due.notice));
      else if (mayStart(turn, due)) return begin(turn, due);
      else if (turn.held.length < HELD && heldTo(turn, origin) < ORIGIN_HELD) turn.held.push(due);
      else if (failing.has(turn.org, origin)) putOff(turn, due, clock.now() + policy.deadline);
      else if (clock.now() - turn.readAt < SLOW_MS) {
        turn.window.unshift(due);
        return false;
      } else {
        turn.passed.add(origin);
        turn.busy.delete(keyOf(due.notice));
      }
    }
    if (!turn.isAtEnd) void read(turn);
    else if (turn.hasLanded && hasRoom(turn)) again(turn.org);
    return false;
  }

  /** Of what was passed over something could be held again. */
  const hasRoom = (turn: OrgTurn): boolean =>
    [...turn.passed].some((origin) => heldTo(turn, origin) <= ORIGIN_HELD / 2);

  function mayStart(turn: OrgTurn, due: DueNotice): boolean {
    const origin = originOf(due);
    if (origin === '' || failing.until(turn.org, origin) > clock.now()) return true;
    const isFailing = failing.has(turn.org, origin);
    if (isFailing && failingFlights >= FAILING_FLIGHTS) return false;
    const most = isFailing ? 1 : ORIGIN_FLIGHTS;
    return !turn.generations.has(due.notice.generation) && (turn.origins.get(origin) ?? 0) < most;
  }

  /** Sends it, or says why not. */
  function begin(turn: OrgTurn, due: DueNotice): boolean {
    const origin = originOf(due);
    const until = failing.until(turn.org, origin);
    if (origin === '') {
      const message = 'There is no life-cycle URL any more';
      settler.add(turn.org, { ...due.notice, state: 'parked' }, { kind: 'unreachable', reason: 'protocol', message });
    } else if (until > clock.now()) putOff(turn, due, until);
    else void fly(turn, due, origin);
    return true;
  }

  /** What could not be reached a moment ago is not tried for each notice: that would keep others waiting. */
  function putOff(turn: OrgTurn, { notice }: DueNotice, until: number): void {
    const isOver = clock.now() - notice.at > policy.retrySchedule.reduce((sum, wait) => sum + wait, 0);
    const message = 'Its receiver could not be reached for all of the retry schedule';
    if (isOver)
      settler.add(turn.org, { ...notice, state: 'parked' }, { kind: 'unreachable', reason: 'connect', message });
    else settler.add(turn.org, { ...notice, dueAt: until });
  }

  async function fly(turn: OrgTurn, due: DueNotice, origin: string): Promise<void> {
    const { org, generations, origins } = turn;
    const { notice } = due;
    const isProbe = failing.has(org, origin);
    flights += 1;
    turn.flights += 1;
    if (isProbe) failingFlights += 1;
    generations.add(notice.generation);
    origins.set(origin, (origins.get(origin) ?? 0) + 1);
    const outcome = await postNotice(due, { connections, policy, version: options.version, stop: cutting.signal });
    flights -= 1;
    turn.flights -= 1;
    turn.hasLanded = true;
    if (isProbe) failingFlights -= 1;
    generations.delete(notice.generation);
    const left = (origins.get(origin) ?? 1) - 1;
    if (left > 0) origins.set(origin, left);
    else origins.delete(origin);
    // Ended by this node: it is as if it had not been made.
    if (!cutting.signal.aborted) {
      if (outcome.kind === 'unreachable') failing.failed(org, origin, clock.now());
      else if (isProbe) failing.reached(org, origin);
      settler.add(org, noticeAfter(org, notice, outcome, options), outcome);
    }
    ready(turn);
    pump();
  }

  async function read(turn: OrgTurn): Promise<void> {
    const { org } = turn;
    const { round } = turn;
    turn.isReading = true;
    try {
      const now = clock.now();
      const found = await store.due(org, now, turn.after, WINDOW);
      const next = found.length < WINDOW ? await store.nextDue(org, now) : undefined;
      // It was begun anew meanwhile.
      if (turn.round === round) {
        const last = found.at(-1)?.notice;
        if (last) turn.after = last;
        turn.isAtEnd = found.length < WINDOW;
        turn.readAt = now;
        turn.window = found.filter(({ notice }) => !turn.busy.has(keyOf(notice)) && !turn.saved.has(keyOf(notice)));
        for (const { notice } of turn.window) turn.busy.add(keyOf(notice));
        if (next !== undefined) dueAt(org, next);
      }
    } catch (error) {
      logger.warn({ err: error, org }, 'notices cannot be read, trying again');
      await sleep(PAUSE_MS, undefined, { signal: cutting.signal, ref: false }).catch(() => undefined);
    }
    turn.saved.clear();
    turn.isReading = false;
    if (orgs.get(org) === turn && (turn.window.length + turn.held.length > 0 || !turn.isAtEnd)) ready(turn);
    check();
  }

  const isQuiet = (turn: OrgTurn): boolean =>
    turn.flights === 0 && !turn.isReading && !turn.isReady && !settler.holds(turn.org);
  const isIdle = (): boolean => flights === 0 && settler.size() === 0 && [...orgs.values()].every(isQuiet);

  function check(): void {
    for (const [org, turn] of orgs) {
      if (isQuiet(turn) && turn.held.length === 0 && turn.window.length === 0) orgs.delete(org);
    }
    for (const [resolve, isDone] of waiters) {
      if (!isDone()) continue;
      waiters.delete(resolve);
      resolve();
    }
  }

  const until = (isDone: () => boolean): Promise<void> =>
    isDone() ? Promise.resolve() : new Promise((resolve) => waiters.set(resolve, isDone));

  function drop(org: OrgId): void {
    const turn = orgs.get(org);
    if (!turn) return;
    for (const { notice } of [...turn.window, ...turn.held]) turn.busy.delete(keyOf(notice));
    turn.window = [];
    turn.held = [];
    turn.passed.clear();
    turn.round += 1;
    turn.isAtEnd = true;
  }

  return {
    wake(org, time) {
      if (time <= clock.now()) again(org);
      else dueAt(org, time);
    },
    drop,
    idle: () => until(isIdle),
    async quiet(org) {
      drop(org);
      await until(() => {
        const turn = orgs.get(org);
        return !turn || isQuiet(turn);
      });
    },
    forget(org) {
      orgs.delete(org);
      nextDue.delete(org);
      dueTimes.remove(org);
      failing.forget(org);
    },
    async stop(withinMs = STOP_WITHIN_MS) {
      isStopping = true;
      dueTimes.stop();
      const timer = setTimeout(() => cutting.abort(), withinMs);
      await until(() => flights === 0 && settler.size() === 0);
      clearTimeout(timer);
      cutting.abort();
      await connections.close();
    },
  };
}
