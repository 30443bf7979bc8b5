import { channel } from 'node:diagnostics_channel';

/** What a commit of an organisation held: told in this process, at once, to whoever subscribed to `watchbell:committed`. */
export interface Committed {
  readonly org: string;
  /** The organisation's new changes, in their order; none when only channels or settings were concerned. */
  readonly changes: readonly CommittedChange[];
}

export interface CommittedChange {
  readonly number: number;
  readonly module: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** Of its records. */
  readonly ids: readonly string[];
}

interface Change extends Omit<CommittedChange, 'ids'> {
  readonly records: readonly { readonly id: string }[];
}

const committed = channel('watchbell:committed');

/** Costs nothing while nobody listens. */
export function tellOfCommit(org: string, changes: readonly Change[]): void {
  if (!committed.hasSubscribers) return;
  const message: Committed = {
    org,
    changes: changes.map(({ number, module, operation, records }) => ({
      number,
      module,
      operation,
      ids: records.map(({ id }) => id),
    })),
  };
  committed.publish(message);
}
