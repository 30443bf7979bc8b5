import { AppError, type ErrorCode, type Refusal } from '../domain/error.ts';
import type { JsonObject } from '../domain/json.ts';
import { servedVersionFor } from '../domain/wire/api-version.ts';

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
  PATTERN_NOT_MATCHED: 400,
  EXPIRED_VALUE: 400,
  TOKEN_BOUND_DATA_MISMATCH: 400,
  DISCRETE_PAGINATION_LIMIT_EXCEEDED: 400,
  INVALID_MODULE: 400,
  INVALID_QUERY: 400,
  INVALID_REQUEST_METHOD: 400,
  INVALID_URL_PATTERN: 404,
  API_NOT_SUPPORTED: 400,
  NOT_FOUND: 404,
  REQUEST_ENTITY_TOO_LARGE: 413,
  INVALID_TOKEN: 401,
  AUTHENTICATION_FAILURE: 401,
  OAUTH_SCOPE_MISMATCH: 401,
  NO_PERMISSION: 403,
  TOO_MANY_REQUESTS: 429,
  RATE_LIMIT_EXCEEDED: 429,
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

/** What the framework refuses by itself, in the API's words; anything else as it is. */
export function fromFramework(error: unknown, bodyLimit: number): unknown {
  if (!isFrameworkError(error)) return error;
  if (error.validation) {
    const [fault] = error.validation;
    const field = fault?.instancePath.slice(1) || fault?.params.missingProperty || fault?.params.additionalProperty;
    const details = typeof field === 'string' ? { api_name: field } : {};
    return new AppError('INVALID_DATA', error.message, details, { cause: error });
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new AppError('REQUEST_ENTITY_TOO_LARGE', 'The request body is too large', { maximum_length: bodyLimit });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'ECONNRESET':
      return new AppError('INVALID_DATA', 'body', { expected_data_type: 'jsonobject' }, { cause: error });
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
    // A QUERY without a type: no path takes that method.
    case 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE':
      return notFound();
    default:
      return error;
  }
}

export const notFound = (): AppError =>
  new AppError('INVALID_URL_PATTERN', 'Please check if the URL trying to access is a correct one');

/** What a path is answered with that no route takes; `url` may have a query. */
export function noRoute(url: string): AppError {
  const version = /^\/crm\/v(\d{1,4}(?:\.\d{1,4})?)\/[^?]/.exec(url)?.[1];
  const served = version === undefined ? undefined : servedVersionFor(Number(version));
  if (served === undefined) return notFound();
  return new AppError('API_NOT_SUPPORTED', 'This version of the API is not supported', { supported_version: served });
}

interface FrameworkError extends Error {
  readonly code?: string;
  readonly validation?: readonly {
    readonly instancePath: string;
    readonly params: Readonly<Record<string, unknown>>;
  }[];
}

const isFrameworkError = (error: unknown): error is FrameworkError => error instanceof Error && 'code' in error;
