import type { Operation } from '../domain/change.ts';
import type { UserId } from '../domain/ids.ts';
import type { Principal, User } from '../domain/org.ts';
import type { StoredRecord } from '../domain/record.ts';
import type { Written } from '../domain/records/call.ts';
import { done, type Result } from '../domain/records/result.ts';
import type { Needs, WorkingSet } from '../domain/working-set.ts';
import { once } from './idempotency.ts';
import type { Naming } from './naming.ts';
import type { Writer } from './writer.ts';

/** Which record was written, when and by whom. */
export type RecordStamp = Omit<StoredRecord, 'values'>;

/** What became of one record of a write. */
export interface Outcome {
  readonly operation: Operation;
  readonly record: RecordStamp;
  /** Whether anything took another value. */
  readonly isChanged: boolean;
  /** The field by which an upsert found the record that it updated. */
  readonly matchedBy?: string;
}

export interface WriteResults {
  /** In request order. */
  readonly results: readonly Result<Outcome>[];
  /** Whoever created or modified a record written. */
  readonly user: (id: UserId) => User | undefined;
}

/** Commits what `decide` does to at most 100 records, once for the caller's idempotency key. */
export type WriteRecords = (
  principal: Principal,
  size: number,
  needs: Needs,
  decide: (set: WorkingSet) => readonly Result<Written>[],
) => Promise<WriteResults>;

/** Rows that one record write makes, about: itself, its keys, its share of the change. */
const ROWS_PER_RECORD = 3;

export function createWriteRecords({ writer, naming }: { writer: Writer; naming: Naming }): WriteRecords {
  return async (principal, size, needs, decide) => {
    const { org, user } = principal;
    const command = {
      needs,
      weight: size * ROWS_PER_RECORD,
      decide: (set: WorkingSet): Result<Outcome>[] => decide(set).map(outcomeOf),
    };
    const results = await writer.submit(org.id, once(principal, command));
    const creators = new Set<UserId>();
    for (const result of results) if (result.ok) creators.add(result.value.record.createdBy);
    return { results, user: await naming.users(org.id, creators, user) };
  };
}

function outcomeOf(result: Result<Written>): Result<Outcome> {
  if (!result.ok) return result;
  const { operation, record, changed, matchedBy } = result.value;
  const { module, id, createdAt, createdBy, modifiedAt, modifiedBy } = record;
  const stamp: RecordStamp = { module, id, createdAt, createdBy, modifiedAt, modifiedBy };
  const isChanged = changed !== undefined;
  return done(
    matchedBy === undefined
      ? { operation, record: stamp, isChanged }
      : { operation, record: stamp, isChanged, matchedBy },
  );
}
