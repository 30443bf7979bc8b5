import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { UserId } from '../../../domain/ids.ts';
import type { ChannelView } from '../../../services/channel-control.ts';
import type { Surface } from '../../surface.ts';
import { readJsonBodyIfAny } from '../admin/access.ts';
import { noteActsOn } from '../admin/act.ts';
import { closed, Info, infoOf, isoOrNull, isoTime, Paging, Time, TimeOrNull } from '../admin/shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const StringOrNull = Type.Union([Type.String(), Type.Null()]);
const ChannelShape = Type.Object({
  channel_id: Type.String(),
  generation: Type.String(),
  user: Type.String(),
  client: StringOrNull,
  modules: Type.Array(Type.String()),
  receiver: Type.String({ description: 'Origin and path of the notify URL' }),
  state: Type.Union([Type.Literal('live'), Type.Literal('suspended'), Type.Literal('expired'), Type.Literal('ended')], {
    description: 'Of one that is both, expired: only a POST by its owner takes it up again, which resumes it too',
  }),
  opened_at: Time,
  expires_at: Time,
  suspended_at: TimeOrNull,
  suspended_reason: Type.Union([Type.String(), Type.Null()], { description: 'failing, gone (410) or operator' }),
  failing_since: Type.Union([Time, Type.Null()], {
    description: 'First failure since its last success; null: it is well, or nothing was sent',
  }),
  failed_attempts: Type.Integer({ description: 'Since then' }),
  last_number: Type.Integer({ description: 'Of its newest notification' }),
  owed: Type.Integer({
    description:
      'Notifications that it is owed, held ones too. More than 10,000 in a list are 10001, more than 1,000,000 of one 1000001',
  }),
  oldest_owed_at: Type.Union([Time, Type.Null()], { description: 'When the change of the oldest was made' }),
  cancelled_to: Type.Union([Type.Integer(), Type.Null()], {
    description: 'What it still owed up to this number was cancelled, as cancelled_reason says',
  }),
  cancelled_reason: Type.Union([Type.String(), Type.Null()], {
    description: 'expired (opened again under the setting drop) or skipped (by an operator who resumed it)',
  }),
  ended_at: TimeOrNull,
  ended_reason: Type.Union([Type.String(), Type.Null()], {
    description: 'deleted, user-deactivated, user-removed, client-removed or retention',
  }),
});
const Listed = {
  ...Paging,
  client: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  ended: Type.Boolean({ default: false, description: 'Those that have ended instead of the others' }),
};
const Query = {
  owner: Type.Object(Listed, closed),
  operator: Type.Object({ ...Listed, user: Type.Optional(Type.String({ pattern: '^\\d{19}$' })) }, closed),
};
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
  const { administration, channelControl, logger } = parts;
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
      return { channels: items.map(render), info: infoOf(query, items.length, hasMore) };
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
        response: { 200: ChannelShape },
      },
    },
    async (request) => render(await channelControl.find(sightOf(request).org, await generationOf(request))),
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
        response: { 200: ChannelShape },
      },
    },
    async (request) => {
      const { org } = sightOf(request);
      const generation = await generationOf(request);
      await administration.requireKept(org);
      const suspended = await channelControl.suspend(org, generation);
      note(request, 'suspend channel', { org, generation });
      return render(suspended);
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
        response: { 200: ChannelShape },
      },
    },
    async (request) => {
      const { org } = sightOf(request);
      const { mode = 'backlog' } = request.body;
      const generation = await generationOf(request);
      await administration.requireKept(org);
      const resumed = await channelControl.resume(org, generation, mode);
      note(request, 'resume channel', { org, generation, mode });
      return render(resumed);
    },
  );
}

const render = ({ channel, state, health, owed }: ChannelView) => ({
  channel_id: channel.channelId,
  generation: channel.generation,
  user: channel.userId,
  client: channel.clientId ?? null,
  modules: [...new Set(channel.events.map(({ module }) => module))],
  receiver: receiverOf(channel.notifyUrl),
  state,
  opened_at: isoTime(channel.openedAt),
  expires_at: isoTime(channel.expiresAt),
  suspended_at: isoOrNull(channel.suspension?.at),
  suspended_reason: channel.suspension?.why ?? null,
  failing_since: isoOrNull(health?.failingSince),
  failed_attempts: health?.failedAttempts ?? 0,
  last_number: channel.lastNumber,
  owed: owed.count,
  oldest_owed_at: isoOrNull(owed.oldestAt),
  cancelled_to: channel.cancelledTo ?? null,
  cancelled_reason: channel.cancelledWhy ?? null,
  ended_at: isoOrNull(channel.endedAt),
  ended_reason: channel.endedReason ?? null,
});

/** Queries carry secrets (P9). */
function receiverOf(notifyUrl: string): string {
  if (!URL.canParse(notifyUrl)) return 'unknown';
  const { origin, pathname } = new URL(notifyUrl);
  return origin + pathname;
}
