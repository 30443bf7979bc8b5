import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import type { RecordId } from '../domain/ids.ts';
import type { Principal } from '../domain/org.ts';
import { malformedId } from '../domain/records/refusals.ts';
import { type Result, refused } from '../domain/records/result.ts';
import type { Outcome, WriteResults } from './record-writes.ts';

/** One id of a mass action and what became of it. */
export interface MassResult {
  /** As given. */
  readonly id: string;
  readonly result: Result<Outcome>;
}

/**
 * Does a mass action 100 records at a time, one transaction each, so that other writes come in between: each id once, in
 * the order given. A repeated request with the same idempotency key goes on where the first one stopped.
 */
export async function inChunks(
  principal: Principal,
  ids: readonly (readonly [text: string, id: Result<RecordId>])[],
  write: (principal: Principal, ids: readonly RecordId[]) => Promise<WriteResults>,
): Promise<MassResult[]> {
  const results: MassResult[] = [];
  const malformed = ids.filter(([, id]) => !id.ok).map(([text]) => ({ id: text, result: refused(malformedId()) }));
  const known = [...new Set(ids.flatMap(([, id]) => (id.ok ? [id.value] : [])))];
  for (let from = 0; from < known.length; from += MAX_RECORDS_PER_CHANGE) {
    const chunk = known.slice(from, from + MAX_RECORDS_PER_CHANGE);
    const written = await write(withKeyOf(principal, from / MAX_RECORDS_PER_CHANGE), chunk);
    chunk.forEach((id, i) => {
      const result = written.results[i];
      if (result) results.push({ id, result });
    });
  }
  return [...results, ...malformed];
}

/** Each part of a call is done once on its own. */
export function withKeyOf(principal: Principal, part: number | string): Principal {
  const { idempotency } = principal;
  return idempotency ? { ...principal, idempotency: { ...idempotency, key: `${idempotency.key} ${part}` } } : principal;
}
