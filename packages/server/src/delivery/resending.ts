import type { Attempt, Outcome } from '../domain/attempt.ts';
import { type ChannelState, channelState } from '../domain/channel.ts';
import type { Job, JobState } from '../domain/job.ts';
import { createPace, createTally, type Resending } from '../domain/resending.ts';
import type { Resent } from '../storage/store.ts';
import { flyAgain } from './flight.ts';
import type { Streak } from './job-lines.ts';
import { weigh } from './memory.ts';
import type { Hold } from './ownership.ts';
import { readPatiently } from './patient-read.ts';
import { originOf } from './receivers.ts';
import { createKnownChannel } from './resending-channel.ts';
import type { Item, ResendingContext, Run, RunEnd } from './resending-context.ts';
import { type Ending, stateAt, tellOfEnd } from './resending-ending.ts';
import { readResendable } from './resending-reads.ts';
import type { Flight, Seat } from './slots.ts';

/** Sends again what a job asks for, a few at once and beside what is owed, until all is done or `stop` is aborted. */
export function startResending(
  job: Job,
  { from, to, which, rate, waits }: Resending,
  hold: Hold,
  stop: AbortSignal,
  streak: Streak,
  context: ResendingContext,
): Run {
  const { org, generation } = job;
  const { clock, ownership, slots, flights, logger } = context;
  const { jobs: policy } = context.policy;
  const tally = createTally(job.progress, from);
  const pace = createPace(rate);
  const ready: Item[] = [];
  let waiting: Item[] = [];
  let unsaved: Resent[] = [];
  let bytes = 0;
  let scanFrom = Math.max(from, job.progress.position + 1);
  let isScanning = false;
  let isSaving = false;
  let savedAt = -Infinity;
  let savedPosition = job.progress.position;
  let isLost = false;
  let isOver = false;
  let isScheduled = false;
  let armed: { readonly time: number; readonly cancel: () => void } | undefined;
  let saveTimer: NodeJS.Timeout | undefined;
  const fields = { org, generation, job: job.id };

  const seat: Seat = {
    org,
    origin: '',
    standing: 'unproven',
    level: context.policy.firstFlights,
    generation,
    most: () => known.channel()?.concurrency ?? context.policy.channelFlights,
    flying: 0,
    hasReady: () => mayStart() && ownership.mayStart(org, hold),
    launch(flight) {
      const item = ready.shift();
      pace.take(clock.now());
      hold.unsaved += 1;
      void send(item).then(
        (outcome) => back(flight, outcome),
        (error) => {
          logger.error({ err: error, ...fields }, 'a job failed and begins anew');
          isLost = true;
          hold.unsaved -= 1;
          back(flight, undefined);
        },
      );
      soon();
    },
  };

  const known = createKnownChannel({
    read: () => patiently(() => context.channels.channel(org, generation), 'its channel cannot be read'),
    maxAge: policy.channelAge,
    onRead(channel, lastSucceeded) {
      slots.withdraw(seat);
      seat.origin = originOf(channel);
      if (lastSucceeded === undefined) return;
      seat.standing = lastSucceeded ? 'proven' : 'failing';
      if (!lastSucceeded) seat.level = 1;
    },
    onDone: soon,
  });
  let finish: (end: RunEnd) => void = () => {};
  const done = new Promise<RunEnd>((resolve) => {
    finish = resolve;
  });
  stop.addEventListener('abort', soon, { once: true });
  soon();

  return {
    done,
    isBusy: () => isOver || isScheduled || !isResting() || mayScan() || (mayStart() && isAdmitted()),
    wake(isChannelOld) {
      if (isChannelOld) known.forget();
      soon();
    },
  };

  function soon(): void {
    if (isScheduled || isOver) return;
    isScheduled = true;
    queueMicrotask(() => {
      isScheduled = false;
      goOn();
      context.onQuiet();
    });
  }

  function goOn(): void {
    if (isOver) return;
    const ending = endingOf();
    if (!ending) {
      known.refresh();
      takeDue();
      if (mayScan()) void scan();
      arm();
      slots.request(seat);
    }
    if (unsaved.length > 0 || tally.progress().position - savedPosition > 10_000) saveSoon(ending !== undefined);
    if (ending && isResting()) void end(ending);
  }

  function endingOf(): Ending | undefined {
    if (stop.aborted || isLost || hold.state !== 'held' || context.isSuspended(org)) return 'stopped';
    if (known.hasEnded()) return 'gone';
    if (streak.failures >= policy.failuresInRow) return 'failing';
    if ((stateNow() ?? 'live') !== 'live') return 'rests';
    return scanFrom > to && tally.underWay() === 0 ? 'done' : undefined;
  }

  function stateNow(): ChannelState | undefined {
    const channel = known.channel();
    return channel && channelState(channel, clock.now());
  }

  /** No answer, save or read is awaited. */
  function isResting(): boolean {
    return seat.flying === 0 && !isScanning && !isSaving && !known.isReading() && unsaved.length === 0;
  }

  function isAdmitted(): boolean {
    return context.circuits.admits(org, seat.origin);
  }

  function mayStart(): boolean {
    const now = clock.now();
    return (
      ready.length > 0 &&
      seat.flying < Math.min(seat.level, policy.flights) &&
      unsaved.length < policy.underWay &&
      pace.nextAt(now) <= now &&
      known.isFresh() &&
      endingOf() === undefined
    );
  }

  function mayScan(): boolean {
    if (isScanning || known.channel() === undefined || scanFrom > to || endingOf()) return false;
    return ready.length < policy.flights && tally.underWay() < policy.underWay && bytes < policy.bytes;
  }

  async function scan(): Promise<void> {
    isScanning = true;
    const limits = { rows: policy.underWay - tally.underWay(), bytes: policy.bytes - bytes };
    const range = { from: scanFrom, to, which, cancelledTo: known.channel()?.cancelledTo ?? 0 };
    const answered = await patiently(
      () => readResendable(context.store, job, range, waits.length, limits),
      'what it sends cannot be read',
    );
    isScanning = false;
    if (answered) {
      for (const { number, item } of answered.rows.numbers) {
        tally.begun(number);
        if (item) {
          ready.push(item);
          bytes += item.bytes;
        } else tally.known(number);
      }
      tally.scanned(answered.rows.to);
      scanFrom = answered.rows.to + 1;
    }
    soon();
  }

  function takeDue(): void {
    const now = clock.now();
    const due = waiting.filter(({ dueAt }) => dueAt <= now);
    if (due.length === 0) return;
    waiting = waiting.filter(({ dueAt }) => dueAt > now);
    ready.unshift(...due);
  }

  /** Asks to be woken when the first of those that wait is due, or the rate lets the next one go. */
  function arm(): void {
    const now = clock.now();
    let next = Math.min(...waiting.map(({ dueAt }) => dueAt));
    if (ready.length > 0 && pace.nextAt(now) > now) next = Math.min(next, pace.nextAt(now));
    if (armed?.time === next) return;
    armed?.cancel();
    armed =
      next === Infinity
        ? undefined
        : {
            time: next,
            cancel: clock.at(next, () => {
              armed = undefined;
              soon();
            }),
          };
  }

  async function send(item: Item | undefined): Promise<Outcome | undefined> {
    if (!item) {
      hold.unsaved -= 1;
      return undefined;
    }
    const weight = weigh(item.owed);
    const room = context.air.enter(org, weight);
    if (room) await room;
    try {
      // Nothing that is to be signed is sent without.
      while (!flights.orgSignings.isKnown(org) && !stop.aborted) {
        await patiently(() => flights.orgSignings.load(org), 'what it signs with cannot be read');
      }
      const channel = known.channel();
      if (!channel || endingOf() !== undefined || !ownership.mayStart(org, hold)) {
        ready.unshift(item);
        hold.unsaved -= 1;
        return undefined;
      }
      const number = context.given.next(generation, item.number, item.attemptsMade);
      const made = await flyAgain({ ...item.owed, attemptsMade: number - 1 }, channel, job.id, flights);
      land(item, made);
      return made.outcome;
    } finally {
      context.air.leave(org, weight);
    }
  }

  function land(item: Item, attempt: Attempt): void {
    const { kind } = attempt.outcome;
    const tries = item.tries + 1;
    const wait = waits[tries];
    unsaved.push({ number: item.number, attempt });
    context.metrics.resent.inc({ kind: job.request.kind, outcome: kind });
    if (kind !== 'delivered' && wait !== undefined) {
      waiting.push({ ...item, attemptsMade: attempt.attempt, tries, dueAt: clock.now() + wait });
      return;
    }
    streak.failures = kind === 'delivered' ? 0 : streak.failures + 1;
    bytes -= item.bytes;
    tally.ended(item.number, kind === 'delivered');
  }

  function back(flight: Flight, outcome: Outcome | undefined): void {
    slots.release(seat, flight, outcome);
    soon();
  }

  /** What comes soon after each other is saved together: a replay takes no more commits from what is owed than it must. */
  function saveSoon(isAtOnce: boolean): void {
    const wait = isAtOnce ? 0 : savedAt + policy.saveEvery - performance.now();
    if (isSaving) return;
    if (wait <= 0) void save('running');
    else
      saveTimer ??= setTimeout(() => {
        saveTimer = undefined;
        if (!isSaving && !isOver) void save('running');
      }, wait);
  }

  async function save(state: JobState, note?: string): Promise<void> {
    isSaving = true;
    savedAt = performance.now();
    const resent = unsaved;
    unsaved = [];
    const progress = tally.progress();
    const answered = await readPatiently(
      () =>
        context.store.settle({
          org,
          generation,
          resent,
          step: { id: job.id, state, progress, ...(note !== undefined && { note }) },
          at: clock.now(),
          ...(hold.epoch !== undefined && { epoch: hold.epoch }),
        }),
      () => context.giveUp.aborted,
      context.giveUp,
      (error) => logger.error({ err: error, ...fields }, 'a job cannot be saved, trying again'),
    );
    hold.unsaved -= resent.length;
    if (answered?.rows) savedPosition = progress.position;
    else isLost = true;
    if (answered?.rows === false) context.onRefused(hold);
    isSaving = false;
    soon();
  }

  async function end(ending: Ending): Promise<void> {
    isOver = true;
    slots.withdraw(seat);
    armed?.cancel();
    clearTimeout(saveTimer);
    stop.removeEventListener('abort', soon);
    const { state, note } = stateAt(ending, stateNow());
    const isNews = state !== 'running' || note !== job.note || tally.progress().position > savedPosition;
    if (!isLost && hold.state !== 'lost' && isNews) await save(state, note);
    const told = { ...fields, kind: job.request.kind, ...tally.progress() };
    tellOfEnd(logger, isLost ? 'stopped' : ending, told, note !== job.note);
    if (isLost || ending === 'stopped') finish('stopped');
    else finish(ending === 'rests' ? 'rests' : 'over');
  }

  function patiently<Rows>(read: () => Promise<Rows>, what: string): Promise<{ readonly rows: Rows } | undefined> {
    return readPatiently(
      read,
      () => stop.aborted,
      stop,
      (error) => logger.error({ err: error, ...fields }, `a job waits: ${what}, trying again`),
    );
  }
}
