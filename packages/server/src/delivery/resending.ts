import type { Attempt, Outcome } from '../domain/attempt.ts';
import { type Channel, channelState } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Job, JobState } from '../domain/job.ts';
import { createPace, createTally, type Resending } from '../domain/resending.ts';
import type { DeliveryStore, JobStore, OwedNotification, Resendable, Resent } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Air } from './air.ts';
import type { Circuits } from './circuits.ts';
import { type FlightContext, flyAgain } from './flight.ts';
import { weigh } from './memory.ts';
import type { Hold, Ownership } from './ownership.ts';
import { readPatiently } from './patient-read.ts';
import { originOf } from './receivers.ts';
import type { Flight, Seat, Slots } from './slots.ts';

/** `over`: its state says how. `rests`: it waits for its channel. `stopped`: it goes on here later, or elsewhere. */
export type RunEnd = 'over' | 'rests' | 'stopped';

/** A job that this node works on. */
export interface Run {
  /** Resolves when nothing of it is in the air or unsaved. Never rejects. */
  readonly done: Promise<RunEnd>;
  /** It could do something now, or waits for an answer or a save, or ends. */
  isBusy(): boolean;
  /** Something was committed about its channel, or may go that could not. */
  wake(isChannelOld: boolean): void;
}

export interface ResendingContext {
  readonly store: Pick<JobStore, 'page' | 'bring' | 'settle'>;
  readonly channels: Pick<DeliveryStore, 'channel'>;
  readonly clock: Clock;
  readonly policy: DeliveryPolicy;
  readonly ownership: Ownership;
  readonly slots: Slots;
  readonly air: Air;
  readonly circuits: Pick<Circuits, 'admits'>;
  readonly flights: FlightContext;
  readonly isSuspended: (org: OrgId) => boolean;
  /** Which attempts jobs made last, of those that may not be saved yet: by generation and number. */
  readonly given: AttemptsGiven;
  /** Aborted when what is not saved by then is given up. */
  readonly giveUp: AbortSignal;
  readonly metrics: Pick<Metrics, 'resent'>;
  readonly logger: Logger;
  /** What it did was not saved, since the bucket is another node's. */
  readonly onRefused: (hold: Hold) => void;
  /** Called when it may have stopped being busy. */
  readonly onQuiet: () => void;
}

/** Two jobs may send the same notification: their attempts are numbered on. */
export interface AttemptsGiven {
  next(generation: Generation, number: number, attemptsMade: number): number;
}

interface Item {
  readonly number: number;
  readonly owed: OwedNotification;
  readonly attemptsMade: number;
  readonly bytes: number;
  /** Attempts that the job made. */
  readonly tries: number;
  readonly dueAt: number;
}

type Ending = 'done' | 'failing' | 'gone' | 'rests' | 'stopped';

const NOTES = {
  failing:
    'The receiver did not take the last notifications. Resume the job when it does again: it goes on after its position',
  gone: 'The channel has ended: nothing can be sent for it any more',
  expired: 'The channel has expired: the job goes on when its owner renews it',
  suspended: 'The channel is suspended: the job goes on when it is resumed',
} as const;

/** Sends again what a job asks for, a few at once and beside what is owed, until all is done or `stop` is aborted. */
export function startResending(
  job: Job,
  { from, to, which, rate, waits }: Resending,
  hold: Hold,
  stop: AbortSignal,
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
  let channel: Channel | undefined;
  /** When it was asked for what is known of the channel, by the process's own clock. */
  let knownSince = -Infinity;
  /** Counts the commits about it. */
  let changes = 0;
  let hasEnded = false;
  let isRefreshing = false;
  let isScanning = false;
  let isSaving = false;
  let savedAt = -Infinity;
  let savedPosition = job.progress.position;
  let failures = 0;
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
    most: () => Math.min(policy.flights, channel?.concurrency ?? Infinity),
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
      if (isChannelOld) {
        changes += 1;
        knownSince = -Infinity;
      }
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
      if (performance.now() - knownSince > policy.channelAge / 2) void refresh();
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
    if (hasEnded) return 'gone';
    if (failures >= policy.failuresInRow) return 'failing';
    if (channel && channelState(channel, clock.now()) !== 'live') return 'rests';
    return scanFrom > to && tally.underWay() === 0 ? 'done' : undefined;
  }

  /** No answer, save or read is awaited. */
  function isResting(): boolean {
    return seat.flying === 0 && !isScanning && !isSaving && !isRefreshing && unsaved.length === 0;
  }

  function isKnown(): boolean {
    return channel !== undefined && performance.now() - knownSince <= policy.channelAge;
  }

  function isAdmitted(): boolean {
    return context.circuits.admits(org, seat.origin);
  }

  function mayStart(): boolean {
    const now = clock.now();
    return (
      ready.length > 0 &&
      seat.flying < Math.min(seat.level, seat.most()) &&
      unsaved.length < policy.underWay &&
      pace.nextAt(now) <= now &&
      isKnown() &&
      endingOf() === undefined
    );
  }

  function mayScan(): boolean {
    if (isScanning || channel === undefined || scanFrom > to || endingOf()) return false;
    return ready.length < policy.flights && tally.underWay() < policy.underWay && bytes < policy.bytes;
  }

  async function refresh(): Promise<void> {
    if (isRefreshing) return;
    isRefreshing = true;
    const asked = performance.now();
    const before = changes;
    const answered = await patiently(() => context.channels.channel(org, generation), 'its channel cannot be read');
    isRefreshing = false;
    if (answered) {
      const stored = answered.rows;
      hasEnded = stored === undefined;
      if (stored) {
        slots.withdraw(seat);
        if (!channel && stored.lastSucceeded !== undefined) {
          seat.standing = stored.lastSucceeded ? 'proven' : 'failing';
          if (!stored.lastSucceeded) seat.level = 1;
        }
        channel = stored.channel;
        seat.origin = originOf(channel);
        // What was committed while it was read is read again.
        if (changes === before) knownSince = asked;
      }
    }
    soon();
  }

  async function scan(): Promise<void> {
    isScanning = true;
    const answered = await patiently(readSome, 'what it sends cannot be read');
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

  /** Of each number that is asked for what is to be sent; undefined: it was done before, or is gone. */
  async function readSome(): Promise<{ readonly numbers: { number: number; item?: Item }[]; readonly to: number }> {
    const range = { from: scanFrom, to, which, cancelledTo: channel?.cancelledTo ?? 0 };
    const { items, lookedTo } = await context.store.page(
      org,
      generation,
      job.id,
      range,
      policy.underWay - tally.underWay(),
    );
    const isDue = ({ isDelivered, tries }: Resendable) => !isDelivered && tries < waits.length;
    let room = policy.bytes - bytes;
    const cut = items.findIndex((item, i) => {
      if (!isDue(item)) return false;
      room -= item.bytes;
      return room < 0 && i > 0;
    });
    const taken = cut < 0 ? items : items.slice(0, cut);
    const asked = taken.filter(isDue).map(({ number }) => number);
    const brought = asked.length > 0 ? await context.store.bring(org, generation, asked) : [];
    const byNumber = new Map(brought.map((owed) => [owed.number, owed]));
    const last = taken.at(-1)?.number ?? lookedTo;
    return {
      to: cut < 0 ? lookedTo : last,
      numbers: taken.map(({ number, attemptsMade, bytes: size, tries }) => {
        const owed = byNumber.get(number);
        return owed ? { number, item: { number, owed, attemptsMade, bytes: size, tries, dueAt: 0 } } : { number };
      }),
    };
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
    failures = kind === 'delivered' ? 0 : failures + 1;
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
    const { state, note } = stateAt(ending);
    const isNews = state !== 'running' || note !== job.note || tally.progress().position > savedPosition;
    if (!isLost && hold.state !== 'lost' && isNews) await save(state, note);
    if (isLost || ending === 'stopped') finish('stopped');
    else finish(ending === 'rests' ? 'rests' : 'over');
  }

  function stateAt(ending: Ending): { readonly state: JobState; readonly note?: string } {
    switch (ending) {
      case 'done':
        return { state: 'done' };
      case 'failing':
      case 'gone':
        return { state: 'failed', note: NOTES[ending] };
      case 'rests':
        return {
          state: 'running',
          note: NOTES[channel && channelState(channel, clock.now()) === 'suspended' ? 'suspended' : 'expired'],
        };
      case 'stopped':
        return { state: 'running' };
    }
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
