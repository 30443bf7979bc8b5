import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, UnreachableError } from '@watchbell/client';
import { CliError } from './errors.ts';

/** Between the tries of what can be repeated, ms. */
const WAITS = [500, 1000, 2000, 4000, 8000];

/** Tries again when the server is away or busy: for what may be done twice. Says where it was in the end. */
export async function patiently<Answer>(where: string, act: () => Promise<Answer>): Promise<Answer> {
  for (const wait of WAITS) {
    try {
      return await act();
    } catch (error) {
      if (!isPassing(error)) throw at(where, error);
      await delay(wait);
    }
  }
  return act().catch((error: unknown) => {
    throw at(where, error);
  });
}

const isPassing = (error: unknown): boolean =>
  error instanceof UnreachableError || (error instanceof ApiError && (error.status === 503 || error.status === 429));

function at(where: string, error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const details = JSON.stringify(error.details);
  return new CliError(`In the call from ${where}: ${error.code}: ${error.message} ${details}`, 1, { cause: error });
}
