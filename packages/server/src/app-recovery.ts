import { randomUUID } from 'node:crypto';
import type { Delivery, DeliveryOptions } from './delivery/delivery.ts';
import type { Clock } from './domain/clock.ts';
import type { JobId } from './domain/ids.ts';
import type { Compat } from './domain/wire/compat.ts';
import { type AttemptList, createAttemptList } from './services/attempts.ts';
import { createFeed, type Feed } from './services/feed.ts';
import { createGaps, type ReadGaps } from './services/gaps.ts';
import { createJobs, type Jobs } from './services/jobs.ts';
import { createNotifications, type Notifications } from './services/notifications.ts';
import { createRematches, type Rematches } from './services/rematch.ts';
import type { Writer } from './services/writer.ts';
import type { Store } from './storage/store.ts';
import { VERSION } from './version.ts';

export interface RecoveryOptions {
  readonly store: Store;
  readonly writer: Writer;
  readonly delivery: Pick<Delivery, 'lookAtJobs'>;
  readonly clock: Clock;
  readonly realNow: () => number;
  /** Origin that resource URIs in notifications start with. */
  readonly base: () => string;
  readonly compat: Compat;
}

export interface Recovery {
  /** What routes are made of. */
  readonly parts: {
    readonly jobs: Jobs;
    readonly feed: Feed;
    readonly gaps: ReadGaps;
    readonly rematches: Rematches;
    readonly notifications: Notifications;
    readonly attempts: AttemptList;
  };
  /** What delivery does of jobs that send nothing. */
  readonly steps: DeliveryOptions['jobs']['steps'];
}

/** What receivers fetch by themselves, sends again, and makes notifications of what a channel did not see. */
export function createRecovery(options: RecoveryOptions): Recovery {
  const { store, writer, delivery, clock, realNow, base, compat } = options;
  const jobs = createJobs({
    writer,
    store: store.jobs,
    channels: store.administration,
    clock,
    randomId: () => newJobId(realNow()),
    onChanged: delivery.lookAtJobs,
  });
  const feed = createFeed({ store: store.feed, isShared: store.cluster !== undefined, clock, base, compat });
  const rematches = createRematches({
    writer,
    reads: store.lapses,
    channels: store.administration,
    jobs,
    jobStore: store.jobs,
    clock,
  });
  const gaps = createGaps({ store: store.feed, feed, rematches, clock });
  const notifications = createNotifications({
    store: store.look,
    channels: store.administration,
    clock,
    base,
    compat,
    userAgent: `Watchbell/${VERSION}`,
  });
  const attempts = createAttemptList({ store: store.look });
  return {
    parts: { jobs, feed, gaps, rematches, notifications, attempts },
    steps: { rematch: rematches.step },
  };
}

/** In the order in which they were made; the rest is random. */
const newJobId = (now: number): JobId =>
  `job_${now.toString(16).padStart(12, '0')}${randomUUID().replaceAll('-', '').slice(12)}` as JobId;
