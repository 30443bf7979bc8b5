import { leftForAttempt, renewalEvery } from './lease.ts';

/** How nodes on one database share its channels. All in milliseconds of real time. */
export interface ClusterPolicy {
  /** How long a node owns its buckets without renewing. */
  readonly lease: number;
  readonly renewEvery: number;
  /** Least that must be left of the lease when an attempt starts. */
  readonly leftForAttempt: number;
  /** Between two looks at what other nodes committed: while there is something, and at most. */
  readonly pollSoonest: number;
  readonly pollLatest: number;
  /** No attempt starts when the last look is older. */
  readonly newsAge: number;
}

/** `lease` and `deadline` (of an attempt) in milliseconds. */
export const clusterPolicy = (lease: number, deadline: number): ClusterPolicy => ({
  lease,
  renewEvery: renewalEvery(lease),
  leftForAttempt: leftForAttempt(deadline),
  pollSoonest: 25,
  pollLatest: 500,
  newsAge: 1000,
});
