import { randomUUID } from 'node:crypto';
import { maxHeaderSize } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { JudgeUrl } from '../domain/egress.ts';
import { AppError } from '../domain/error.ts';
import type { RateLimits } from '../domain/rate-limit.ts';
import type { TrustedProxies } from '../domain/trusted-proxies.ts';
import { API_VERSIONS } from '../domain/wire/api-version.ts';
import type { Compat } from '../domain/wire/compat.ts';
import type { Administration } from '../services/administration.ts';
import type { AttemptList } from '../services/attempts.ts';
import type { Auth } from '../services/auth.ts';
import type { Catalogs } from '../services/catalogs.ts';
import type { ChannelControl } from '../services/channel-control.ts';
import type { ChannelTests } from '../services/channel-tests.ts';
import type { Channels } from '../services/channels.ts';
import type { ClockControl } from '../services/clock-control.ts';
import type { Explainer } from '../services/explain.ts';
import type { Feed } from '../services/feed.ts';
import type { ReadGaps } from '../services/gaps.ts';
import type { Inbox } from '../services/inbox.ts';
import type { Intake } from '../services/intake.ts';
import type { Jobs } from '../services/jobs.ts';
import type { Metadata } from '../services/metadata.ts';
import type { NoticeDesk } from '../services/notice-desk.ts';
import type { Notifications } from '../services/notifications.ts';
import type { RecordLists } from '../services/record-lists.ts';
import type { RecordServices } from '../services/record-services.ts';
import type { RecycleBin } from '../services/recycle-bin.ts';
import type { Rematches } from '../services/rematch.ts';
import type { Search } from '../services/search.ts';
import type { Signatures } from '../services/signing.ts';
import type { Logger, WrittenLines } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CrmRouteContext } from './call.ts';
import { compressAnswers } from './compress.ts';
import type { Cursors } from './cursor.ts';
import { guardDev } from './dev-guard.ts';
import { fromFramework, noRoute, notFound, toWire } from './errors.ts';
import { observeRequests } from './observe.ts';
import { collectRoutes } from './openapi/routes.ts';
import { forwardedOrigin, readTrust } from './proxies.ts';
import { createRateLimiter } from './rate-limit.ts';
import { adminRoutes } from './routes/admin/admin.ts';
import { moduleRoutes } from './routes/admin/modules.ts';
import { clockRoutes } from './routes/clock.ts';
import { consentRoutes } from './routes/consent.ts';
import { countRoutes } from './routes/count.ts';
import { deletedRoutes } from './routes/deleted.ts';
import { docsRoutes } from './routes/docs.ts';
import { type Check, healthRoutes } from './routes/health.ts';
import { inboxRoutes } from './routes/inbox.ts';
import { intakeRoutes } from './routes/intake.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { orgRoutes } from './routes/org.ts';
import { recordActionRoutes } from './routes/record-actions.ts';
import { recordRoutes } from './routes/records.ts';
import { recoveryRoutes } from './routes/recovery/recovery.ts';
import { relatedRoutes } from './routes/related.ts';
import { searchRoutes } from './routes/search.ts';
import { settingsRoutes } from './routes/settings.ts';
import { tagRoutes } from './routes/tags.ts';
import { watchRoutes } from './routes/watch.ts';
import { buildSerializer } from './serialise.ts';
import { operatorsSurface, ownersSurface } from './surface.ts';
import { compileValidator } from './validate.ts';

/** What the HTTP server is made of. */
export interface HttpParts extends RecordServices {
  readonly logger: Logger;
  /** The line of each request. */
  readonly tellRequest: WrittenLines;
  readonly metrics: Metrics;
  readonly auth: Auth;
  readonly administration: Administration;
  readonly cursors: Cursors;
  readonly channelControl: ChannelControl;
  readonly channelTests: ChannelTests;
  readonly signatures: Signatures;
  readonly metadata: Metadata;
  readonly channels: Channels;
  readonly catalogs: Catalogs;
  /** Has what is known of deliveries and not yet stored written now. */
  readonly saveOutcomes: () => void;
  readonly intake: Intake;
  readonly feed: Feed;
  readonly gaps: ReadGaps;
  readonly rematches: Rematches;
  readonly jobs: Jobs;
  readonly notifications: Notifications;
  readonly attempts: AttemptList;
  readonly noticeDesk: NoticeDesk;
  readonly explainer: Explainer;
  readonly search: Search;
  readonly recordLists: RecordLists;
  readonly recycleBin: RecycleBin;
  /** Only in the dev profile. */
  readonly inbox?: Inbox;
  /** Only in the dev profile. */
  readonly clockControl?: ClockControl;
  /** Whether requests can be served and notifications sent right now. */
  readonly check: Check;
  /** How callers reach this server: an origin without a trailing slash. Known once it listens. */
  readonly base: () => string;
  /** Whether that is a public URL that was given, which holds for every caller. */
  readonly isBasePublic: boolean;
  readonly trustProxy: TrustedProxies;
  readonly rateLimits: RateLimits;
  /** Of the program. */
  readonly programVersion: string;
  /** Real time, epoch ms. */
  readonly realNow: () => number;
  readonly compat: Compat;
  /** Refuses notify URLs that would never be connected to. */
  readonly judgeReceiver: JudgeUrl;
  /** Largest request body, bytes. */
  readonly bodyLimit: number;
  /** Answer only requests addressed to loopback and sent from no foreign web page. */
  readonly devGuard: boolean;
}

/** To receive a whole request. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** How often the two are looked at. */
const CHECK_EVERY_MS = 2_000;
/** Longer than the usual idle time of a load balancer, which must be the first to close. */
const KEEP_ALIVE_MS = 72_000;
const MAX_PARAM_LENGTH = 100;

/** All that is served over HTTP; not listening yet. Closing it answers what was begun and ends idle connections. */
export function createHttp(given: HttpParts): FastifyInstance {
  const trusts = readTrust(given.trustProxy);
  const baseOf = (request: FastifyRequest): string =>
    (given.isBasePublic ? undefined : forwardedOrigin(request, trusts)) ?? given.base();
  const limiter = createRateLimiter(given.rateLimits, given.realNow);
  const parts = { ...given, base: baseOf, limiter };
  const app = Fastify({
    trustProxy: trusts,
    bodyLimit: parts.bodyLimit,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_EVERY_MS },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    schemaController: { compilersFactory: { buildSerializer } },
    // Before any hook is asked: a path whose escapes cannot be read.
    frameworkErrors: (error, request, reply) => sendError(error, reply.headers(headersOf(request)), parts),
    clientErrorHandler: refuseBrokenRequest,
  });
  const routes = collectRoutes(app);
  app.setValidatorCompiler(compileValidator);
  keepBodiesRaw(app);
  setHeaders(app);
  endConnectionsWhenClosing(app);
  compressAnswers(app);
  observeRequests(app, parts);
  if (parts.devGuard) guardDev(app);
  refuseZeroInPaths(app);
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, parts));
  app.setNotFoundHandler(({ url }) => {
    throw noRoute(url);
  });

  healthRoutes(app, parts);
  docsRoutes(app, { ...parts, routes });
  oauthRoutes(app, parts);
  adminRoutes(app, parts);
  moduleRoutes(app, parts);
  intakeRoutes(app, parts);
  for (const surface of [ownersSurface({ ...parts, findOwn: parts.channels.findOwn }), operatorsSurface(parts)]) {
    recoveryRoutes(app, surface, parts);
  }
  consentRoutes(app, parts);
  if (parts.inbox) inboxRoutes(app, { ...parts, inbox: parts.inbox });
  if (parts.clockControl) clockRoutes(app, { ...parts, clockControl: parts.clockControl });
  const { requireScope } = parts.auth;
  for (const version of API_VERSIONS) {
    const authenticate: CrmRouteContext['authenticate'] = (authorization, request) => {
      const token = authorization?.trim().split(' ').at(-1);
      return limiter.signIn(request, token, () => parts.auth.authenticate(authorization), { version });
    };
    const context: CrmRouteContext = { version, authenticate, begin: limiter.begin, baseOf, requireScope };
    app.register(
      async (crm) => {
        nameAnswers(crm);
        settingsRoutes(crm, context, parts);
        orgRoutes(crm, context, parts);
        watchRoutes(crm, context, parts);
        deletedRoutes(crm, context, parts);
        countRoutes(crm, context, parts);
        tagRoutes(crm, context, parts);
        recordActionRoutes(crm, context, parts);
        relatedRoutes(crm, context, parts);
        recordRoutes(crm, context, parts);
        searchRoutes(crm, context, parts);
      },
      { prefix: `/crm/${version}` },
    );
  }
  return app;
}

/** Every body arrives as a `Buffer`, whatever its Content-Type says: each route reads it in its own way. */
function keepBodiesRaw(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  // What is no media type at all would be refused before any parser is asked.
  app.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
    const type = headers['content-type'];
    if (type !== undefined && type !== 'application/json' && !MEDIA_TYPE.test(type)) {
      headers['content-type'] = 'application/octet-stream';
    }
    done();
  });
}

const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/;

/** No name and no id has it, and no store takes it as text: nothing can be found under such a path. */
function refuseZeroInPaths(app: FastifyInstance): void {
  app.addHook('onRequest', ({ url }, _reply, done) => {
    if (url.includes('%00') && /^[^?]*%00/.test(url)) throw notFound();
    done();
  });
}

function setHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headersOf(request));
    done();
  });
}

const headersOf = ({ id }: FastifyRequest) => ({
  'cache-control': 'no-store, no-cache, must-revalidate, private',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'x-request-id': id,
});

/** Every answer with a body says that it is a file, as the hosted service does (reference §1). */
function nameAnswers(crm: FastifyInstance): void {
  crm.addHook('onSend', (_request, reply, payload, done) => {
    if (payload) reply.header('content-disposition', 'attachment; filename=response.json');
    done();
  });
}

/** An answer that was begun before the end would otherwise leave its connection open, and closing would wait for it. */
function endConnectionsWhenClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done();
  });
}

function sendError(
  error: unknown,
  reply: FastifyReply,
  { logger, bodyLimit }: Pick<HttpParts, 'logger' | 'bodyLimit'>,
): FastifyReply {
  const known = fromFramework(error, reply.request.routeOptions?.bodyLimit ?? bodyLimit);
  const { status, body, isBug } = toWire(known);
  if (isBug) logger.error({ requestId: reply.request.id, err: error }, 'request failed by a bug');
  else if (status === 503 && hasCause(error))
    logger.warn({ requestId: reply.request.id, err: error }, 'request failed for now');
  const waitMs = known instanceof AppError ? known.retryAfterMs : undefined;
  if (waitMs !== undefined) reply.header('retry-after', String(Math.ceil(waitMs / 1000)));
  else if (status === 503) reply.header('retry-after', '1');
  return reply.code(status).type('application/json;charset=UTF-8').send(JSON.stringify(body));
}

/** Whether something broke, rather than being full or on its way out, which the request's own line shows. */
const hasCause = (error: unknown): boolean => error instanceof AppError && error.cause !== undefined;

/** What is no HTTP request, is too long a one, or came too slowly, is answered on the bare socket. */
function refuseBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = BROKEN[error.code ?? ''] ?? ['400 Bad Request', 'The request is not well-formed HTTP'];
  const text = JSON.stringify(toWire(new AppError('INVALID_DATA', message)).body);
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json;charset=UTF-8\r\nConnection: close`;
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

/** Faults that Node names, with the status line and the message they are answered with. */
const BROKEN: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `The request line and the headers are longer than ${maxHeaderSize} bytes`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request came too slowly'],
};
