import { performance } from 'node:perf_hooks';
import type { Attempt, NextStep, Outcome } from '../domain/attempt.ts';
import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { JobId } from '../domain/ids.ts';
import { nextStep } from '../domain/next-step.ts';
import { identityOf } from '../domain/restart.ts';
import type { Compat } from '../domain/wire/compat.ts';
import { notificationBody } from '../domain/wire/notification-body.ts';
import { identityHeaders } from '../domain/wire/notification-headers.ts';
import type { OwedNotification } from '../storage/store.ts';
import type { Logger, WrittenLines } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attempt, type Exchange, type Post } from './attempt.ts';
import type { Connections } from './connections.ts';
import { type OrgSignings, signatureOf } from './signatures.ts';
import { targetOf } from './target.ts';

export interface FlightContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly policy: DeliveryPolicy;
  readonly connections: Connections;
  /** Origin that resource URIs start with. */
  readonly base: () => string;
  readonly compat: Compat;
  readonly userAgent: string;
  readonly orgSignings: OrgSignings;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Takes the line of each attempt that succeeds. */
  readonly tellDelivered: WrittenLines;
  /** Ends every exchange early. */
  readonly stop: AbortSignal;
}

/** Told of an attempt and of what follows. */
type Landed<Result> = (made: Attempt, next: NextStep) => Result;

/** Sends one notification to its channel as the channel is now, and decides what follows. Rejects only by `landed`. */
export function fly<Result>(
  owed: OwedNotification,
  attemptsMade: number,
  channel: Channel,
  context: FlightContext,
  landed: Landed<Result>,
): Promise<Result> {
  const { clock, policy, random, metrics } = context;
  return make(owed, attemptsMade + 1, channel, context, undefined, (made) => {
    const now = clock.now();
    const next = nextStep(made.outcome, made.attempt, policy, now, random);
    // One that was re-matched is as old as its lapse, whoever delivers it.
    if (next.kind === 'done' && owed.job === undefined)
      metrics.deliverySeconds.observe(Math.max(0, now - owed.change.at) / 1000);
    if (next.kind === 'park') metrics.parked.inc();
    report(owed, channel, made, context);
    return landed(made, next);
  });
}

/** Sends one again for a job, marked as such; what is owed is not concerned. Never throws. */
export function flyAgain(
  owed: OwedNotification,
  channel: Channel,
  job: JobId,
  context: FlightContext,
): Promise<Attempt> {
  return make(owed, owed.attemptsMade + 1, channel, context, job, (attempted) => {
    const made = { ...attempted, job };
    report(owed, channel, made, context);
    return made;
  });
}

/** `landed` makes the answer: what is sent waits for nothing else. */
function make<Result>(
  owed: OwedNotification,
  number: number,
  channel: Channel,
  context: FlightContext,
  job: JobId | undefined,
  landed: (made: Attempt) => Result,
): Promise<Result> {
  const at = context.clock.now();
  const started = performance.now();
  return exchange(owed, channel, number, context, job).then(({ outcome, address, sentMs, answeredMs }) => {
    const durationMs = Math.round(performance.now() - started);
    return landed({ attempt: number, at, durationMs, outcome, address, sentMs, answeredMs });
  });
}

function exchange(
  owed: OwedNotification,
  channel: Channel,
  number: number,
  context: FlightContext,
  job: JobId | undefined,
): Promise<Exchange> {
  try {
    return attempt(postOf(owed, channel, number, context, job), context.connections, context.policy, context.stop);
  } catch (error) {
    // A URL or values that cannot be written: the edge refuses them, so an older version must have stored them.
    const message = error instanceof Error ? error.message : 'Not sendable';
    return Promise.resolve({ outcome: { kind: 'unreachable', reason: 'protocol', message } });
  }
}

function postOf(
  owed: OwedNotification,
  channel: Channel,
  number: number,
  { base, compat, userAgent, orgSignings }: FlightContext,
  job: JobId | undefined,
): Post {
  const { url } = targetOf(channel);
  if (!url) throw new TypeError('Invalid URL');
  const body = notificationBody(owed, channel, { base: base(), compat });
  // Real time, as receivers judge its age by their own clocks (P12).
  const realNow = Date.now();
  const timestamp = Math.floor(realNow / 1000);
  const headers = identityHeaders(owed, identityOf(channel, owed.number), userAgent);
  headers['webhook-timestamp'] = String(timestamp);
  const signature = signatureOf(orgSignings.of(owed.org, channel), { id: owed.id, timestamp, body }, realNow);
  if (signature !== undefined) headers['webhook-signature'] = signature;
  headers['watchbell-attempt'] = String(number);
  if (job !== undefined) headers['watchbell-replay'] = job;
  return { url, body, headers };
}

/** One line for each attempt, and what is counted of it. */
function report(
  owed: OwedNotification,
  channel: Channel,
  made: Attempt,
  { metrics, logger, tellDelivered }: FlightContext,
): void {
  const { outcome, durationMs, attempt: tries, job } = made;
  metrics.attempts.inc({ outcome: outcome.kind });
  metrics.attemptSeconds.observe(durationMs / 1000);
  const { said, shown } = targetOf(channel);
  if (outcome.kind === 'delivered') {
    const result = `"attempt":${tries},"outcome":"delivered","status":${outcome.status},"ms":${durationMs}`;
    const byJob = job === undefined ? '' : `,"job":${JSON.stringify(job)}`;
    tellDelivered(`"org":"${owed.org}",${said},"number":${owed.number},${result}${byJob}`);
    return;
  }
  const fields = {
    org: owed.org,
    channel: channel.channelId,
    generation: owed.generation,
    number: owed.number,
    attempt: tries,
    outcome: outcome.kind,
    status: 'status' in outcome ? outcome.status : undefined,
    ms: durationMs,
    receiver: shown,
    job,
  };
  logger.warn({ ...fields, ...reasonOf(outcome) }, 'notification not delivered');
}

/** Of a failure, what else may be logged: nothing that a receiver sent. */
function reasonOf(outcome: Outcome): object {
  switch (outcome.kind) {
    case 'delivered':
    case 'rejected':
      return {};
    case 'unreachable':
      return { reason: outcome.reason, detail: outcome.message };
    case 'forbidden':
      return { address: outcome.address, reason: outcome.reason };
  }
}
