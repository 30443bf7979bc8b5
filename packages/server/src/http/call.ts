import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { AppError } from '../domain/error.ts';
import type { Idempotency } from '../domain/idempotency.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Principal } from '../domain/org.ts';
import type { ScopeNeed } from '../domain/scope.ts';
import { formatTime } from '../domain/time.ts';
import type { ApiVersion } from '../domain/wire/api-version.ts';
import { parseJsonObject } from './json.ts';

/** One authenticated request under `/crm/{version}`, free of Fastify. */
export interface Call {
  readonly version: ApiVersion;
  readonly principal: Principal;
  /** Origin under which the caller reached us, without a trailing slash. */
  readonly base: string;
  readonly params: Readonly<Record<string, string>>;
  /** Decoded; of a repeated key the last. */
  readonly query: ReadonlyMap<string, string>;
  /** `If-Modified-Since` as sent, in whatever form. */
  readonly ifModifiedSince: string | undefined;
  /** `X-EXTERNAL` as sent: the fields that stand for ids. */
  readonly external: string | undefined;
  /** The body as a JSON object, whatever the Content-Type says; else `AppError` INVALID_DATA «body». */
  body(): JsonObject;
}

/** What a call is answered with. Without a body (204, 304): nothing. */
export interface Answer {
  readonly status: number;
  readonly body?: object;
}

export interface CrmOperation {
  /** Checked before `handle`. */
  readonly scope: (call: Call) => ScopeNeed;
  readonly handle: (call: Call) => Promise<Answer>;
}

/** Says who is calling, or throws one of the 401 family. */
type Authenticate = (authorization: string | undefined, request: FastifyRequest) => Promise<Principal>;

export interface CrmRouteContext {
  readonly version: ApiVersion;
  readonly authenticate: Authenticate;
  /** Lets a request of the principal begin, or throws the code of 429; what it gives back ends it. */
  readonly begin: (principal: Principal, version: ApiVersion) => () => void;
  /** Origin under which the caller reached us, without a trailing slash. */
  readonly baseOf: (request: FastifyRequest) => string;
  readonly requireScope: (principal: Principal, need: ScopeNeed) => void;
}

declare module 'fastify' {
  /** What the API document is made from. */
  interface FastifyContextConfig {
    /** Of an operation under `/crm`. */
    readonly crm?: { readonly version: ApiVersion; readonly scope: CrmOperation['scope'] };
    /** The path is served, but not by this method. */
    readonly isRefusal?: boolean;
  }
}

const METHODS: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'];

/** Serves one path; its other methods are answered `INVALID_REQUEST_METHOD`. */
export function resource(
  app: FastifyInstance,
  context: CrmRouteContext,
  url: string,
  operations: Partial<Record<HTTPMethods, CrmOperation>>,
): void {
  for (const method of METHODS) {
    const operation = operations[method];
    app.route({
      method,
      url,
      exposeHeadRoute: false,
      config: operation ? { crm: { version: context.version, scope: operation.scope } } : { isRefusal: true },
      handler: (request, reply) => {
        if (!operation) throw new AppError('INVALID_REQUEST_METHOD', 'The http request method type is not a valid one');
        return serve(context, operation, request, reply);
      },
    });
  }
}

/** Answers further methods of a path that is served otherwise. */
export function refuseOtherMethods(app: FastifyInstance, url: string, methods: readonly HTTPMethods[]): void {
  app.route({
    method: [...methods],
    url,
    config: { isRefusal: true },
    handler: () => {
      throw new AppError('INVALID_REQUEST_METHOD', 'The http request method type is not a valid one');
    },
  });
}

async function serve(
  context: CrmRouteContext,
  operation: CrmOperation,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const idempotency = readIdempotency(request);
  const principal = await context.authenticate(request.headers.authorization, request);
  if (principal.tokenExpiresAt !== undefined) {
    reply.header('x-accesstoken-reset', formatTime(principal.tokenExpiresAt, principal.org.timeZone));
  }
  const end = context.begin(principal, context.version);
  try {
    const call = callOf(context, idempotency ? { ...principal, idempotency } : principal, request);
    context.requireScope(call.principal, operation.scope(call));
    return sendAnswer(reply, await operation.handle(call));
  } finally {
    end();
  }
}

function callOf(context: CrmRouteContext, principal: Principal, request: FastifyRequest): Call {
  return {
    version: context.version,
    principal,
    get base() {
      return context.baseOf(request);
    },
    params: request.params as Record<string, string>,
    query: readQuery(request.query as Record<string, string | string[]>),
    ifModifiedSince: request.headers['if-modified-since'],
    external: textOf(request.headers['x-external']),
    body: () => parseJsonObject(request.body instanceof Buffer ? request.body : undefined),
  };
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header;

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** What names a write that must be done once; undefined without the header, and for reads. Its body is as it arrived. */
export function readIdempotency(request: FastifyRequest): Idempotency | undefined {
  const key = textOf(request.headers['idempotency-key']);
  if (key === undefined || request.method === 'GET') return undefined;
  if (!IDEMPOTENCY_KEY.test(key)) {
    const details = { api_name: 'Idempotency-Key', maximum_length: 255 };
    throw new AppError('INVALID_DATA', 'the idempotency key must be 1 to 255 printable characters', details);
  }
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
  hash.update(`${textOf(request.headers['x-external']) ?? ''}\n`);
  if (request.body instanceof Buffer) hash.update(request.body);
  return { key, fingerprint: hash.digest('hex') };
}

export function sendAnswer(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  reply.code(status);
  if (body === undefined) return reply.send();
  return reply.type('application/json;charset=UTF-8').send(JSON.stringify(body));
}

/** Query parameters, of a repeated one the last. */
export function readQuery(query: Record<string, string | string[]>): ReadonlyMap<string, string> {
  const last = new Map<string, string>();
  for (const [key, value] of Object.entries(query)) last.set(key, Array.isArray(value) ? (value.at(-1) ?? '') : value);
  return last;
}
