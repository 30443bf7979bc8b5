import type { JsonObject } from './json.ts';

/** What a caller can act on. The HTTP status belongs to `http/errors.ts`; the codes are the API's (reference §4.9, §4.10, §6). */
export type ErrorCode =
  | 'INVALID_DATA'
  | 'MANDATORY_NOT_FOUND'
  | 'DUPLICATE_DATA'
  | 'EXPECTED_FIELD_MISSING'
  | 'DEPENDENT_FIELD_MISSING'
  | 'AMBIGUITY_DURING_PROCESSING'
  | 'NOT_SUBSCRIBED'
  | 'LIMIT_REACHED'
  | 'LIMIT_EXCEEDED'
  | 'REQUIRED_PARAM_MISSING'
  | 'PATTERN_NOT_MATCHED'
  | 'EXPIRED_VALUE'
  | 'TOKEN_BOUND_DATA_MISMATCH'
  | 'DISCRETE_PAGINATION_LIMIT_EXCEEDED'
  | 'INVALID_MODULE'
  | 'INVALID_QUERY'
  | 'INVALID_REQUEST_METHOD'
  | 'INVALID_URL_PATTERN'
  | 'API_NOT_SUPPORTED'
  /** Of our own API: what the path names is not there. */
  | 'NOT_FOUND'
  | 'REQUEST_ENTITY_TOO_LARGE'
  | 'INVALID_TOKEN'
  | 'AUTHENTICATION_FAILURE'
  | 'OAUTH_SCOPE_MISMATCH'
  | 'NO_PERMISSION'
  | 'TOO_MANY_REQUESTS'
  | 'RATE_LIMIT_EXCEEDED'
  | 'SERVICE_UNAVAILABLE'
  | 'INTERNAL_ERROR';

/** One item of a list that was refused: a value, since its neighbours go on. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: JsonObject;
}

interface AppErrorOptions extends ErrorOptions {
  readonly retryAfterMs?: number;
}

/** Refuses a whole call. Thrown before anything was changed. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: JsonObject;
  /** When trying again may work; undefined: not known. */
  readonly retryAfterMs?: number;

  constructor(code: ErrorCode, message: string, details: JsonObject = {}, options: AppErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = details;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}
