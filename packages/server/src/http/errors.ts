import { AppError, type ErrorCode, type Refusal } from '../domain/error.ts';
import type { JsonObject } from '../domain/json.ts';

/** Status of a whole call that was refused (reference §4.10). A new code does not compile until it has one. */
const STATUS: Record<ErrorCode, number> = {
  INVALID_DATA: 400,
  MANDATORY_NOT_FOUND: 400,
  DUPLICATE_DATA: 400,
  EXPECTED_FIELD_MISSING: 400,
  DEPENDENT_FIELD_MISSING: 400,
  AMBIGUITY_DURING_PROCESSING: 400,
  NOT_SUBSCRIBED: 400,
  LIMIT_REACHED: 400,
  LIMIT_EXCEEDED: 400,
  REQUIRED_PARAM_MISSING: 400,
  INVALID_MODULE: 400,
  INVALID_REQUEST_METHOD: 400,
  INVALID_URL_PATTERN: 404,
  REQUEST_ENTITY_TOO_LARGE: 413,
  INVALID_TOKEN: 401,
  AUTHENTICATION_FAILURE: 401,
  OAUTH_SCOPE_MISMATCH: 401,
  NO_PERMISSION: 403,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL_ERROR: 500,
};

export interface WireError {
  readonly code: string;
  readonly details: JsonObject;
  readonly message: string;
  readonly status: 'error';
}

export const wireError = ({ code, details, message }: Refusal): WireError => ({
  code,
  details,
  message,
  status: 'error',
});

/** The only place where a failure becomes an HTTP answer. What is not an `AppError` is our bug: said nothing of, logged. */
export function toWire(error: unknown): { readonly status: number; readonly body: WireError; readonly isBug: boolean } {
  if (error instanceof AppError) return { status: STATUS[error.code], body: wireError(error), isBug: false };
  const bug = new AppError('INTERNAL_ERROR', 'Internal Server Error');
  return { status: 500, body: wireError(bug), isBug: true };
}
