import { isOwed, PLAN, type Planned } from './channel-plan.ts';
import type { Query } from './store-copy.ts';

/** One record of a change in the store's change log. */
export interface LoggedRecord {
  readonly id: string;
  readonly fields: readonly string[];
  readonly description?: string;
}

export interface LoggedChange {
  readonly number: number;
  readonly module: string;
  readonly operation: string;
  readonly records: readonly LoggedRecord[];
}

export interface StoredNotification {
  readonly number: number;
  readonly id: string;
  readonly change: number;
  readonly module: string;
  readonly operation: string;
  readonly ids: readonly string[];
  /** Whether it says Description. */
  readonly withValues: boolean;
  readonly state: string;
  readonly attemptsMade: number;
}

export interface StoredChannel {
  readonly name: string;
  readonly generation: string;
  readonly lastNumber: number;
  /** By the change log, in order; undefined: it is not held against it here. */
  readonly owed?: readonly Owed[];
  /** As what its notifications may end, beside delivered and parked: it ended, or expired. */
  readonly end?: 'cancelled' | 'held';
  /** In order of their numbers. */
  readonly notifications: readonly StoredNotification[];
  /** What each attempt came to, by number and attempt. */
  readonly outcomes: ReadonlyMap<string, string>;
}

/** What a change owes a channel. */
export interface Owed {
  readonly change: LoggedChange;
  readonly ids: readonly string[];
}

/** What the store says at the end of a run. */
export interface Facts {
  readonly changes: readonly LoggedChange[];
  readonly channels: readonly StoredChannel[];
}

export const factsOf = (query: Query, afterChange: number): Facts => {
  const changes = changesOf(query);
  const channels = query('SELECT generation, channel_id, last_number FROM channel WHERE ended_at IS NULL').map(
    (row) => {
      const plan = PLAN[Number(row.channel_id) - 1] as Planned;
      return {
        name: plan.name,
        lastNumber: Number(row.last_number),
        owed: owedOf(changes, plan, afterChange),
        ...sentOf(query, String(row.generation)),
      };
    },
  );
  return { changes, channels };
};

export const changesOf = (query: Query): LoggedChange[] =>
  query('SELECT number, module, operation, records FROM record_change ORDER BY number').map((row) => ({
    number: Number(row.number),
    module: String(row.module),
    operation: String(row.operation),
    records: (
      JSON.parse(String(row.records)) as { id: string; fields: string[]; values: { Description?: string } }[]
    ).map(({ id, fields, values }) => ({
      id,
      fields,
      ...(values.Description !== undefined && { description: values.Description }),
    })),
  }));

/** A generation's notifications and attempts. */
export const sentOf = (
  query: Query,
  generation: string,
): Pick<StoredChannel, 'generation' | 'notifications' | 'outcomes'> => ({
  generation,
  notifications: notificationsOf(query, generation),
  outcomes: new Map(
    query('SELECT number, attempt, outcome FROM attempt WHERE generation = ?', generation).map((attempt) => [
      `${attempt.number} ${attempt.attempt}`,
      (JSON.parse(String(attempt.outcome)) as { kind: string }).kind,
    ]),
  ),
});

const notificationsOf = (query: Query, generation: string): StoredNotification[] =>
  query(
    `SELECT number, id, change_number, module, operation, ids, with_values, state, attempts_made
     FROM notification
     WHERE generation = ? ORDER BY number`,
    generation,
  ).map((row) => ({
    number: Number(row.number),
    id: String(row.id),
    change: Number(row.change_number),
    module: String(row.module),
    operation: String(row.operation),
    ids: JSON.parse(String(row.ids)) as string[],
    withValues: row.with_values === 1,
    state: String(row.state),
    attemptsMade: Number(row.attempts_made),
  }));

/** What the channel is owed by the change log after a change, in order: a matcher of the test's own. */
export const owedOf = (
  changes: readonly LoggedChange[],
  plan: Pick<Planned, 'events' | 'condition'>,
  afterChange: number,
): Owed[] =>
  changes.flatMap((change) => {
    if (change.number <= afterChange) return [];
    const { module, operation, records } = change;
    const ids = records.filter(({ fields }) => isOwed(plan, { module, operation, fields })).map(({ id }) => id);
    return ids.length > 0 ? [{ change, ids }] : [];
  });
