import type { RecordId } from './ids.ts';

/** What lists can be sorted by; equal times by id. Ids grow with the time of creation. */
export const SORT_FIELDS = ['id', 'Created_Time', 'Modified_Time'] as const;
export type SortField = (typeof SORT_FIELDS)[number];
export const SORT_ORDERS = ['asc', 'desc'] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];

/** Where a record stands in a list: `at` is the time that the list is sorted by, 0 in one sorted by id. */
export interface Position {
  readonly at: number;
  readonly id: RecordId;
}

export const reversed = (order: SortOrder): SortOrder => (order === 'asc' ? 'desc' : 'asc');
