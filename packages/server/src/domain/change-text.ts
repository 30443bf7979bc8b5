import type { ChangedRecord } from './change.ts';

const written = new WeakMap<ChangedRecord, string>();

/** The new values of a record as JSON: written once, for the store and for all notifications. */
export function valuesText(record: ChangedRecord): string {
  const known = written.get(record);
  if (known !== undefined) return known;
  const text = JSON.stringify(record.values);
  written.set(record, text);
  return text;
}

/** The records of a change as JSON. */
export const recordsText = (records: readonly ChangedRecord[]): string => `[${records.map(recordText).join()}]`;

function recordText(record: ChangedRecord): string {
  const { id, fields, related } = record;
  const pointedAt = related.length > 0 ? JSON.stringify(related) : '[]';
  return `{"id":${JSON.stringify(id)},"fields":${JSON.stringify(fields)},"values":${valuesText(record)},"related":${pointedAt}}`;
}
