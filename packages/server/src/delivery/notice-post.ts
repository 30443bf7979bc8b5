import type { Outcome } from '../domain/attempt.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OrgId } from '../domain/ids.ts';
import { nextStep } from '../domain/next-step.ts';
import type { Notice } from '../domain/notice.ts';
import type { DueNotice } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attempt, type Post } from './attempt.ts';
import type { Connections } from './connections.ts';
import { signatureOf } from './signatures.ts';

export interface Sender {
  readonly connections: Connections;
  readonly policy: DeliveryPolicy;
  /** Of this software. */
  readonly version: string;
  /** Ends the exchange early. */
  readonly stop: AbortSignal;
}

/** Makes one attempt and answers what it came to; never throws. */
export async function postNotice(due: DueNotice, by: Sender): Promise<Outcome> {
  try {
    return (await attempt(postOf(due, by.version), by.connections, by.policy, by.stop)).outcome;
  } catch (error) {
    return {
      kind: 'unreachable',
      reason: 'protocol',
      message: error instanceof Error ? error.message : 'Not sendable',
    };
  }
}

function postOf({ notice, url = '', signing }: DueNotice, version: string): Post {
  const { id, body } = notice;
  // Real time, as receivers judge its age by their own clocks (P12).
  const realNow = Date.now();
  const timestamp = Math.floor(realNow / 1000);
  const signature = signatureOf(signing, { id, timestamp, body }, realNow);
  return {
    url: new URL(url),
    body,
    headers: {
      'content-type': 'application/json;charset=utf-8',
      'user-agent': `Watchbell/${version}`,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      ...(signature !== undefined && { 'webhook-signature': signature }),
      'watchbell-attempt': String(notice.attemptsMade + 1),
    },
  };
}

export interface Reporting {
  readonly policy: DeliveryPolicy;
  readonly clock: Clock;
  /** For jitter: [0, 1). */
  readonly random: () => number;
  readonly metrics: Pick<Metrics, 'notices'>;
  readonly logger: Logger;
}

/** As it is after an attempt, which is counted and told of. One whose receiver says that it is gone is given up. */
export function noticeAfter(org: OrgId, notice: Notice, outcome: Outcome, options: Reporting): Notice {
  const { policy, clock, random, metrics, logger } = options;
  const attemptsMade = notice.attemptsMade + 1;
  const step = nextStep(outcome, attemptsMade, policy, clock.now(), random);
  const state = step.kind === 'done' ? 'delivered' : step.kind === 'retry' ? 'pending' : 'parked';
  metrics.notices.inc({ outcome: state === 'parked' ? 'parked' : outcome.kind });
  const { id, generation } = notice;
  const fields = { org, generation, notice: id, attempt: attemptsMade, outcome: outcome.kind };
  if (state === 'delivered') logger.debug(fields, 'notice delivered');
  else logger.warn(fields, state === 'parked' ? 'notice given up' : 'notice not delivered');
  return { ...notice, state, attemptsMade, dueAt: step.kind === 'retry' ? step.at : notice.dueAt };
}
