import type { Generation, JobId, OrgId } from '../domain/ids.ts';
import { JOB_KINDS, type JobKind } from '../domain/job.ts';
import type { RunningJob } from '../storage/store.ts';

/** Notifications in a row that a receiver did not take, over all turns of a job. */
export interface Streak {
  failures: number;
}

/** Running jobs of one kind of one channel: one is worked on at a time, the oldest first. */
export interface Line {
  readonly key: string;
  readonly jobs: readonly [RunningJob, ...RunningJob[]];
  /** Of the oldest. */
  readonly streak: Streak;
  /** When its last turn began, by the process's own clock. */
  begun: number;
  /** The oldest can do nothing before; undefined: it may be tried. */
  rest?: { readonly pause: number; readonly until: number };
}

/** Jobs that are running, as they were read last, with what is known of the oldest of each line. */
export interface JobLines {
  read(found: readonly RunningJob[]): void;
  has(job: RunningJob): boolean;
  /** Those that may be tried at `now` for all that is known here; the answer says when the next one may. */
  due(now: number, tell: (line: Line) => void): number;
  rest(job: RunningJob, now: number): void;
  /** It could do something. */
  went(job: RunningJob): void;
  /** It is running no more. */
  drop(job: RunningJob): void;
  /** Those of a channel, or of an organisation, may go on. True: some rested. */
  changed(generation: Generation): boolean;
  resumed(org: OrgId): void;
}

const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 5000;
/** However many rest, no more are tried in a second than fit by this. */
const REST_EACH_MS = 20;

export function createJobLines(): JobLines {
  let lines = new Map<string, Line>();
  let resting = 0;

  function wake(line: Line): void {
    if (line.rest) line.rest = { ...line.rest, until: 0 };
  }

  function set(key: string, [first, ...others]: readonly RunningJob[], before: Line | undefined): void {
    if (first === undefined) {
      lines.delete(key);
      return;
    }
    const isKnown = before?.jobs[0].id === first.id;
    lines.set(key, {
      key,
      jobs: [first, ...others],
      begun: before?.begun ?? -Infinity,
      streak: isKnown ? before.streak : { failures: 0 },
      ...(isKnown && before.rest && { rest: before.rest }),
    });
  }

  return {
    read(found) {
      const before = lines;
      const jobs = new Map<string, RunningJob[]>();
      for (const job of found) {
        const key = lineOf(job);
        const others = jobs.get(key);
        if (others) others.push(job);
        else jobs.set(key, [job]);
      }
      lines = new Map();
      for (const [key, some] of jobs) set(key, some, before.get(key));
    },
    has: (job) => lines.get(lineOf(job))?.jobs.some(({ id }) => id === job.id) ?? false,
    due(now, tell) {
      let next = Infinity;
      resting = 0;
      for (const line of lines.values()) {
        if (line.rest) resting += 1;
        if (line.rest && line.rest.until > now) next = Math.min(next, line.rest.until);
        else tell(line);
      }
      return next;
    },
    rest(job, now) {
      const line = lines.get(lineOf(job));
      if (line?.jobs[0].id !== job.id) return;
      const longer = Math.min((line.rest?.pause ?? FIRST_REST_MS / 2) * 2, LONGEST_REST_MS);
      line.rest = { pause: longer, until: now + Math.max(longer, resting * REST_EACH_MS) };
    },
    went(job) {
      const line = lines.get(lineOf(job));
      if (line?.jobs[0].id === job.id) delete line.rest;
    },
    drop(job) {
      const line = lines.get(lineOf(job));
      if (line)
        set(
          line.key,
          line.jobs.filter(({ id }) => id !== job.id),
          line,
        );
    },
    changed(generation) {
      const own = JOB_KINDS.flatMap((kind) => lines.get(lineOf({ generation, kind })) ?? []);
      for (const line of own) wake(line);
      return own.some(({ rest }) => rest !== undefined);
    },
    resumed(org) {
      for (const line of lines.values()) if (line.jobs[0].org === org) wake(line);
    },
  };
}

/** A redelivery does not wait for a replay of many. */
const lineOf = ({ generation, kind }: { readonly generation: Generation; readonly kind: JobKind }): string =>
  `${generation} ${kind}`;

/**
 * Those whose organisations waited longest first: one of each, then a second of each, and so on, at most `most` of each.
 * However many wait, they are not sorted as a whole.
 */
export function byTurns(waiting: readonly Line[], turns: ReadonlyMap<OrgId, number>, most: number): Line[] {
  const firsts = new Map<OrgId, Line[]>();
  for (const line of waiting) {
    const [{ org }] = line.jobs;
    const own = firsts.get(org) ?? [];
    if (own.length === 0) firsts.set(org, own);
    if (own.length === most && line.begun >= (own.at(-1)?.begun ?? -Infinity)) continue;
    const behind = own.findIndex(({ begun }) => begun > line.begun);
    own.splice(behind < 0 ? own.length : behind, 0, line);
    if (own.length > most) own.pop();
  }
  const turnOf = (org: OrgId): number => turns.get(org) ?? -Infinity;
  const inTurn = [...firsts].sort(([a], [b]) => compare(turnOf(a), turnOf(b)));
  return Array.from({ length: most }, (_, round) => inTurn.flatMap(([, own]) => own[round] ?? [])).flat();
}

/** A job that has a place. */
export interface Placed {
  readonly job: { readonly org: OrgId; readonly id: JobId };
  readonly since: number;
  readonly stop: AbortSignal;
}

/**
 * Which of those that have had their places for longer than `turn` make room for those that wait: of the same
 * organisation, or of one that has more.
 */
export function whoMakesRoom<One extends Placed>(
  placed: readonly One[],
  waiting: readonly Line[],
  overdueSince: number,
): One[] {
  const counts = new Map<OrgId, number>();
  const countOf = (org: OrgId): number => counts.get(org) ?? 0;
  for (const { job } of placed) counts.set(job.org, countOf(job.org) + 1);
  const leaving = placed.filter(({ stop }) => stop.aborted).length;
  const overdue = placed
    .filter(({ stop, since }) => !stop.aborted && since < overdueSince)
    .sort((a, b) => a.since - b.since);
  const chosen: One[] = [];
  for (const { jobs } of waiting.slice(leaving)) {
    const [{ org }] = jobs;
    const at = overdue.findIndex(({ job }) => job.org === org || countOf(job.org) > countOf(org));
    const [one] = at < 0 ? [] : overdue.splice(at, 1);
    if (!one) continue;
    chosen.push(one);
    counts.set(one.job.org, countOf(one.job.org) - 1);
    counts.set(org, countOf(org) + 1);
  }
  return chosen;
}

const compare = (a: number, b: number): number => (a === b ? 0 : a - b);
