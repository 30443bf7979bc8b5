import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { UserId } from '../../../domain/ids.ts';
import { CursorPaging, Next } from '../../cursor.ts';
import type { Surface } from '../../surface.ts';
import { readJsonBodyIfAny } from '../admin/access.ts';
import { noteActsOn } from '../admin/act.ts';
import { closed, Info, infoOf, Paging } from '../admin/shapes.ts';
import {
  ChannelShape,
  DetailsShape,
  RevisionShape,
  renderChannel,
  renderDetails,
  renderRevision,
} from './channel-shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const Listed = {
  ...Paging,
  client: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  ended: Type.Boolean({ default: false, description: 'Those that have ended instead of the others' }),
};
const Query = {
  owner: Type.Object(Listed, closed),
  operator: Type.Object({ ...Listed, user: Type.Optional(Type.String({ pattern: '^\\d{19}$' })) }, closed),
};
const RevisionPlace = Type.Object({ before: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }, closed);
const Resumption = Type.Object(
  {
    mode: Type.Optional(
      Type.Union([Type.Literal('backlog'), Type.Literal('skip')], {
        description: 'What it owes flows on (backlog, also when absent), or is cancelled (skip)',
      }),
    ),
  },
  closed,
);

/** Channels: whose they are, how their receivers do, and why they stopped or ended. */
export function channelRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  const { administration, channelControl, cursors, logger } = parts;
  const { sightOf, generationOf, channelPath } = surface;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const note = noteActsOn(surface, logger);
  const tags = ['channels'];

  typed.get(
    `${surface.path}/channels`,
    {
      ...surface.reads,
      schema: {
        summary: 'List channels in the order in which they were opened',
        tags,
        params: surface.Params,
        querystring: Query[surface.name],
        response: { 200: Type.Object({ channels: Type.Array(ChannelShape), info: Info }) },
      },
    },
    async (request) => {
      const { query } = request;
      const { org, user } = sightOf(request);
      const userId = user ?? ('user' in query ? (query.user as UserId | undefined) : undefined);
      await administration.findOrg(org);
      const filter = { userId, clientId: query.client, ended: query.ended };
      const { items, hasMore } = await channelControl.list(org, filter, query.page, query.per_page);
      return { channels: items.map(renderChannel), info: infoOf(query, items.length, hasMore) };
    },
  );

  typed.get(
    channelPath,
    {
      ...surface.reads,
      schema: {
        summary: 'Show a channel; ended ones too, by their generation',
        tags,
        params: surface.ChannelParams,
        querystring: Type.Object(surface.ChannelQuery, closed),
        response: { 200: DetailsShape },
      },
    },
    async (request) => renderDetails(await channelControl.find(sightOf(request).org, await generationOf(request))),
  );

  typed.get(
    `${channelPath}/revisions`,
    {
      ...surface.reads,
      schema: {
        summary: 'List what was made of a channel, newest first, as far as retention keeps it',
        tags,
        params: surface.ChannelParams,
        querystring: Type.Object({ ...surface.ChannelQuery, ...CursorPaging }, closed),
        response: { 200: Type.Object({ revisions: Type.Array(RevisionShape), next: Next }) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const sight = sightOf(request);
      const before = cursors.read(sight, cursor, RevisionPlace)?.before;
      const generation = await generationOf(request);
      const { revisions, hasMore } = await channelControl.revisions(sight.org, generation, before, limit);
      const last = revisions.at(-1);
      return {
        revisions: revisions.map(renderRevision),
        next: hasMore && last ? cursors.write(sight, { before: last.version }) : null,
      };
    },
  );

  typed.post(
    `${channelPath}/suspend`,
    {
      ...surface.changes,
      schema: {
        summary:
          'Send nothing for it until it is resumed, here or by a POST or PUT of its owner; what it owes stays owed',
        tags,
        params: surface.ChannelParams,
        response: { 200: DetailsShape },
      },
    },
    async (request) => {
      const { org } = sightOf(request);
      const generation = await generationOf(request);
      await administration.requireKept(org);
      const suspended = await channelControl.suspend(org, generation);
      note(request, 'suspend channel', { org, generation });
      return renderDetails(suspended);
    },
  );

  typed.post(
    `${channelPath}/resume`,
    {
      ...surface.changes,
      preValidation: readJsonBodyIfAny,
      schema: {
        summary: 'Let it go on, with what it owes or without',
        tags,
        params: surface.ChannelParams,
        body: Resumption,
        response: { 200: DetailsShape },
      },
    },
    async (request) => {
      const { org } = sightOf(request);
      const { mode = 'backlog' } = request.body;
      const generation = await generationOf(request);
      await administration.requireKept(org);
      const resumed = await channelControl.resume(org, generation, mode);
      note(request, 'resume channel', { org, generation, mode });
      return renderDetails(resumed);
    },
  );
}
