import type { RecordId, UserId } from '../../domain/ids.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { moduleId } from '../../domain/modules/catalog.ts';
import { fullName, type Org } from '../../domain/org.ts';
import type { Result } from '../../domain/records/result.ts';
import { formatTime } from '../../domain/time.ts';
import type { FoundDeleted } from '../../services/recycle-bin.ts';
import { wireError } from '../errors.ts';
import type { Paging } from '../paging.ts';

/** Entries of `/{module}/deleted`. Of what is gone for good only the id is left, and when it was deleted. */
export const wireDeleted = ({ records, user }: FoundDeleted, { timeZone }: Org): JsonObject[] =>
  records.map(({ id, deletedAt, bin }) => ({
    deleted_by: bin ? person(bin.deletedBy, user) : null,
    id,
    display_name: bin?.displayName ?? null,
    type: bin ? 'recycle' : 'permanent',
    created_by: bin ? person(bin.record.createdBy, user) : null,
    deleted_time: formatTime(deletedAt, timeZone),
  }));

/** Entries of `settings/recycle_bin`. */
export const wireBin = ({ records, user }: FoundDeleted, { id: org, timeZone }: Org): JsonObject[] =>
  records.map(({ module, id, deletedAt, bin }) => ({
    owner: bin?.owner === undefined ? null : person(bin.owner, user),
    module: { api_name: module.apiName, id: moduleId(org, module) },
    deleted_by: bin ? person(bin.deletedBy, user) : null,
    id,
    display_name: bin?.displayName ?? null,
    deleted_time: formatTime(deletedAt, timeZone),
  }));

export const wireDeletedInfo = ({ records, moreRecords }: FoundDeleted, { page, perPage }: Paging): JsonObject => ({
  per_page: perPage,
  count: records.length,
  page,
  more_records: moreRecords,
});

export const wireBinResults = (results: readonly Result<RecordId>[], message: string): object[] =>
  results.map((result) =>
    result.ok
      ? { code: 'SUCCESS', details: { id: result.value }, message, status: 'success' }
      : wireError(result.refusal),
  );

function person(id: UserId, user: FoundDeleted['user']): Json {
  const known = user(id);
  return { name: known ? fullName(known) : null, id };
}
