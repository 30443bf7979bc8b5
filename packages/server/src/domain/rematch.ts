import type { Change } from './change.ts';
import type { Channel, Lapse, LiveChannel, Owed } from './channel.ts';
import { findChannel } from './channel-index.ts';
import type { Job, JobRequest, JobStep } from './job.ts';
import { roomOf } from './overflow.ts';
import { addRevision, loadedChannel } from './working-channels.ts';
import { takeNumber, type WorkingSet } from './working-set.ts';

export type RematchRequest = Extract<JobRequest, { readonly kind: 'rematch' }>;

/** A change of a lapse with what it owes the channel as it was then; nothing, when it did not match. */
export interface MatchedChange {
  readonly change: Change;
  readonly as: LiveChannel;
  readonly owed: readonly Owed[];
}

/** Some of what a re-match has before it, in order of changes. */
export interface RematchPiece {
  /** The last change before it. */
  readonly after: number;
  readonly matched: readonly MatchedChange[];
  /** Retention removed the changes up to this one. */
  readonly goneTo?: number;
}

/** How the job stands then; or why it can do nothing now; or where the lapse stands instead. */
export type RematchOutcome = JobStep | { readonly waits: string } | { readonly stands: number };

const EXPIRED = 'Waits until the channel is renewed: it has expired again';
const OVERFLOWS = 'Waits until the channel takes numbers: it owes too much';
const NO_ROOM = 'Waits until the channel owes less';
const WAITS: readonly string[] = [EXPIRED, OVERFLOWS, NO_ROOM];

/** The last change of it that needs no look any more. */
export const standOf = ({ fromChange, rematchedTo }: Lapse): number => rematchedTo ?? fromChange;

/** Whether there is nothing in it that could be matched again. */
export const isDone = (lapse: Lapse): boolean => lapse.toChange !== undefined && standOf(lapse) >= lapse.toChange;

/** The lapse that a job is about, also when its first part was set apart since. */
export const lapseOf = (lapses: readonly Lapse[], { lapse, fromChange, toChange }: RematchRequest): Lapse | undefined =>
  lapses.find(
    (one) =>
      one.kind === lapse && one.toChange === toChange && one.fromChange < toChange && standOf(one) >= fromChange - 1,
  );

/**
 * Numbers what the piece owes, as far as the channel has room, and says so in the lapse: no change of it is ever numbered
 * twice, whatever else is under way.
 */
export function decideRematch(set: WorkingSet, job: Job, request: RematchRequest, piece: RematchPiece): RematchOutcome {
  const { id, progress } = job;
  const channel = loadedChannelOf(set, job);
  if (!channel) return save(set, { id, state: 'failed', progress, note: 'The channel has ended' });
  const lapse = lapseOf(lapsesNow(set, job), request);
  if (!lapse) {
    return save(set, { id, state: 'done', progress, note: goneNote(progress.position + 1, request.toChange) });
  }
  if (standOf(lapse) !== piece.after) return { stands: standOf(lapse) };
  const live = findChannel(set.index, channel.userId, channel.channelId);
  if (live?.generation !== job.generation) return { waits: EXPIRED };
  if (live.overflowFrom !== undefined) return { waits: OVERFLOWS };

  const wanted = countOf(piece.matched);
  const fitting = fitIn(piece.matched, roomOf(live, set.index, set.maxBacklog, wanted));
  if (fitting.length === 0 && piece.matched.length > 0) return { waits: NO_ROOM };
  for (const { change, as, owed } of fitting) {
    const { version, withValues } = as;
    for (const { module, operation, ids } of owed)
      takeNumber(set, live, { module, operation, ids, version, withValues, change, job: job.id });
  }
  const made = countOf(fitting);
  // So that other nodes learn of its numbers.
  if (made > 0) addRevision(set, 'rematched', live);
  const position = fitting.at(-1)?.change.number ?? piece.goneTo ?? piece.after;
  set.writes.lapses.push(...cameFurther(lapse, piece, position));
  const note = piece.goneTo === undefined ? keptNote(job) : goneNote(piece.after + 1, piece.goneTo);
  return save(set, {
    id: job.id,
    state: position >= request.toChange ? 'done' : 'running',
    progress: {
      position,
      done: job.progress.done + made,
      failed: 0,
      passed: job.progress.passed + fitting.filter(({ owed }) => owed.length === 0).length,
    },
    ...(note !== undefined && { note }),
  });
}

function save(set: WorkingSet, step: JobStep): JobStep {
  set.writes.jobs.push(step);
  return step;
}

const keptNote = ({ note }: Job): string | undefined => (WAITS.includes(note ?? '') ? undefined : note);

/** Says why it waits where that is kept, once. */
export function noteWaiting(set: WorkingSet, { id, note, progress }: Job, waits: string): void {
  if (note !== waits) set.writes.jobs.push({ id, state: 'running', progress, note: waits });
}

function loadedChannelOf(set: WorkingSet, { generation }: Job): Channel | undefined {
  for (const channel of set.channels.values()) {
    if (channel.generation === generation) return loadedChannel(set, channel.userId, channel.channelId);
  }
  return undefined;
}

/** Also as commands before this one of the batch left them. */
function lapsesNow(set: WorkingSet, { generation }: Job): Lapse[] {
  const now = new Map<string, Lapse>();
  for (const lapse of [...set.lapses, ...set.writes.lapses])
    if (lapse.generation === generation) now.set(`${lapse.kind} ${lapse.fromChange}`, lapse);
  return [...now.values()].sort((a, b) => a.fromChange - b.fromChange);
}

const countOf = (matched: readonly MatchedChange[]): number => matched.reduce((sum, { owed }) => sum + owed.length, 0);

/** The first of them, whole changes only, that there is room for. */
function fitIn(matched: readonly MatchedChange[], room: number): readonly MatchedChange[] {
  let taken = 0;
  const over = matched.findIndex(({ owed }) => {
    taken += owed.length;
    return taken > room;
  });
  return over < 0 ? matched : matched.slice(0, over);
}

/** What retention took stays listed as a lapse of its own, which nothing matches again. */
function cameFurther(lapse: Lapse, { after, goneTo }: RematchPiece, position: number): Lapse[] {
  if (goneTo === undefined) return [{ ...lapse, rematchedTo: position }];
  const { rematchedTo: _stood, ...whole } = lapse;
  const stood = after > lapse.fromChange ? [{ ...whole, toChange: after, rematchedTo: after }] : [];
  const gone = { ...whole, fromChange: after, toChange: goneTo };
  const rest = goneTo < (lapse.toChange ?? goneTo) ? [{ ...whole, fromChange: goneTo, rematchedTo: position }] : [];
  return [...stood, gone, ...rest];
}

const goneNote = (from: number, to: number): string =>
  `Retention had removed the changes ${from} to ${to}: they could not be matched again`;
