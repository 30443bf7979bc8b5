import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { OrgId, UserId } from '../../../domain/ids.ts';
import type { Member } from '../../../services/administration.ts';
import { administersOrg, readJsonBody } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import { closed, Done, Ended, Info, InOrg, infoOf, OneUser, orgPath, PageQuery, Text } from './shapes.ts';

const State = Type.Union([Type.Literal('active'), Type.Literal('inactive')]);

const UserShape = Type.Object({
  id: Type.String(),
  email: Type.String(),
  first_name: Type.String(),
  last_name: Type.String(),
  profile: Type.Object({ id: Type.String(), name: Type.String() }),
  status: Type.Union([...State.anyOf, Type.Literal('removed')]),
});

const NewUser = Type.Object(
  {
    email: Text,
    first_name: Type.Optional(Text),
    last_name: Text,
    profile: Type.String({ maxLength: 19, description: 'Id of a profile' }),
  },
  closed,
);

const UserChange = Type.Object(
  {
    email: Type.Optional(Text),
    first_name: Type.Optional(Text),
    last_name: Type.Optional(Text),
    profile: Type.Optional(Type.String({ maxLength: 19 })),
    status: Type.Optional(State),
  },
  closed,
);

const Changed = Type.Object({ ...UserShape.properties, channels_ended: Type.Integer() });

const SignInKey = Type.Object({
  sign_in_key: Type.String({ description: 'Shown once; the one before is good no more' }),
});

/** Users of an organisation, and the keys with which they sign in on the consent page. */
export function userAdminRoutes(app: FastifyInstance, { administration, auth, limiter, logger }: AdminParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['users'];
  const note = noteActs(logger);
  const own = { onRequest: administersOrg(auth, limiter) };
  const withBody = { ...own, preValidation: readJsonBody };
  const path = `${orgPath}/:org/users`;
  const one = `${path}/:user`;

  typed.get(
    path,
    {
      ...own,
      schema: {
        summary: 'List users, removed ones too',
        tags,
        params: InOrg,
        querystring: PageQuery,
        response: { 200: Type.Object({ users: Type.Array(UserShape), info: Info }) },
      },
    },
    async ({ params, query }) => {
      const { items, hasMore } = await administration.listUsers(params.org as OrgId, query.page, query.per_page);
      return { users: items.map(render), info: infoOf(query, items.length, hasMore) };
    },
  );

  typed.post(
    path,
    {
      ...withBody,
      schema: { summary: 'Add a user', tags, params: InOrg, body: NewUser, response: { 201: UserShape } },
    },
    async (request, reply) => {
      const org = request.params.org as OrgId;
      const { email, first_name, last_name, profile } = request.body;
      const member = await administration.addUser(org, {
        email,
        firstName: first_name ?? '',
        lastName: last_name,
        profileId: profile,
      });
      note(request, 'add user', { org, user: member.user.id });
      reply.code(201);
      return render(member);
    },
  );

  typed.get(
    one,
    { ...own, schema: { summary: 'Show a user', tags, params: OneUser, response: { 200: UserShape } } },
    async ({ params }) => render(await administration.findUser(params.org as OrgId, params.user as UserId)),
  );

  typed.patch(
    one,
    {
      ...withBody,
      schema: {
        summary: 'Change a user; status inactive ends their tokens and channels, active lets them sign in again',
        tags,
        params: OneUser,
        body: UserChange,
        response: { 200: Changed },
      },
    },
    async (request) => {
      const { org, user } = request.params;
      const { email, first_name, last_name, profile, status } = request.body;
      const { member, ended } = await administration.changeUser(org as OrgId, user as UserId, {
        ...(email !== undefined && { email }),
        ...(first_name !== undefined && { firstName: first_name }),
        ...(last_name !== undefined && { lastName: last_name }),
        ...(profile !== undefined && { profileId: profile }),
        ...(status !== undefined && { status }),
      });
      note(request, 'change user', { org, user, changed: Object.keys(request.body), channelsEnded: ended });
      return { ...render(member), channels_ended: ended };
    },
  );

  typed.delete(
    one,
    {
      ...own,
      schema: {
        summary: 'Remove a user for good, with tokens and channels; the name stays with the records',
        tags,
        params: OneUser,
        response: { 200: Ended },
      },
    },
    async (request) => {
      const { org, user } = request.params;
      const ended = await administration.removeUser(org as OrgId, user as UserId);
      note(request, 'remove user', { org, user, channelsEnded: ended });
      return { status: 'removed', channels_ended: ended };
    },
  );

  typed.post(
    `${one}/sign_in_key`,
    {
      ...own,
      schema: {
        summary: 'Make a new sign-in key for the consent page',
        tags,
        params: OneUser,
        response: { 201: SignInKey },
      },
    },
    async (request, reply) => {
      const { org, user } = request.params;
      await administration.findUser(org as OrgId, user as UserId);
      const key = await auth.signInKeys.issue(org as OrgId, user as UserId);
      note(request, 'make sign-in key', { org, user });
      reply.code(201);
      return { sign_in_key: key };
    },
  );

  typed.delete(
    `${one}/sign_in_key`,
    { ...own, schema: { summary: "Take a user's sign-in key away", tags, params: OneUser, response: { 200: Done } } },
    async (request) => {
      const { org, user } = request.params;
      await administration.findUser(org as OrgId, user as UserId);
      await auth.signInKeys.revoke(org as OrgId, user as UserId);
      note(request, 'remove sign-in key', { org, user });
      return { status: 'removed' };
    },
  );
}

const render = ({ user: { id, email, firstName, lastName, status = 'active' }, profile }: Member) => ({
  id,
  email,
  first_name: firstName,
  last_name: lastName,
  profile: { id: profile.id, name: profile.name },
  status,
});
