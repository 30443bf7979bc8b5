import type { Json } from './wire.ts';

/** The server answered, and refused. `code` is stable and made to be switched on; `message` is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  /** HTTP status of the answer. OAuth refusals have 200, and so may an item of a list. */
  readonly status: number;
  readonly details: Readonly<Record<string, Json>>;

  constructor(code: string, message: string, status: number, details: Readonly<Record<string, Json>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

/** No usable answer came: refused, reset, timed out. Whether the request was carried out is unknown. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code: 'TIMEOUT' | 'UNREACHABLE';

  constructor(code: 'TIMEOUT' | 'UNREACHABLE', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
