import type { Job, JobProgress, ReplayWhich } from './job.ts';

/** What a job sends again, and how. */
export interface Resending {
  readonly from: number;
  readonly to: number;
  readonly which: ReplayWhich;
  /** Most a second; undefined: at once. */
  readonly rate?: number;
  /** Wait before each attempt at one notification, milliseconds; as many attempts as there are waits. */
  readonly waits: readonly number[];
}

/** Undefined: the job sends nothing again. One that a person asks for is attempted once: the outcome is the answer. */
export function resendingOf({ request }: Pick<Job, 'request'>, waits: readonly number[]): Resending | undefined {
  switch (request.kind) {
    case 'redeliver':
      return { from: request.number, to: request.number, which: 'all', waits: [0] };
    case 'replay':
      return { ...request, waits };
    case 'rematch':
      return undefined;
  }
}

/** How far a job has come that has several notifications under way at once. */
export interface Tally {
  /** All up to this number was looked at, and what of it is to be sent was begun. */
  scanned(to: number): void;
  /** The number is under way; in ascending order. */
  begun(number: number): void;
  ended(number: number, isDelivered: boolean): void;
  /** Under way, and found to be done already. */
  known(number: number): void;
  underWay(): number;
  progress(): JobProgress;
}

/** Its position never passes what is under way, so that a job which goes on from there leaves nothing out. */
export function createTally(before: JobProgress, from: number): Tally {
  const open = new Set<number>();
  /** Ended, above the position. */
  const above = new Set<number>();
  let { position, done, failed, passed } = before;
  let scannedTo = position;

  function end(number: number): void {
    open.delete(number);
    above.add(number);
  }

  function moveOn(): void {
    // A set keeps the order in which they began, which is that of the numbers.
    const [first] = open;
    position = Math.max(position, first === undefined ? scannedTo : Math.min(first - 1, scannedTo));
    for (const number of above) if (number <= position) above.delete(number);
    passed = Math.max(passed, position - from + 1 - (done + failed - above.size));
  }

  return {
    scanned(to) {
      scannedTo = Math.max(scannedTo, to);
    },
    begun: (number) => open.add(number),
    ended(number, isDelivered) {
      end(number);
      if (isDelivered) done += 1;
      else failed += 1;
    },
    known: end,
    underWay: () => open.size,
    progress() {
      moveOn();
      const { total } = before;
      return { position, done, failed, passed, ...(total !== undefined && { total }) };
    },
  };
}

/** Lets as many through as a rate allows, a tenth of a second's worth at once. */
export interface Pace {
  /** When the next may go, by the same clock; at `now` or before: now. */
  nextAt(now: number): number;
  take(now: number): void;
}

/** `rate`: a second; undefined: as many as come. */
export function createPace(rate: number | undefined): Pace {
  if (rate === undefined) return { nextAt: (now) => now, take: () => {} };
  const most = Math.max(1, rate / 10);
  /** Waited for at once, so that a high rate does not take a timer for each. */
  const some = Math.max(1, rate / 100);
  let room = most;
  let since = -Infinity;
  const roomAt = (now: number): number =>
    since === -Infinity ? room : Math.min(most, room + (Math.max(0, now - since) * rate) / 1000);
  return {
    nextAt(now) {
      const left = roomAt(now);
      return left >= 1 - 1e-9 ? now : now + Math.ceil(((some - left) * 1000) / rate);
    },
    take(now) {
      room = roomAt(now) - 1;
      since = now;
    },
  };
}
