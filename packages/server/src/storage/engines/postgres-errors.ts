import { AppError } from '../../domain/error.ts';
import { unavailable } from './unavailable.ts';

/** SQLSTATE classes of what is wrong with a statement: no later try will do better. */
const BUG_CLASSES = /^(0A|21|22|23|26|34|42|P0)/;
/** No statement works on this connection any more as it should: the server takes no writes, or forgot what was prepared. */
const SPOILED = /^(25006|26000|0A000|08|57P)/;

/** What the database said, or the driver when it cannot be reached. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

export const spoilsConnection = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state === undefined || SPOILED.test(state);
};

/** A statement that breaks the schema is our bug; whatever else fails may pass. */
export function toStoreError(error: Error): Error {
  if (error instanceof AppError || error instanceof RangeError) return error;
  const state = sqlStateOf(error);
  if (state !== undefined && BUG_CLASSES.test(state)) {
    return new Error(`A statement was refused: ${error.message}`, { cause: error });
  }
  return unavailable(error);
}

/** Rolled back as a whole, since it and another one stood in each other's way. */
const CONFLICT = /^40(P01|001)$/;
/** Or another one made what was looked for and not found. */
const CONFLICT_OR_MADE = /^(40P01|40001|23505)$/;
const MOST_TRIES = 5;

/** Does a whole transaction again when it was rolled back for the sake of another one. */
export const withoutConflict = <Result>(transact: () => Promise<Result>): Promise<Result> => tried(transact, CONFLICT);

/** As well when another one has just made a row with the same key. */
export const withoutRace = <Result>(transact: () => Promise<Result>): Promise<Result> =>
  tried(transact, CONFLICT_OR_MADE);

async function tried<Result>(transact: () => Promise<Result>, passing: RegExp): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transact();
    } catch (error) {
      const state = error instanceof Error ? sqlStateOf(error.cause) : undefined;
      if (tries === MOST_TRIES || state === undefined || !passing.test(state)) throw error;
    }
  }
}

/** For those who count them. */
export function failureKind(error: unknown): string {
  const state = sqlStateOf(error);
  if (state === undefined) return 'connection';
  return KINDS.find(([states]) => states.test(state))?.[1] ?? 'other';
}

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^57014$/, 'statement_timeout'],
  [/^55P03$/, 'lock_timeout'],
  [/^25P03$/, 'idle_timeout'],
  [/^40/, 'conflict'],
  [/^53/, 'resources'],
  [/^(08|57P)/, 'connection'],
  [/^25006$/, 'read_only'],
];
