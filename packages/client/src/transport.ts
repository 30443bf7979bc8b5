import { ApiError, UnreachableError } from './errors.ts';
import type { Json } from './wire.ts';

/** What a transport sends with. */
export interface TransportOptions {
  /** Origin of the server, such as `http://127.0.0.1:8686`. */
  readonly base: string;
  /** Milliseconds for one whole exchange; 30,000 when absent. */
  readonly timeoutMs?: number;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root, such as `/crm/v8/org`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  /** The server may wait so long before it answers: there is so much more time. */
  readonly waitMs?: number;
}

export interface Reply {
  readonly status: number;
  /** Undefined for an empty body. */
  readonly body: unknown;
}

export type Transport = (exchange: Exchange) => Promise<Reply>;

const DEFAULT_TIMEOUT_MS = 30_000;

/** Sends one request within bounded time. Never follows a redirect, so a credential never leaves `base`. */
export function createTransport({
  base,
  timeoutMs = DEFAULT_TIMEOUT_MS,
  fetch: send = fetch,
}: TransportOptions): Transport {
  const root = base.replace(/\/+$/, '');
  return async ({ method, path, query = {}, headers = {}, json, form, waitMs = 0 }) => {
    const url = new URL(root + path);
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
    const content = json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json);
    try {
      const response = await send(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(content !== undefined && { body: content }),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs + waitMs),
      });
      return { status: response.status, body: parse(await response.text(), response.status, url) };
    } catch (error) {
      throw error instanceof ApiError ? error : unreachable(error, url.origin, timeoutMs + waitMs);
    }
  };
}

function parse(text: string, status: number, url: URL): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('UNEXPECTED_ANSWER', `${url.origin}${url.pathname} answered ${status} without JSON`, status);
  }
}

function unreachable(error: unknown, origin: string, timeoutMs: number): UnreachableError {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new UnreachableError('TIMEOUT', `${origin} did not answer within ${timeoutMs} ms`, { cause: error });
  return new UnreachableError('UNREACHABLE', `${origin} cannot be reached${reason(error)}`, { cause: error });
}

/** `fetch` hides the system's reason (ECONNREFUSED …) in the cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
}

/** Passes on an answer that is no refusal of the whole call; throws `ApiError` for one that is. */
export function accepted({ status, body }: Reply): Reply {
  if (status < 300 && !isRefusal(body)) return { status, body };
  if (isObject(body) && (Array.isArray(body.watch) || Array.isArray(body.data))) return { status, body };
  throw refusal(body, status);
}

/** The `ApiError` that an error body stands for. */
function refusal(body: unknown, status: number): ApiError {
  if (!isRefusal(body)) return new ApiError('UNEXPECTED_ANSWER', `The server answered ${status}`, status);
  const details = isObject(body.details) ? (body.details as Record<string, Json>) : {};
  return new ApiError(body.code, typeof body.message === 'string' ? body.message : body.code, status, details);
}

type JsonMap = Readonly<Record<string, unknown>>;

const isRefusal = (body: unknown): body is JsonMap & { readonly code: string } =>
  isObject(body) && body.status === 'error' && typeof body.code === 'string';

export const isObject = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The list under `key`, or none. What the items hold is the server's promise, not checked again. */
export function listIn<Item>(body: unknown, key: string): readonly Item[] {
  const list = isObject(body) ? body[key] : undefined;
  return Array.isArray(list) ? (list as readonly Item[]) : [];
}

/** One call under `/crm/{version}`, authenticated; a whole call that is refused throws. */
export type Call = (exchange: Exchange) => Promise<Reply>;
