import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { OrgId } from '../../../domain/ids.ts';
import type { Org } from '../../../domain/org.ts';
import { administersAll, administersOrg, administersSome, operatorOf, readJsonBody } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import { closed, Info, InOrg, infoOf, isoOrNull, orgPath, PageQuery, Text, TimeOrNull } from './shapes.ts';

const OrgShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  time_zone: Type.String(),
  state: Type.Union([Type.Literal('active'), Type.Literal('suspended'), Type.Literal('erasing')]),
  suspended_at: TimeOrNull,
});

const NewOrg = Type.Object(
  {
    name: Text,
    time_zone: Type.Optional(Type.String({ maxLength: 100, description: 'IANA name; UTC when absent' })),
    email: Type.String({ maxLength: 254, description: 'Of its first user' }),
    first_name: Type.Optional(Text),
    last_name: Text,
    client_name: Type.Optional(Text),
  },
  closed,
);

const MadeOrg = Type.Object({
  org: OrgShape,
  user_id: Type.String(),
  client_id: Type.String(),
  client_secret: Type.String({ description: 'Shown once, like the two below' }),
  refresh_token: Type.String(),
  admin_token: Type.String({ description: 'Administers this organisation only' }),
});

const OrgChange = Type.Object(
  { name: Type.Optional(Text), time_zone: Type.Optional(Type.String({ maxLength: 100 })) },
  closed,
);

/** Organisations: made and listed by the operator of all, looked after by their own as well. */
export function orgAdminRoutes(app: FastifyInstance, { administration, auth, limiter, logger }: AdminParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['organisations'];
  const note = noteActs(logger);
  const own = { onRequest: administersOrg(auth, limiter) };
  // An organisation that the platform has suspended must not resume itself.
  const ofAll = { onRequest: administersAll(auth, limiter) };
  const one = `${orgPath}/:org`;

  typed.get(
    orgPath,
    {
      onRequest: administersSome(auth, limiter),
      schema: {
        summary: 'List organisations; with the token of one, that one',
        tags,
        querystring: PageQuery,
        response: { 200: Type.Object({ orgs: Type.Array(OrgShape), info: Info }) },
      },
    },
    async (request) => {
      const { page, per_page } = request.query;
      const { orgId } = operatorOf(request);
      if (orgId !== undefined) {
        const orgs = page === 1 ? [render(await administration.findOrg(orgId))] : [];
        return { orgs, info: infoOf(request.query, orgs.length, false) };
      }
      const { items, hasMore } = await administration.listOrgs(page, per_page);
      return { orgs: items.map(render), info: infoOf(request.query, items.length, hasMore) };
    },
  );

  typed.post(
    orgPath,
    {
      ...ofAll,
      preValidation: readJsonBody,
      schema: {
        summary: 'Make an organisation with its first user, OAuth client and admin token',
        tags,
        body: NewOrg,
        response: { 201: MadeOrg },
      },
    },
    async (request, reply) => {
      const { name, time_zone, email, first_name, last_name, client_name } = request.body;
      const made = await administration.addOrg({
        orgName: name,
        timeZone: time_zone ?? 'UTC',
        email,
        firstName: first_name ?? '',
        lastName: last_name,
        clientName: client_name ?? 'First client',
      });
      note(request, 'add organisation', { org: made.orgId, user: made.userId, client: made.clientId });
      reply.code(201);
      return {
        org: render(await administration.findOrg(made.orgId)),
        user_id: made.userId,
        client_id: made.clientId,
        client_secret: made.clientSecret,
        refresh_token: made.refreshToken,
        admin_token: made.adminToken,
      };
    },
  );

  typed.get(
    one,
    { ...own, schema: { summary: 'Show an organisation', tags, params: InOrg, response: { 200: OrgShape } } },
    async ({ params }) => render(await administration.findOrg(params.org as OrgId)),
  );

  typed.patch(
    one,
    {
      ...own,
      preValidation: readJsonBody,
      schema: {
        summary: 'Change its name or time zone',
        tags,
        params: InOrg,
        body: OrgChange,
        response: { 200: OrgShape },
      },
    },
    async (request) => {
      const { name, time_zone } = request.body;
      const org = request.params.org as OrgId;
      const changed = await administration.changeOrg(org, {
        ...(name !== undefined && { name }),
        ...(time_zone !== undefined && { timeZone: time_zone }),
      });
      note(request, 'change organisation', { org, changed: Object.keys(request.body) });
      return render(changed);
    },
  );

  typed.post(
    `${one}/suspend`,
    {
      ...ofAll,
      schema: {
        summary: 'Serve it nothing and send nothing for it; what is owed stays owed',
        tags,
        params: InOrg,
        response: { 200: OrgShape },
      },
    },
    async (request) => {
      const org = request.params.org as OrgId;
      const suspended = await administration.suspend(org);
      note(request, 'suspend organisation', { org });
      return render(suspended);
    },
  );

  typed.post(
    `${one}/resume`,
    {
      ...ofAll,
      schema: {
        summary: 'Serve it again; what it owes flows on',
        tags,
        params: InOrg,
        response: { 200: OrgShape },
      },
    },
    async (request) => {
      const org = request.params.org as OrgId;
      const resumed = await administration.resume(org);
      note(request, 'resume organisation', { org });
      return render(resumed);
    },
  );

  typed.delete(
    one,
    {
      ...own,
      schema: {
        summary: 'Erase it with all that it has, in the background; cannot be taken back',
        tags,
        params: InOrg,
        response: { 202: OrgShape },
      },
    },
    async (request, reply) => {
      const org = request.params.org as OrgId;
      const erasing = await administration.erase(org);
      note(request, 'erase organisation', { org });
      reply.code(202);
      return render(erasing);
    },
  );
}

function render({ id, name, timeZone, suspendedAt, erasingAt }: Org) {
  const state = erasingAt !== undefined ? 'erasing' : suspendedAt !== undefined ? 'suspended' : 'active';
  return { id, name, time_zone: timeZone, state, suspended_at: isoOrNull(suspendedAt) } as const;
}
