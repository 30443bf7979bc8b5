import { type Verdict, verify } from '../crash/verify.ts';
import type { Churn } from './churn.ts';
import { clusterFacts } from './facts.ts';
import { checkMatching, type Matching } from './matching.ts';
import { type AtOnce, checkSenders, checkSilence, type Silence } from './senders.ts';
import { copyTables } from './tables.ts';
import { type ClusterWorld, MAX_ATTEMPTS } from './world.ts';

export interface Results extends Verdict {
  readonly matching: Matching;
  readonly atOnce: AtOnce;
  readonly silence: Silence;
  readonly acknowledged: number;
  readonly unknown: number;
  /** Answers to writers by status; 0: none came. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Calls that changed channels which came and went. */
  readonly churned: Readonly<Record<string, number>>;
}

/** Holds what came against the change log and the revisions of channels, when all that could be sent has been. */
export async function resultsOf(world: ClusterWorld, churn: Churn): Promise<Results> {
  const { client, journal, line, postgres, opened } = world;
  const copy = await copyTables(postgres.url);
  try {
    const facts = clusterFacts(copy.query, opened, Date.now());
    return {
      ...verify(facts, { ...journal, acknowledged: client.acknowledged, maxAttempts: MAX_ATTEMPTS }),
      matching: checkMatching(copy.query),
      atOnce: checkSenders(world, copy.query),
      silence: checkSilence(copy.query, journal.arrivals, churn.deletions),
      acknowledged: client.acknowledged.length,
      unknown: client.unknown.length,
      statuses: Object.fromEntries(line.statuses),
      churned: Object.fromEntries(churn.done),
    };
  } finally {
    copy.close();
  }
}
