import { AppError } from '../error.ts';
import type { JsonObject } from '../json.ts';

/** A search that cannot be read; `index` in the details is the place in the criteria, from 0. */
export const invalidQuery = (reason: string, details: JsonObject = {}): AppError =>
  new AppError('INVALID_QUERY', 'invalid query formed', { reason, ...details });
