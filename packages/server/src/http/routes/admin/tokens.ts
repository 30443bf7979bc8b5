import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/error.ts';
import type { OrgId, UserId } from '../../../domain/ids.ts';
import type { TokenView } from '../../../services/oauth/issued-tokens.ts';
import { administersOrg } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import { closed, Done, Info, InOrg, infoOf, isoOrNull, isoTime, orgPath, Paging, Time, TimeOrNull } from './shapes.ts';

const TokenShape = Type.Object({
  id: Type.String({ description: 'Names the token; nothing can be called with it' }),
  kind: Type.String({ description: 'grant, refresh, access, admin or sign-in' }),
  user: Type.Union([Type.String(), Type.Null()]),
  client: Type.Union([Type.String(), Type.Null()]),
  scopes: Type.Array(Type.String()),
  created_at: Time,
  expires_at: TimeOrNull,
});
const Whose = {
  user: Type.Optional(Type.String({ pattern: '^\\d{19}$' })),
  client: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
};
const Query = Type.Object({ ...Paging, ...Whose }, closed);
const OneToken = Type.Object({ ...InOrg.properties, token: Type.String({ pattern: '^[0-9a-f]{24}$' }) });
const Revoked = Type.Object({ status: Type.String(), tokens_ended: Type.Integer() });

/** Live tokens of an organisation, by what is known of them; the tokens themselves are not kept. */
export function tokenAdminRoutes(app: FastifyInstance, { administration, auth, limiter, logger }: AdminParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['tokens'];
  const note = noteActs(logger);
  const own = { onRequest: administersOrg(auth, limiter) };
  const path = `${orgPath}/:org/tokens`;

  typed.get(
    path,
    {
      ...own,
      schema: {
        summary: 'List live tokens, newest first',
        tags,
        params: InOrg,
        querystring: Query,
        response: { 200: Type.Object({ tokens: Type.Array(TokenShape), info: Info }) },
      },
    },
    async ({ params, query }) => {
      const org = params.org as OrgId;
      await administration.findOrg(org);
      const { tokens, moreTokens } = await auth.issued.list(org, filterOf(query), query.page, query.per_page);
      return { tokens: tokens.map(render), info: infoOf(query, tokens.length, moreTokens) };
    },
  );

  typed.delete(
    path,
    {
      ...own,
      schema: {
        summary: 'Revoke all tokens of a user, of a client, or of a user by a client',
        tags,
        params: InOrg,
        querystring: Type.Object(Whose, closed),
        response: { 200: Revoked },
      },
    },
    async (request) => {
      const org = request.params.org as OrgId;
      const { user, client } = request.query;
      if (user === undefined && client === undefined) {
        throw new AppError('REQUIRED_PARAM_MISSING', 'Name a user, a client or both', { param_name: 'user' });
      }
      await administration.findOrg(org);
      const ended = await auth.issued.removeOf(org, filterOf(request.query));
      note(request, 'revoke tokens', { org, user, client, tokensEnded: ended });
      return { status: 'revoked', tokens_ended: ended };
    },
  );

  typed.delete(
    `${path}/:token`,
    {
      ...own,
      schema: {
        summary: 'Revoke one token, with those that were issued from it',
        tags,
        params: OneToken,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { org, token } = request.params;
      if (!(await auth.issued.remove(org as OrgId, token))) {
        throw new AppError('NOT_FOUND', 'There is no such token', { api_name: 'token' });
      }
      note(request, 'revoke token', { org, token });
      return { status: 'revoked' };
    },
  );
}

const filterOf = ({ user, client }: { readonly user?: string; readonly client?: string }) => ({
  ...(user !== undefined && { userId: user as UserId }),
  ...(client !== undefined && { clientId: client }),
});

const render = ({ id, kind, userId, clientId, scopes, createdAt, expiresAt }: TokenView) => ({
  id,
  kind,
  user: userId ?? null,
  client: clientId ?? null,
  scopes: [...scopes],
  created_at: isoTime(createdAt),
  expires_at: isoOrNull(expiresAt),
});
