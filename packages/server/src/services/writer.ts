import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { NotificationId, OrgId } from '../domain/ids.ts';
import { requireOpen } from '../domain/org.ts';
import { DEFAULT_MAX_BACKLOG } from '../domain/overflow.ts';
import { endOverflows, expireDue } from '../domain/working-channels.ts';
import { emptyWrites, type Needs, type WorkingSet, type WriteSet } from '../domain/working-set.ts';
import type { Loaded, OrgTransactions } from '../storage/store.ts';

/** One step of an organisation's history. */
export interface Command<Answer> {
  readonly needs: Needs;
  /** Roughly how many rows it writes, to bound a batch. */
  readonly weight: number;
  /** An act of the operator, which a suspended organisation takes too. */
  readonly isAdministration?: true;
  /** Pure. Throws `AppError` before its first write into the set, or answers. */
  decide(set: WorkingSet): Answer;
}

export interface Writer {
  /**
   * Queues a command; resolves once it is committed and durable, rejects with what it threw or why it was not saved. After
   * `SERVICE_UNAVAILABLE` it may have been saved all the same: the answer was lost, and it is not tried again.
   */
  submit<Answer>(org: OrgId, command: Command<Answer>): Promise<Answer>;
  /** Takes no more; resolves when all that was queued is answered. */
  drain(): Promise<void>;
}

export interface WriterOptions {
  readonly store: OrgTransactions;
  readonly clock: Clock;
  readonly randomId: () => NotificationId;
  /** Told of each commit and how many commands it held, in commit order for each organisation. Must not throw. */
  readonly onCommitted: (org: OrgId, writes: WriteSet, commands: number) => void;
  /** Most commands that may wait in one organisation before new ones are answered 503. */
  readonly maxQueued: number;
  /** Most row weight of one batch, notifications included; a single command may exceed it. */
  readonly maxBatchWeight: number;
  /** Most notifications that a channel may owe before it overflows; 1,000,000 unless given. */
  readonly maxBacklog?: number;
}

interface Queued {
  readonly command: Command<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Verdict =
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly error: AppError };

/** Gives each organisation one writer: what waits is decided together and committed in one transaction (DESIGN §3). */
export function createWriter(options: WriterOptions): Writer {
  const queues = new Map<OrgId, Queued[]>();
  const running = new Set<Promise<void>>();
  let draining = false;

  async function run(org: OrgId, queue: Queued[]): Promise<void> {
    let most = Infinity;
    while (queue.length > 0) {
      const batch = takeBatch(queue, options.maxBatchWeight, most);
      try {
        const decided = await commit(org, batch);
        // Those behind are owed to as many, most likely: they need not be loaded in vain.
        most = decided < batch.length ? decided : most * 2;
        queue.unshift(...batch.slice(decided));
      } catch (error) {
        // A store that was lost on the way may have saved it all: another try could do it twice, so none is made.
        if (batch.length === 1 || error instanceof AppError) for (const queued of batch) queued.reject(error);
        // One of them cannot be saved: let it fail alone.
        else for (const queued of batch) await commit(org, [queued]).catch((cause) => queued.reject(cause));
      }
    }
    queues.delete(org);
  }

  /** Answers how many of the batch it committed, in their order: at least the first. */
  async function commit(org: OrgId, batch: readonly Queued[]): Promise<number> {
    const { verdicts, writes } = await options.store.inOrg(
      org,
      mergeNeeds(batch.map(({ command }) => command.needs)),
      (loaded) => {
        const set = openSet(loaded, options);
        // Of an organisation that is being erased nothing more is written, so that nothing is left of it.
        if (set.org.erasingAt === undefined) {
          expireDue(set);
          endOverflows(set);
        }
        return { writes: set.writes, result: { verdicts: decideMany(batch, set), writes: set.writes } };
      },
    );
    options.onCommitted(org, writes, verdicts.length);
    verdicts.forEach((verdict, i) => {
      if (verdict.kind === 'answer') batch[i]?.resolve(verdict.answer);
      else batch[i]?.reject(verdict.error);
    });
    return verdicts.length;
  }

  /** Stops where the batch has grown too large: how many are owed to is known only by deciding. */
  function decideMany(batch: readonly Queued[], set: WorkingSet): Verdict[] {
    const verdicts: Verdict[] = [];
    let weight = 0;
    for (const { command } of batch) {
      weight += command.weight;
      if (verdicts.length > 0 && weight + set.writes.notifications.length > options.maxBatchWeight) break;
      verdicts.push(decideOne(command, set));
    }
    return verdicts;
  }

  return {
    submit<Answer>(org: OrgId, command: Command<Answer>): Promise<Answer> {
      return new Promise<Answer>((resolve, reject) => {
        const queue = queues.get(org);
        if (draining || (queue && queue.length >= options.maxQueued)) {
          reject(
            new AppError('SERVICE_UNAVAILABLE', draining ? 'The server is stopping' : 'Too many writes are waiting'),
          );
          return;
        }
        const queued: Queued = { command, resolve: resolve as (answer: unknown) => void, reject };
        if (queue) {
          queue.push(queued);
          return;
        }
        const started = [queued];
        queues.set(org, started);
        // A turn later, so that what arrives together is committed together.
        const done = Promise.resolve().then(() => run(org, started));
        running.add(done);
        done.finally(() => running.delete(done));
      });
    },
    async drain() {
      draining = true;
      while (running.size > 0) await Promise.all(running);
    },
  };
}

function decideOne(command: Command<unknown>, set: WorkingSet): Verdict {
  try {
    if (!command.isAdministration) requireOpen(set.org);
    return { kind: 'answer', answer: command.decide(set) };
  } catch (error) {
    // Anything else is a bug, which may have left half of its writes in the set: the batch is given up.
    if (!(error instanceof AppError)) throw error;
    return { kind: 'refused', error };
  }
}

function openSet(loaded: Loaded, { clock, randomId, maxBacklog = DEFAULT_MAX_BACKLOG }: WriterOptions): WorkingSet {
  const now = Math.max(loaded.now ?? clock.now(), loaded.counters.lastTime);
  return {
    org: loaded.org,
    catalog: loaded.catalog,
    epoch: loaded.epoch,
    now,
    maxBacklog,
    records: new Map(loaded.records),
    keys: new Map([...loaded.keys].map(([key, ids]) => [key, new Set(ids)])),
    present: loaded.present,
    deleted: new Map(loaded.deleted),
    users: new Map(loaded.users),
    modulesInUse: loaded.modulesInUse,
    channels: new Map(loaded.channels),
    orgSigning: loaded.orgSigning,
    answers: new Map(loaded.answers),
    lapses: loaded.lapses,
    index: loaded.index,
    writes: emptyWrites({ ...loaded.counters, lastTime: now }),
    randomId,
  };
}

function takeBatch(queue: Queued[], maxWeight: number, most: number): Queued[] {
  let weight = 0;
  let count = 0;
  for (const { command } of queue) {
    weight += command.weight;
    if (count > 0 && (weight > maxWeight || count >= most)) break;
    count += 1;
  }
  return queue.splice(0, count);
}

function mergeNeeds(all: readonly Needs[]): Needs {
  const [only] = all;
  if (only && all.length === 1) return only;
  return {
    records: all.flatMap((needs) => needs.records ?? []),
    keys: all.flatMap((needs) => needs.keys ?? []),
    users: all.flatMap((needs) => needs.users ?? []),
    present: all.flatMap((needs) => needs.present ?? []),
    modulesInUse: all.flatMap((needs) => needs.modulesInUse ?? []),
    deleted: all.flatMap((needs) => needs.deleted ?? []),
    channels: all.flatMap((needs) => needs.channels ?? []),
    orgSigning: all.some((needs) => needs.orgSigning),
    answers: all.flatMap((needs) => needs.answers ?? []),
    lapses: all.flatMap((needs) => needs.lapses ?? []),
  };
}
