import { randomUUID } from 'node:crypto';
import type { Delivery, DeliveryOptions } from './delivery/delivery.ts';
import type { Clock } from './domain/clock.ts';
import type { JobId } from './domain/ids.ts';
import { createJobs, type Jobs } from './services/jobs.ts';
import type { Writer } from './services/writer.ts';
import type { Store } from './storage/store.ts';

export interface RecoveryOptions {
  readonly store: Store;
  readonly writer: Writer;
  readonly delivery: Pick<Delivery, 'lookAtJobs'>;
  readonly clock: Clock;
  readonly realNow: () => number;
}

export interface Recovery {
  /** What routes are made of. */
  readonly parts: { readonly jobs: Jobs };
  /** What delivery does of jobs that send nothing. */
  readonly steps: DeliveryOptions['jobs']['steps'];
}

/** What sends again, and makes notifications of what a channel did not see. */
export function createRecovery({ store, writer, delivery, clock, realNow }: RecoveryOptions): Recovery {
  const jobs = createJobs({
    writer,
    store: store.jobs,
    channels: store.administration,
    clock,
    randomId: () => newJobId(realNow()),
    onChanged: delivery.lookAtJobs,
  });
  return { parts: { jobs }, steps: { rematch: async () => 'rests' } };
}

/** In the order in which they were made; the rest is random. */
const newJobId = (now: number): JobId =>
  `job_${now.toString(16).padStart(12, '0')}${randomUUID().replaceAll('-', '').slice(12)}` as JobId;
