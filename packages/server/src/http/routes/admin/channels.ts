import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Generation, OrgId, UserId } from '../../../domain/ids.ts';
import type { ChannelView } from '../../../services/channel-control.ts';
import { administersOrg, readJsonBodyIfAny } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import { closed, Info, InOrg, infoOf, isoOrNull, isoTime, orgPath, Paging, Time, TimeOrNull } from './shapes.ts';

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
const Query = Type.Object(
  {
    ...Paging,
    user: Type.Optional(Type.String({ pattern: '^\\d{19}$' })),
    client: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    ended: Type.Boolean({ default: false, description: 'Those that have ended instead of the others' }),
  },
  closed,
);
export const OneChannel = Type.Object({
  ...InOrg.properties,
  generation: Type.String({ minLength: 1, maxLength: 100, description: 'Generation of the channel' }),
});
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

/** Channels of an organisation, of all its users: whose they are, how their receivers do, and why they stopped or ended. */
export function channelAdminRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { administration, channelControl, auth, limiter, logger } = parts;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const own = { onRequest: administersOrg(auth, limiter) };
  const note = noteActs(logger);
  const tags = ['channels'];
  const all = `${orgPath}/:org/channels`;
  const one = `${all}/:generation`;

  typed.get(
    all,
    {
      ...own,
      schema: {
        summary: 'List channels in the order in which they were opened',
        tags,
        params: InOrg,
        querystring: Query,
        response: { 200: Type.Object({ channels: Type.Array(ChannelShape), info: Info }) },
      },
    },
    async ({ params, query }) => {
      const filter = { userId: query.user as UserId | undefined, clientId: query.client, ended: query.ended };
      const org = params.org as OrgId;
      await administration.findOrg(org);
      const { items, hasMore } = await channelControl.list(org, filter, query.page, query.per_page);
      return { channels: items.map(render), info: infoOf(query, items.length, hasMore) };
    },
  );

  typed.get(
    one,
    {
      ...own,
      schema: {
        summary: 'Show a channel, by its generation; ended ones too',
        tags,
        params: OneChannel,
        response: { 200: ChannelShape },
      },
    },
    async ({ params }) => render(await channelControl.find(params.org as OrgId, params.generation as Generation)),
  );

  typed.post(
    `${one}/suspend`,
    {
      ...own,
      schema: {
        summary:
          'Send nothing for it until it is resumed, here or by a POST or PUT of its owner; what it owes stays owed',
        tags,
        params: OneChannel,
        response: { 200: ChannelShape },
      },
    },
    async (request) => {
      const { org, generation } = request.params;
      await administration.requireKept(org as OrgId);
      const suspended = await channelControl.suspend(org as OrgId, generation as Generation);
      note(request, 'suspend channel', { org, generation });
      return render(suspended);
    },
  );

  typed.post(
    `${one}/resume`,
    {
      ...own,
      preValidation: readJsonBodyIfAny,
      schema: {
        summary: 'Let it go on, with what it owes or without',
        tags,
        params: OneChannel,
        body: Resumption,
        response: { 200: ChannelShape },
      },
    },
    async (request) => {
      const { org, generation } = request.params;
      const { mode = 'backlog' } = request.body;
      await administration.requireKept(org as OrgId);
      const resumed = await channelControl.resume(org as OrgId, generation as Generation, mode);
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
