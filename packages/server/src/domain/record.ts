import type { RecordId, UserId } from './ids.ts';
import type { Json } from './json.ts';

/** Field values by API name, empty ones left out. A lookup is `{ id }`, its name is found when it is shown. */
export type Values = Readonly<Record<string, Json>>;

export interface StoredRecord {
  readonly module: string;
  readonly id: RecordId;
  readonly values: Values;
  readonly createdAt: number;
  readonly createdBy: UserId;
  readonly modifiedAt: number;
  readonly modifiedBy: UserId;
}

export interface RecordRef {
  readonly module: string;
  readonly id: RecordId;
}

export const recordKey = (module: string, id: RecordId): string => `${module}/${id}`;

/** One entry of the look-up table; which fields have entries, `records/keys.ts` says. */
export interface KeyRef {
  readonly module: string;
  readonly field: string;
  /** As `keyValue` folds it. */
  readonly value: string;
}

export const keyRef = (key: KeyRef): string => `${key.module}/${key.field}/${key.value}`;
/**
 * Letter case and surrounding blanks do not tell duplicates apart. Nor do the two forms of the small sigma, of which the
 * place in the word decides which one a big one becomes: so each character is folded by itself.
 */
export const keyValue = (value: Json): string => String(value).trim().toLowerCase().replaceAll('ς', 'σ');
