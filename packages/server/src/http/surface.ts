import type { FastifyReply, FastifyRequest } from 'fastify';
import { type TObject, Type } from 'typebox';
import { AppError } from '../domain/error.ts';
import { type Generation, type OrgId, parseChannelId, type UserId } from '../domain/ids.ts';
import { mayUse } from '../domain/modules/catalog.ts';
import type { Principal } from '../domain/org.ts';
import type { ScopeNeed, ScopeOperation } from '../domain/scope.ts';
import type { ApiVersion } from '../domain/wire/api-version.ts';
import type { Auth } from '../services/auth.ts';
import type { Channels } from '../services/channels.ts';
import type { RateLimiter } from './rate-limit.ts';
import { administersOrg, operatorOf } from './routes/admin/access.ts';
import { InOrg } from './routes/admin/shapes.ts';

/** Whose channels a caller of our own API may see and change. */
export interface Sight {
  readonly org: OrgId;
  /** Undefined: the operator's, all of the organisation. */
  readonly user?: UserId;
  /** Who asks, for what is kept of it: the user's id, or `operator`. */
  readonly by: string;
  /** Whether the caller may know of the records of a module. */
  readonly mayUse: (module: string) => boolean;
}

/** What reading and changing need of an owner's token: a scope of the watch operations, and no other. */
const SCOPES = {
  read: ['READ'],
  change: ['UPDATE', 'WRITE', 'CREATE'],
} as const satisfies Record<string, readonly ScopeOperation[]>;

/** Options of a route, to be spread into it. */
interface Gate {
  readonly onRequest: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  readonly config?: { readonly need: ScopeNeed };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What an access token must be good for; for the API document. */
    readonly need?: ScopeNeed;
  }
}

/**
 * One of the two ways in which the same routes are served: to owners, for their own channels by their OAuth tokens, and
 * to operators, for all channels of an organisation by their admin tokens.
 */
export interface Surface {
  readonly name: 'owner' | 'operator';
  /** `/_watchbell/v1`, or `/_watchbell/v1/orgs/:org`. */
  readonly path: string;
  /** Of one channel: the owner's by its channel id, the operator's by its generation. */
  readonly channelPath: string;
  /** Parameters of the two paths. */
  readonly Params: TObject;
  readonly ChannelParams: TObject;
  /** What every route that reads of one channel takes in its query; spread it into what that takes. */
  readonly ChannelQuery: Readonly<Record<never, never>>;
  /** Spread one of the two into each route. */
  readonly reads: Gate;
  readonly changes: Gate;
  /** For a request that `reads` let pass and that waited: refuses whom it would not let pass any more. */
  readonly mayStillRead: (request: FastifyRequest) => Promise<void>;
  /** Of a request that one of the two let pass. */
  readonly sightOf: (request: FastifyRequest) => Sight;
  /** The channel that the path names, ended or not; else NOT_FOUND. */
  readonly generationOf: (request: FastifyRequest) => Promise<Generation>;
}

export interface SurfaceParts {
  readonly auth: Auth;
  readonly limiter: Pick<RateLimiter, 'signIn' | 'begin'>;
  /** The owner's channel of this id that has not ended; with `generation`, that one, ended or not. */
  readonly findOwn: Channels['findOwn'];
  /** Called at each request, so that what was delivered just before is most likely told as delivered. */
  readonly saveOutcomes: () => void;
}

const noChannel = (): AppError =>
  new AppError('NOT_FOUND', 'There is no such channel, or it has ended', { api_name: 'channel' });

/** In whose words too many requests are refused. */
const LATEST: ApiVersion = 'v8';

const principals = new WeakMap<FastifyRequest, Principal>();

export function ownersSurface({ auth, limiter, findOwn, saveOutcomes }: SurfaceParts): Surface {
  const needFor = (operations: readonly ScopeOperation[]): ScopeNeed => ({ family: 'notifications', operations });
  const gate = (operations: readonly ScopeOperation[]): Gate => {
    const need = needFor(operations);
    return {
      config: { need },
      async onRequest(request, reply) {
        const { authorization } = request.headers;
        const token = authorization?.trim().split(' ').at(-1);
        const signIn = () => auth.authenticate(authorization);
        const principal = await limiter.signIn(request, token, signIn, { version: LATEST });
        reply.raw.once('close', limiter.begin(principal, LATEST));
        auth.requireScope(principal, need);
        principals.set(request, principal);
        saveOutcomes();
      },
    };
  };
  const sightOf = (request: FastifyRequest): Sight => {
    const principal = principals.get(request);
    if (!principal) throw new Error('The route has no hook that identifies the caller');
    const { org, user, profile } = principal;
    return { org: org.id, user: user.id, by: user.id, mayUse: (module) => mayUse(profile, module) };
  };
  return {
    name: 'owner',
    path: '/_watchbell/v1',
    channelPath: '/_watchbell/v1/channels/:channel',
    Params: Type.Object({}),
    ChannelParams: Type.Object({
      channel: Type.String({ minLength: 1, maxLength: 20, description: 'Channel id, of a channel of the caller' }),
    }),
    ChannelQuery: {
      generation: Type.Optional(
        Type.String({ minLength: 1, maxLength: 100, description: 'An earlier one of that channel id; it has ended' }),
      ),
    },
    reads: gate(SCOPES.read),
    changes: gate(SCOPES.change),
    async mayStillRead({ headers }) {
      auth.requireScope(await auth.authenticate(headers.authorization), needFor(SCOPES.read));
    },
    sightOf,
    async generationOf(request) {
      const { org, user } = sightOf(request);
      const channelId = parseChannelId((request.params as { channel: string }).channel);
      const { generation } = request.query as { readonly generation?: unknown };
      if (Array.isArray(generation)) {
        throw new AppError('INVALID_DATA', 'generation is given more than once', { api_name: 'generation' });
      }
      // Routes that change a channel have no schema for their queries.
      if (String(generation).includes('\0')) throw noChannel();
      const of = typeof generation === 'string' && { generation: generation as Generation };
      const found = channelId && user && (await findOwn(org, user, { channelId, ...of }));
      if (!found) throw noChannel();
      return found;
    },
  };
}

/** Whether the generation is there, the route's service says. */
export function operatorsSurface({ auth, limiter, saveOutcomes }: Omit<SurfaceParts, 'findOwn'>): Surface {
  const administers = administersOrg(auth, limiter);
  const gate: Gate = {
    async onRequest(request) {
      await administers(request);
      saveOutcomes();
    },
  };
  return {
    name: 'operator',
    path: '/_watchbell/v1/orgs/:org',
    channelPath: '/_watchbell/v1/orgs/:org/channels/:generation',
    Params: InOrg,
    ChannelParams: Type.Object({
      ...InOrg.properties,
      generation: Type.String({ minLength: 1, maxLength: 100, description: 'Generation of the channel' }),
    }),
    ChannelQuery: {},
    reads: gate,
    changes: gate,
    mayStillRead: administers,
    sightOf(request) {
      operatorOf(request);
      return { org: (request.params as { org: OrgId }).org, by: 'operator', mayUse: () => true };
    },
    generationOf: async (request) => (request.params as { generation: Generation }).generation,
  };
}
