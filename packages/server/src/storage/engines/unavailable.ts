import { AppError } from '../../domain/error.ts';

/** What a caller is told when the store does not work at present: it may try again. */
export const unavailable = (cause: Error): AppError =>
  new AppError('SERVICE_UNAVAILABLE', 'The store cannot be reached right now', {}, { cause });
