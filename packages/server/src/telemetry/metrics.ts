import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { oftenCounted, oftenObserved } from './often.ts';

/** What is counted, by room. Names and labels are listed in docs/operations.md. */
export interface Metrics {
  readonly requests: { observe(labels: { method: string; route: string; status: string }, seconds: number): void };
  readonly commits: { observe(commands: number): void };
  readonly changes: { inc(count: number): void };
  readonly notifications: { inc(count: number): void };
  readonly attempts: { inc(labels: { outcome: string }): void };
  readonly attemptSeconds: { observe(seconds: number): void };
  /** From the commit of a change to the answer that ends the notification of it. */
  readonly deliverySeconds: { observe(seconds: number): void };
  readonly parked: { inc(): void };
  readonly suspensions: { inc(labels: { why: string }): void };
  readonly settleBatch: { observe(settlements: number): void };
  /** Outcomes that were not saved, since another node had taken over. */
  readonly refusedOutcomes: { inc(count: number): void };
  /** Attempts of jobs, which are in `attempts` too. */
  readonly resent: { inc(labels: { kind: string; outcome: string }): void };
  readonly handovers: { inc(labels: { kind: 'gained' | 'released' | 'lost' }, count: number): void };
  /** What happens to channels: `overflowed`, `flowing`, and what their owners are told of. */
  readonly channelEvents: { inc(labels: { event: string }): void };
  readonly notices: { inc(labels: { outcome: string }): void };
  readonly housekeepingRows: { inc(labels: { table: string }, count: number): void };
  readonly housekeepingSeconds: { observe(seconds: number): void };
  readonly databaseSeconds: { observe(seconds: number): void };
  readonly databaseFailures: { inc(labels: { kind: string }): void };
  /** Read when scraped. */
  readonly gauges: {
    register(name: string, help: string, read: () => number | Promise<number>): void;
    /** One for each set of labels. */
    registerEach(name: string, help: string, labels: readonly string[], read: () => readonly Reading[]): void;
  };
  text(): Promise<string>;
  readonly contentType: string;
}

export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Each look wakes a process that would sleep. What the gauges say of the event loop is at least this. */
const EVENT_LOOP_LOOKS_MS = 50;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({
    register: registry,
    prefix: 'watchbell_',
    eventLoopMonitoringPrecision: EVENT_LOOP_LOOKS_MS,
  });
  const requests = new Histogram({
    name: 'watchbell_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  const commits = new Histogram({
    name: 'watchbell_commit_commands',
    help: 'Commands saved by one commit of an organisation',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers,
  });
  const changes = new Counter({ name: 'watchbell_changes_total', help: 'Record changes committed', registers });
  const notifications = new Counter({
    name: 'watchbell_notifications_total',
    help: 'Notifications committed',
    registers,
  });
  const attempts = oftenCounted(
    { name: 'watchbell_attempts_total', help: 'Requests to receivers, by outcome', label: 'outcome' },
    registry,
  );
  const attemptSeconds = oftenObserved(
    {
      name: 'watchbell_attempt_seconds',
      help: 'Duration of requests to receivers',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10],
    },
    registry,
  );
  const deliverySeconds = oftenObserved(
    {
      name: 'watchbell_delivery_seconds',
      help: 'Time from the commit of a change to the delivery of a notification of it',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600, 86_400],
    },
    registry,
  );
  const parked = new Counter({
    name: 'watchbell_parked_total',
    help: 'Notifications given up after their last attempt',
    registers,
  });
  const suspensions = new Counter({
    name: 'watchbell_suspensions_total',
    help: 'Channels suspended because their receivers fail, by reason',
    labelNames: ['why'],
    registers,
  });
  const settleBatch = new Histogram({
    name: 'watchbell_settle_batch',
    help: 'Outcomes written by one transaction',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers,
  });
  const refusedOutcomes = new Counter({
    name: 'watchbell_outcomes_refused_total',
    help: 'Outcomes not saved because another node had taken over the channel; it sends again',
    registers,
  });
  const resent = new Counter({
    name: 'watchbell_job_attempts_total',
    help: 'Requests to receivers that redeliveries and replays made, by kind of job and outcome',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const handovers = new Counter({
    name: 'watchbell_bucket_handovers_total',
    help: 'Buckets that this node took (gained), gave back (released) or had taken from it (lost), by kind',
    labelNames: ['kind'],
    registers,
  });
  const channelEvents = new Counter({
    name: 'watchbell_channel_events_total',
    help: 'What happened to channels, by event; counted by the node that committed it',
    labelNames: ['event'],
    registers,
  });
  const notices = new Counter({
    name: 'watchbell_notices_total',
    help: 'Requests to life-cycle URLs, by outcome; parked: the last one failed, too',
    labelNames: ['outcome'],
    registers,
  });
  const housekeepingRows = new Counter({
    name: 'watchbell_housekeeping_rows_total',
    help: 'Rows that housekeeping removed, by table; ended: channels, cancelled: notifications, which stay for now',
    labelNames: ['table'],
    registers,
  });
  const housekeepingSeconds = new Histogram({
    name: 'watchbell_housekeeping_seconds',
    help: 'Duration of a turn of housekeeping',
    buckets: [0.01, 0.1, 1, 10, 60, 600, 3600],
    registers,
  });
  const databaseSeconds = new Histogram({
    name: 'watchbell_database_round_trip_seconds',
    help: 'Time from sending statements to PostgreSQL to their answer',
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    registers,
  });
  const databaseFailures = new Counter({
    name: 'watchbell_database_failures_total',
    help: 'Statements and connections to PostgreSQL that failed, by kind',
    labelNames: ['kind'],
    registers,
  });
  return {
    requests: { observe: (labels, seconds) => requests.observe(labels, seconds) },
    commits,
    changes,
    notifications,
    attempts,
    attemptSeconds,
    deliverySeconds,
    parked,
    suspensions,
    settleBatch,
    refusedOutcomes,
    resent,
    handovers,
    channelEvents,
    notices,
    housekeepingRows,
    housekeepingSeconds,
    databaseSeconds,
    databaseFailures,
    gauges: {
      register(name, help, read) {
        new Gauge({
          name,
          help,
          registers,
          async collect() {
            this.set(await read());
          },
        });
      },
      registerEach(name, help, labelNames, read) {
        new Gauge({
          name,
          help,
          labelNames,
          registers,
          collect() {
            for (const { labels, value } of read()) this.set(labels, value);
          },
        });
      },
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
