import type { SuspensionPolicy } from './channel-health.ts';
import type { CircuitPolicy } from './circuit.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const KIB = 1024;
const MIB = 1024 * KIB;

/** How notifications are sent. Times in milliseconds, sizes in bytes. */
export interface DeliveryPolicy {
  /** Wait before each attempt; its length is the number of attempts after which a notification is parked. */
  readonly retrySchedule: readonly number[];
  /** A retry comes later than scheduled by at most this part of its wait, and never earlier. */
  readonly jitter: number;
  /** Longest `Retry-After` that is honoured. */
  readonly maxRetryAfter: number;
  /** For a whole exchange, answer included; real time. */
  readonly deadline: number;
  /** For finding the address and connecting to it; real time. */
  readonly connectTimeout: number;
  /** Most that is read of an answer's body; one that is longer only costs its connection. */
  readonly maxAnswer: number;
  /** Most that is kept of the body of a failure. */
  readonly maxExcerpt: number;

  /** Undefined: attempts start however many connections failed. */
  readonly circuit: CircuitPolicy | undefined;
  /** Circuits kept of one organisation, and of all together. */
  readonly orgCircuits: number;
  readonly nodeCircuits: number;
  /** Undefined: no channel is suspended for what its receiver does. */
  readonly suspension: SuspensionPolicy | undefined;

  /** Most requests at once to the channel's receiver, and with how many it starts. */
  readonly channelFlights: number;
  readonly firstFlights: number;
  /** Most requests at once of one organisation to one origin. */
  readonly originFlights: number;
  readonly nodeFlights: number;
  /** Part of the node that failing lanes hold together; lanes that never succeeded have another such part. */
  readonly unprovenShare: number;
  /** Most of the node, of each such part, of `nodeBytes` and of `airBytes`, that one organisation holds. */
  readonly orgShare: number;
  /** Origins whose connections are kept. */
  readonly maxOrigins: number;

  /** Most notifications of a lane in flight, waiting for their retry or being saved. */
  readonly maxUnfinished: number;
  /** Most records of a lane that something unfinished is about or for which something was skipped. */
  readonly maxRecords: number;
  /** Most that all lanes together keep in memory of what waits; the rest is read when its turn comes. */
  readonly nodeBytes: number;
  /** What of it each lane may keep for itself, */
  readonly laneNotifications: number;
  readonly laneBytes: number;
  /**
   * and this many times what others leave free of the half that is not kept for such parts, if its receiver does well: so
   * those that are behind share alike.
   */
  readonly laneShare: number;
  /** Most of what is being sent at once, by its size in memory. */
  readonly airBytes: number;
  /** Most notifications of one read. */
  readonly windowRows: number;
  readonly windowBytes: number;
  /** Most reads at once that start a lane. */
  readonly startReads: number;
  /** Most searches at once for what waits behind something that ended. */
  readonly searchReads: number;
  /** Channels remembered while they owe nothing, so that their next lane starts without a read. */
  readonly maxReceivers: number;

  /** Most outcomes saved together. */
  readonly settleBatch: number;
  /** Real time that an outcome may wait for others before it is saved. */
  readonly settleWithin: number;
  /** So many do not wait. */
  readonly settleAtOnce: number;
  /** With so many outcomes unsaved, no attempt starts. */
  readonly maxUnsettled: number;

  readonly jobs: JobPolicy;
}

/** How a node redelivers, replays and matches again, beside what is owed. */
export interface JobPolicy {
  /** Wait before each attempt of a replay at one notification. */
  readonly waits: readonly number[];
  /** Notifications in a row that the receiver did not take after which a replay fails. */
  readonly failuresInRow: number;
  /** Most requests at once of one job. */
  readonly flights: number;
  /** Most jobs at once of a node, redeliveries apart, and most redeliveries. */
  readonly running: number;
  readonly redelivering: number;
  /** Most notifications of a job under way, and their bytes of values in memory. */
  readonly underWay: number;
  readonly bytes: number;
  /** Outcomes are saved together that come within this time; real time. */
  readonly saveEvery: number;
  /** Real time after which a channel is read again before the next attempt. */
  readonly channelAge: number;
  /** Real time for which a job has its place while others wait for one. */
  readonly turn: number;
}

export const DEFAULT_POLICY: DeliveryPolicy = {
  retrySchedule: [
    0,
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    8 * HOUR,
    8 * HOUR,
  ],
  jitter: 0.2,
  maxRetryAfter: HOUR,
  deadline: 10 * SECOND,
  connectTimeout: 3 * SECOND,
  maxAnswer: 64 * KIB,
  maxExcerpt: KIB,
  circuit: { window: 5 * MINUTE, share: 0.7, minimum: 10, probeEvery: 30 * SECOND, successes: 5 },
  orgCircuits: 4096,
  nodeCircuits: 16_384,
  suspension: { after: 24 * HOUR, minAttempts: 50, minNotifications: 3, onGone: true },
  channelFlights: 16,
  firstFlights: 2,
  originFlights: 32,
  nodeFlights: 512,
  unprovenShare: 0.25,
  orgShare: 0.5,
  maxOrigins: 256,
  maxUnfinished: 256,
  maxRecords: 4096,
  nodeBytes: 128 * MIB,
  laneNotifications: 1024,
  laneBytes: 2 * MIB,
  laneShare: 1,
  airBytes: 64 * MIB,
  windowRows: 128,
  windowBytes: 512 * KIB,
  startReads: 32,
  searchReads: 2,
  maxReceivers: 4096,
  settleBatch: 1000,
  settleWithin: 20,
  settleAtOnce: 64,
  maxUnsettled: 5000,
  jobs: {
    waits: [0, 5 * SECOND, 30 * SECOND],
    failuresInRow: 20,
    flights: 4,
    running: 6,
    redelivering: 8,
    underWay: 256,
    bytes: MIB,
    saveEvery: 50,
    channelAge: 500,
    turn: 10 * SECOND,
  },
};

/** What an operator chooses of it. */
export interface DeliveryChoices
  extends Pick<
    DeliveryPolicy,
    'retrySchedule' | 'maxRetryAfter' | 'deadline' | 'channelFlights' | 'originFlights' | 'nodeFlights'
  > {
  readonly circuits: boolean;
  /** How long a receiver fails before its channel is suspended; 0: nothing is, for a 410 neither. */
  readonly suspendAfter: number;
}

export function choosePolicy({ circuits, suspendAfter, ...choices }: DeliveryChoices): DeliveryPolicy {
  const { circuit, suspension, connectTimeout, firstFlights } = DEFAULT_POLICY;
  return {
    ...DEFAULT_POLICY,
    ...choices,
    connectTimeout: Math.min(connectTimeout, choices.deadline),
    firstFlights: Math.min(firstFlights, choices.channelFlights),
    circuit: circuits ? circuit : undefined,
    suspension: suspendAfter > 0 && suspension ? { ...suspension, after: suspendAfter } : undefined,
  };
}
