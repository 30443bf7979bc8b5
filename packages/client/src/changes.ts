import type { Call } from './transport.ts';
import { listIn } from './transport.ts';
import type { Json } from './wire.ts';

/** A change of records that live elsewhere: of one external module, at most 100 records, each once. */
export interface ExternalChange {
  /** API name. */
  readonly module: string;
  readonly operation: 'insert' | 'update' | 'delete';
  readonly records: readonly ExternalRecord[];
}

export interface ExternalRecord {
  /** Of your own: 1 to 64 letters, digits and `_ . : -`, beginning with a letter, a digit or `_`. */
  readonly id: string;
  /** By API names of fields, as they are now; of a deleted record those that are to be reported. */
  readonly values?: Readonly<Record<string, Json>>;
  /** As they were: what differs is what an update changed; also says what a deleted record pointed at. */
  readonly old_values?: Readonly<Record<string, Json>>;
  /** What an update changed; without it and `old_values`, all of `values`. */
  readonly fields?: readonly string[];
}

/** What became of a change. */
export interface TakenChange {
  /** In the change log; null when no record of it changed. */
  readonly number: number | null;
  readonly records: number;
  /** How many notifications are owed for it. */
  readonly notifications: number;
}

export interface SendOptions {
  /** 1 to 255 printable characters; the call is done once for it, and repeated calls get its answer, for 24 hours. */
  readonly idempotencyKey?: string;
}

/** Sends up to 100 changes, with 1,000 records in all, in the order in which they happened: all are taken, or none. */
export interface Changes {
  send(changes: readonly ExternalChange[], options?: SendOptions): Promise<readonly TakenChange[]>;
}

/** `path`: where they are sent to. `by`: the user in whose name, where the caller may say. */
export async function sendChanges(
  call: Call,
  path: string,
  changes: readonly ExternalChange[],
  { idempotencyKey, by }: SendOptions & { readonly by?: string } = {},
): Promise<readonly TakenChange[]> {
  const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
  const { body } = await call({ method: 'POST', path, headers, json: { changes, ...(by !== undefined && { by }) } });
  return listIn<TakenChange>(body, 'changes');
}
