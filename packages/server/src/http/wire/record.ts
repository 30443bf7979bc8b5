import { isObject, type Json, type JsonObject } from '../../domain/json.ts';
import { ANY_MODULE, type Field, type Module } from '../../domain/module.ts';
import { fullName } from '../../domain/org.ts';
import type { StoredRecord } from '../../domain/record.ts';
import { lookupTarget } from '../../domain/records/lookup.ts';
import { type Names, shownUser, shownValue } from '../../domain/records/shown.ts';
import { formatTime } from '../../domain/time.ts';
import type { Outcome, RecordStamp, WriteResults } from '../../services/record-writes.ts';
import type { FoundRecords } from '../../services/records.ts';
import { wireError } from '../errors.ts';
import type { Paging } from '../paging.ts';

/** What every record says of its state; without approval processes and merging it is always the same. */
const STATE: JsonObject = {
  $editable: true,
  $approved: true,
  $approval_state: 'approved',
  $approval: { delegate: false, approve: false, reject: false, resubmit: false },
  $in_merge: false,
  $state: 'save',
};

const MESSAGES = { insert: 'record added', update: 'record updated', delete: 'record deleted' } as const;

/** Records as they are read; only `fields` of them when some are asked for, the id always. */
export function wireRecords({ module, records, names }: FoundRecords, fields?: ReadonlySet<string>): JsonObject[] {
  const shown = fields ? module.fields.filter((field) => fields.has(field.apiName)) : module.fields;
  return records.map((record) => ({
    id: record.id,
    ...Object.fromEntries(shown.map((field) => [field.apiName, fieldValue(field, record, names)])),
    ...(!fields && { ...seModule(module, record), ...STATE }),
  }));
}

function fieldValue(field: Field, record: StoredRecord, names: Names): Json {
  switch (field.apiName) {
    case 'Created_By':
      return shownUser(record.createdBy, names.user(record.createdBy));
    case 'Modified_By':
      return shownUser(record.modifiedBy, names.user(record.modifiedBy));
    case 'Created_Time':
      return formatTime(record.createdAt, names.timeZone);
    case 'Modified_Time':
      return formatTime(record.modifiedAt, names.timeZone);
    case 'Record_Status__s':
      return 'Available';
    case 'Tag':
      return shownValue(field, record.values.Tag, names) ?? [];
    case 'Locked__s':
      return false;
    default:
      return withModule(field, record, emptyAsFalse(field, shownValue(field, record.values[field.apiName], names)));
  }
}

/** A note's parent says of which module it is. */
function withModule(field: Field, record: StoredRecord, shown: Json): Json {
  const target = field.apiName === 'Parent_Id' ? lookupTarget(field, record.values.Parent_Id) : undefined;
  return target && isObject(shown) ? { module: { api_name: target.module }, ...shown } : shown;
}

/** The module that a lookup to any module points into. */
function seModule(module: Module, record: StoredRecord): JsonObject {
  const field = module.fields.find(({ lookup }) => lookup === ANY_MODULE);
  const target = field && lookupTarget(field, record.values[field.apiName]);
  return field ? { $se_module: target?.module ?? null } : {};
}

/** A box that was never ticked is false, not empty. */
const emptyAsFalse = (field: Field, value: Json): Json => (field.type === 'boolean' ? (value ?? false) : value);

export const wireInfo = ({ records, moreRecords }: FoundRecords, { page, perPage }: Paging): JsonObject => ({
  per_page: perPage,
  count: records.length,
  page,
  more_records: moreRecords,
});

/** The answers to the records of one write, in request order. */
export function wireResults({ results, user }: WriteResults, timeZone: string): object[] {
  const by = referencesOf(user);
  return results.map((result) => {
    if (!result.ok) return wireError(result.refusal);
    const { operation, record } = result.value;
    return {
      code: 'SUCCESS',
      details: detailsOf(operation, record, by, timeZone),
      message: MESSAGES[operation],
      status: 'success',
    };
  });
}

/** The same for an upsert, which says of each record what it did and by which field it found it. */
export function wireUpserts({ results, user }: WriteResults, timeZone: string): object[] {
  const by = referencesOf(user);
  return results.map((result) => {
    if (!result.ok) return wireError(result.refusal);
    const { operation, record, matchedBy } = result.value;
    return {
      code: 'SUCCESS',
      duplicate_field: matchedBy ?? null,
      action: operation,
      details: detailsOf(operation, record, by, timeZone),
      message: MESSAGES[operation],
      status: 'success',
    };
  });
}

type References = (id: StoredRecord['createdBy']) => JsonObject;

/** Those who are named many times in one answer are written down once. */
function referencesOf(user: WriteResults['user']): References {
  const known = new Map<StoredRecord['createdBy'], JsonObject>();
  return (id) => {
    const reference = known.get(id) ?? userReference(id, user);
    known.set(id, reference);
    return reference;
  };
}

function detailsOf(operation: Outcome['operation'], record: RecordStamp, by: References, timeZone: string): JsonObject {
  if (operation === 'delete') return { id: record.id };
  return {
    Modified_Time: formatTime(record.modifiedAt, timeZone),
    Modified_By: by(record.modifiedBy),
    Created_Time: formatTime(record.createdAt, timeZone),
    id: record.id,
    Created_By: by(record.createdBy),
  };
}

export function userReference(id: StoredRecord['createdBy'], user: WriteResults['user']): JsonObject {
  const known = user(id);
  return { name: known ? fullName(known) : null, id };
}

/** The answers to linking and unlinking records. */
export const wireLinks =
  (message: 'relation added' | 'relation removed') =>
  ({ results }: WriteResults): object[] =>
    results.map((result) =>
      result.ok
        ? { code: 'SUCCESS', details: { id: result.value.record.id }, message, status: 'success' }
        : wireError(result.refusal),
    );
