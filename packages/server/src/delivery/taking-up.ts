import type { OrgId } from '../domain/ids.ts';
import type { DeliveryStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Lanes } from './lanes.ts';
import type { Hold, Ownership } from './ownership.ts';
import { readPatiently } from './patient-read.ts';

/** Reads what is owed and starts lanes for it; each read is repeated until the store answers. */
export interface TakingUp {
  /** Of an organisation: because it was suspended, and is not any more. */
  org(org: OrgId): Promise<void>;
  /** Of buckets that came to this node. */
  holds(holds: readonly Hold[]): Promise<void>;
  /** As `all`, once: rejects when the store cannot be read. */
  first(): Promise<void>;
  /** Of all that is this node's. Of a process that has the store for itself, also which organisations are suspended. */
  all(): Promise<void>;
  /** An organisation was suspended or resumed: what is being read may be older. */
  orgSaved(): void;
  isUnderWay(): boolean;
}

export interface TakingUpOptions {
  readonly store: Pick<DeliveryStore, 'lanes' | 'suspended'>;
  readonly lanes: Lanes;
  readonly ownership: Ownership;
  /** Other nodes are there: what is suspended is known from them. */
  readonly isShared: boolean;
  readonly stop: AbortSignal;
  readonly logger: Logger;
  readonly onDone: () => void;
}

export function createTakingUp(options: TakingUpOptions): TakingUp {
  const { store, lanes, ownership, isShared, stop, logger, onDone } = options;
  let underWay = 0;
  /** Counts what began to read all that is owed; only the last one is used. */
  let recoveries = 0;
  let isRecovering = false;
  /** Buckets that came since the read that is under way began: they may come one by one, and one more read serves all. */
  let toRead: Hold[] = [];
  let isReading = false;

  async function read<Rows>(
    load: () => Promise<Rows>,
    isGivenUp: () => boolean,
    fields: object,
    use: (rows: Rows) => void,
  ): Promise<void> {
    underWay += 1;
    const answered = await readPatiently(
      load,
      () => stop.aborted || isGivenUp(),
      stop,
      (error) => logger.error({ err: error, ...fields }, 'what is owed cannot be read, trying again'),
    );
    underWay -= 1;
    if (answered) use(answered.rows);
    onDone();
  }

  function begin(owing: Awaited<ReturnType<DeliveryStore['lanes']>>, holds: readonly Hold[]): void {
    const taken = new Set(holds);
    for (const { org, generation } of owing) {
      const hold = ownership.holdOf(generation);
      if (hold && taken.has(hold) && !lanes.isSuspended(org)) lanes.begin(org, generation);
    }
    lanes.known(holds.filter((hold) => !toRead.includes(hold)));
  }

  async function holds(gained: readonly Hold[]): Promise<void> {
    lanes.unknown(gained);
    toRead.push(...gained);
    if (isReading) return;
    isReading = true;
    while (toRead.length > 0 && !stop.aborted) {
      const mine = toRead;
      toRead = [];
      await read(
        () => store.lanes(),
        () => false,
        {},
        (owing) => begin(owing, mine),
      );
    }
    isReading = false;
  }

  async function all(): Promise<void> {
    if (isShared) return holds(ownership.holds());
    const mine = ownership.holds();
    lanes.unknown(mine);
    recoveries += 1;
    const recovery = recoveries;
    isRecovering = true;
    // What changes while it is read is read once more.
    await read(
      () => Promise.all([store.lanes(), store.suspended()]),
      () => recovery !== recoveries,
      {},
      ([owing, suspended]) => {
        isRecovering = false;
        lanes.suspendOnly(suspended);
        begin(owing, mine);
      },
    );
  }

  return {
    org: (org) =>
      read(
        () => store.lanes(org),
        () => lanes.isSuspended(org),
        { org },
        (owing) => {
          lanes.knownOf(org);
          for (const { generation } of owing) lanes.begin(org, generation);
        },
      ),
    holds,
    async first() {
      const mine = ownership.holds();
      recoveries += 1;
      const recovery = recoveries;
      isRecovering = true;
      const [owing, suspended] = await Promise.all([store.lanes(), store.suspended()]);
      if (recovery !== recoveries) return;
      isRecovering = false;
      lanes.suspendOnly(suspended);
      begin(owing, mine);
    },
    all,
    orgSaved() {
      if (isRecovering) void all();
    },
    isUnderWay: () => underWay > 0 || (toRead.length > 0 && !stop.aborted),
  };
}
