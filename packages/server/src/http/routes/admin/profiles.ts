import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { OrgId, ProfileId } from '../../../domain/ids.ts';
import type { Profile } from '../../../domain/org.ts';
import { administersOrg, readJsonBody } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import { closed, Done, Info, InOrg, infoOf, OneProfile, orgPath, PageQuery, Text } from './shapes.ts';

const Denied = Type.Array(Type.String({ maxLength: 100 }), {
  maxItems: 200,
  description: 'API names of modules that its users may neither read, write nor watch',
});
const ProfileShape = Type.Object({ id: Type.String(), name: Type.String(), denied_modules: Denied });
const NewProfile = Type.Object({ name: Text, denied_modules: Type.Optional(Denied) }, closed);
const ProfileChange = Type.Object({ name: Type.Optional(Text), denied_modules: Type.Optional(Denied) }, closed);

/** Profiles of an organisation: which modules their users may use. */
export function profileAdminRoutes(app: FastifyInstance, { administration, auth, limiter, logger }: AdminParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['profiles'];
  const note = noteActs(logger);
  const own = { onRequest: administersOrg(auth, limiter) };
  const withBody = { ...own, preValidation: readJsonBody };
  const path = `${orgPath}/:org/profiles`;
  const one = `${path}/:profile`;

  typed.get(
    path,
    {
      ...own,
      schema: {
        summary: 'List profiles',
        tags,
        params: InOrg,
        querystring: PageQuery,
        response: { 200: Type.Object({ profiles: Type.Array(ProfileShape), info: Info }) },
      },
    },
    async ({ params, query }) => {
      const { items, hasMore } = await administration.listProfiles(params.org as OrgId, query.page, query.per_page);
      return { profiles: items.map(render), info: infoOf(query, items.length, hasMore) };
    },
  );

  typed.post(
    path,
    {
      ...withBody,
      schema: { summary: 'Add a profile', tags, params: InOrg, body: NewProfile, response: { 201: ProfileShape } },
    },
    async (request, reply) => {
      const org = request.params.org as OrgId;
      const { name, denied_modules } = request.body;
      const profile = await administration.addProfile(org, { name, deniedModules: denied_modules ?? [] });
      note(request, 'add profile', { org, profile: profile.id });
      reply.code(201);
      return render(profile);
    },
  );

  typed.get(
    one,
    { ...own, schema: { summary: 'Show a profile', tags, params: OneProfile, response: { 200: ProfileShape } } },
    async ({ params }) => render(await administration.findProfile(params.org as OrgId, params.profile as ProfileId)),
  );

  typed.patch(
    one,
    {
      ...withBody,
      schema: {
        summary: 'Change its name, or the modules that it denies: the list given takes the place of the one before',
        tags,
        params: OneProfile,
        body: ProfileChange,
        response: { 200: ProfileShape },
      },
    },
    async (request) => {
      const { org, profile } = request.params;
      const { name, denied_modules } = request.body;
      const changed = await administration.changeProfile(org as OrgId, profile as ProfileId, {
        ...(name !== undefined && { name }),
        ...(denied_modules !== undefined && { deniedModules: denied_modules }),
      });
      note(request, 'change profile', { org, profile, changed: Object.keys(request.body) });
      return render(changed);
    },
  );

  typed.delete(
    one,
    {
      ...own,
      schema: { summary: 'Remove a profile that no user has', tags, params: OneProfile, response: { 200: Done } },
    },
    async (request) => {
      const { org, profile } = request.params;
      await administration.removeProfile(org as OrgId, profile as ProfileId);
      note(request, 'remove profile', { org, profile });
      return { status: 'removed' };
    },
  );
}

const render = ({ id, name, deniedModules }: Profile) => ({ id, name, denied_modules: [...deniedModules] });
