import { BUCKETS } from '../domain/bucket.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Cluster } from './cluster.ts';
import type { DeliveryCounts } from './delivery.ts';

/** What a gauge says of what never was. */
const MANY_SECONDS = 1e9;

export interface Watched {
  readonly circuits: () => number;
  readonly lanes: () => number;
  readonly inFlight: () => number;
  readonly counts: () => DeliveryCounts;
  readonly buckets: () => number;
  /** That this node works on. */
  readonly jobs: () => number;
  /** Undefined: this process has the store for itself. */
  readonly times: () => ReturnType<Cluster['times']> | undefined;
}

/** What a scrape says of delivery, in the words of docs/operations.md. */
export function registerGauges({ register }: Metrics['gauges'], watched: Watched): void {
  const { counts, times } = watched;
  const seconds = (ms = 0): number => Math.min(Math.max(0, ms / 1000), MANY_SECONDS);
  register('watchbell_circuits_open', 'Receivers that are only probed', watched.circuits);
  register('watchbell_lanes', 'Channels that owe something', watched.lanes);
  register('watchbell_lanes_stalled', 'Lanes that owe too much to look further', () => counts().stalled);
  register('watchbell_attempts_in_flight', 'Requests to receivers in the air', watched.inFlight);
  register('watchbell_outcomes_unsettled', 'Outcomes not saved yet', () => counts().unsettled);
  register('watchbell_retries_waiting', 'Notifications waiting for a retry', () => counts().waiting);
  register('watchbell_jobs_running', 'Redeliveries, replays and re-matches that this node works on', watched.jobs);
  register('watchbell_buckets_owned', 'Parts of all channels, 64 in all, that this node sends for', () =>
    times() ? watched.buckets() : BUCKETS,
  );
  register('watchbell_lease_seconds', 'What is left of the lease of this node', () => seconds(times()?.leaseLeft));
  register('watchbell_news_age_seconds', 'Since this node looked at what others committed', () =>
    seconds(times()?.newsAge),
  );
}
