import { CALL_ROWS } from './call-rows.ts';
import { CONDITION_ROWS } from './condition-rows.ts';
import { ENTRY_ROWS } from './entry-rows.ts';
import type { ErrorRow } from './row.ts';

export const ERROR_ROWS: readonly ErrorRow[] = [...ENTRY_ROWS, ...CONDITION_ROWS, ...CALL_ROWS];
