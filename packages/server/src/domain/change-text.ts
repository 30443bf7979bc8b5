import type { ChangedRecord } from './change.ts';
import { objectText } from './json-text.ts';

/** What a changed record says, as JSON. */
export interface RecordTexts {
  readonly id: string;
  readonly fields: string;
  readonly values: string;
}

const written = new WeakMap<ChangedRecord, RecordTexts>();

/** Written once, for the store and for all notifications. */
export function textsOf(record: ChangedRecord): RecordTexts {
  const known = written.get(record);
  if (known) return known;
  const texts = {
    id: JSON.stringify(record.id),
    fields: JSON.stringify(record.fields),
    values: objectText(record.values),
  };
  written.set(record, texts);
  return texts;
}

/** The records of a change as JSON. */
export const recordsText = (records: readonly ChangedRecord[]): string => `[${records.map(recordText).join()}]`;

function recordText(record: ChangedRecord): string {
  const { id, fields, values } = textsOf(record);
  const related = record.related.length > 0 ? JSON.stringify(record.related) : '[]';
  return `{"id":${id},"fields":${fields},"values":${values},"related":${related}}`;
}
