import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/error.ts';
import type { OrgId, UserId } from '../../../domain/ids.ts';
import type { ClientView } from '../../../services/oauth/clients.ts';
import { administersOrg, readJsonBody } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import {
  closed,
  Ended,
  Info,
  InOrg,
  infoOf,
  isoOrNull,
  isoTime,
  OneClient,
  orgPath,
  PageQuery,
  Text,
  Time,
  TimeOrNull,
} from './shapes.ts';

const Uris = Type.Array(Type.String({ maxLength: 2048 }), {
  maxItems: 20,
  description: 'Where codes may be sent, compared letter by letter',
});
const UserOrNull = Type.Union([Type.String({ maxLength: 19 }), Type.Null()], {
  description: 'Id of the user whom client_credentials act as',
});
const ClientShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  redirect_uris: Type.Array(Type.String()),
  acting_user: UserOrNull,
  former_secret_until: TimeOrNull,
  created_at: Time,
});
const NewClient = Type.Object(
  { name: Text, redirect_uris: Type.Optional(Uris), acting_user: Type.Optional(Type.String({ maxLength: 19 })) },
  closed,
);
const ClientChange = Type.Object(
  { name: Type.Optional(Text), redirect_uris: Type.Optional(Uris), acting_user: Type.Optional(UserOrNull) },
  closed,
);
const WithSecret = Type.Object({
  client: ClientShape,
  client_secret: Type.String({ description: 'Shown once' }),
});
const Rotation = Type.Object(
  {
    keep_seconds: Type.Integer({
      minimum: 0,
      maximum: 2_592_000,
      default: 0,
      description: 'How long the present secret stays good beside the new one',
    }),
  },
  closed,
);
const NewGrant = Type.Object(
  {
    user: Type.String({ maxLength: 19, description: 'Id of the user to act as' }),
    scopes: Type.Array(Type.String({ maxLength: 100 }), { minItems: 1, maxItems: 50 }),
    redirect_uri: Type.Optional(Type.String({ maxLength: 2048, description: 'The exchange must name the same' })),
  },
  closed,
);
const Grant = Type.Object({ code: Type.String({ description: 'Good once, for three minutes' }) });

/** OAuth clients of an organisation. Their secrets are shown when they are made, and never again. */
export function clientAdminRoutes(app: FastifyInstance, { administration, auth, limiter, logger }: AdminParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['clients'];
  const note = noteActs(logger);
  const own = { onRequest: administersOrg(auth, limiter) };
  const withBody = { ...own, preValidation: readJsonBody };
  const path = `${orgPath}/:org/clients`;
  const one = `${path}/:client`;

  typed.get(
    path,
    {
      ...own,
      schema: {
        summary: 'List OAuth clients',
        tags,
        params: InOrg,
        querystring: PageQuery,
        response: { 200: Type.Object({ clients: Type.Array(ClientShape), info: Info }) },
      },
    },
    async ({ params, query }) => {
      await administration.findOrg(params.org as OrgId);
      const { clients, moreClients } = await auth.clients.list(params.org as OrgId, query.page, query.per_page);
      return { clients: clients.map(render), info: infoOf(query, clients.length, moreClients) };
    },
  );

  typed.post(
    path,
    {
      ...withBody,
      schema: { summary: 'Add an OAuth client', tags, params: InOrg, body: NewClient, response: { 201: WithSecret } },
    },
    async (request, reply) => {
      const org = request.params.org as OrgId;
      const { name, redirect_uris, acting_user } = request.body;
      await administration.requireKept(org);
      const { client, clientSecret } = await auth.clients.add(org, {
        name,
        ...(redirect_uris && { redirectUris: redirect_uris }),
        ...(acting_user !== undefined && { actingUserId: acting_user as UserId }),
      });
      note(request, 'add client', { org, client: client.id });
      reply.code(201);
      return { client: render(client), client_secret: clientSecret };
    },
  );

  typed.get(
    one,
    { ...own, schema: { summary: 'Show an OAuth client', tags, params: OneClient, response: { 200: ClientShape } } },
    async ({ params }) => render(found(await auth.clients.find(params.org as OrgId, params.client))),
  );

  typed.patch(
    one,
    {
      ...withBody,
      schema: {
        summary: 'Change its name, redirect URIs or acting user',
        tags,
        params: OneClient,
        body: ClientChange,
        response: { 200: ClientShape },
      },
    },
    async (request) => {
      const { org, client } = request.params;
      const { name, redirect_uris, acting_user } = request.body;
      await administration.requireKept(org as OrgId);
      const changed = await auth.clients.change(org as OrgId, client, {
        ...(name !== undefined && { name }),
        ...(redirect_uris !== undefined && { redirectUris: redirect_uris }),
        ...(acting_user !== undefined && { actingUserId: acting_user as UserId | null }),
      });
      const view = found(changed);
      note(request, 'change client', { org, client, changed: Object.keys(request.body) });
      return render(view);
    },
  );

  typed.delete(
    one,
    {
      ...own,
      schema: {
        summary: 'Remove an OAuth client with its tokens and the channels that it opened',
        tags,
        params: OneClient,
        response: { 200: Ended },
      },
    },
    async (request) => {
      const { org, client } = request.params;
      const ended = await administration.removeClient(org as OrgId, client);
      note(request, 'remove client', { org, client, channelsEnded: ended });
      return { status: 'removed', channels_ended: ended };
    },
  );

  typed.post(
    `${one}/secret`,
    {
      ...withBody,
      schema: {
        summary: 'Give it a new secret',
        tags,
        params: OneClient,
        body: Rotation,
        response: { 201: WithSecret },
      },
    },
    async (request, reply) => {
      const { org, client } = request.params;
      const { keep_seconds } = request.body;
      await administration.requireKept(org as OrgId);
      const made = found(await auth.clients.rotateSecret(org as OrgId, client, keep_seconds * 1000));
      note(request, 'rotate client secret', { org, client, keepSeconds: keep_seconds });
      reply.code(201);
      return { client: render(made.client), client_secret: made.clientSecret };
    },
  );

  typed.post(
    `${one}/grants`,
    {
      ...withBody,
      schema: {
        summary: 'Make a grant code for a user, as a self client gets one',
        tags,
        params: OneClient,
        body: NewGrant,
        response: { 201: Grant },
      },
    },
    async (request, reply) => {
      const { org, client } = request.params;
      const { user, scopes, redirect_uri } = request.body;
      await administration.requireKept(org as OrgId);
      found(await auth.clients.find(org as OrgId, client));
      const code = await auth.makeGrant({
        orgId: org as OrgId,
        clientId: client,
        userId: user as UserId,
        scopes,
        ...(redirect_uri !== undefined && { redirectUri: redirect_uri }),
      });
      note(request, 'make grant code', { org, client, user, scopes });
      reply.code(201);
      return { code };
    },
  );
}

function found<Found>(client: Found | undefined): Found {
  if (client === undefined) throw new AppError('NOT_FOUND', 'There is no such client', { api_name: 'client' });
  return client;
}

const render = ({ id, name, redirectUris, actingUserId, formerSecretUntil, createdAt }: ClientView) => ({
  id,
  name,
  redirect_uris: [...redirectUris],
  acting_user: actingUserId ?? null,
  former_secret_until: isoOrNull(formerSecretUntil),
  created_at: isoTime(createdAt),
});
