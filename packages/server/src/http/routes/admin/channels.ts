import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Channel } from '../../../domain/channel.ts';
import type { OrgId, UserId } from '../../../domain/ids.ts';
import { administersOrg } from './access.ts';
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
  opened_at: Time,
  expires_at: Time,
  cancelled_to: Type.Union([Type.Integer(), Type.Null()], {
    description:
      'What it still owed up to this number was cancelled: it had expired, and was opened again under the setting drop',
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

/** Channels of an organisation, of all its users: whose they are, and why they ended. */
export function channelAdminRoutes(app: FastifyInstance, { administration, auth, limiter }: AdminParts): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    `${orgPath}/:org/channels`,
    {
      onRequest: administersOrg(auth, limiter),
      schema: {
        summary: 'List channels in the order in which they were opened',
        tags: ['channels'],
        params: InOrg,
        querystring: Query,
        response: { 200: Type.Object({ channels: Type.Array(ChannelShape), info: Info }) },
      },
    },
    async ({ params, query }) => {
      const filter = { userId: query.user as UserId | undefined, clientId: query.client, ended: query.ended };
      const org = params.org as OrgId;
      const { items, hasMore } = await administration.listChannels(org, filter, query.page, query.per_page);
      return { channels: items.map(render), info: infoOf(query, items.length, hasMore) };
    },
  );
}

const render = (channel: Channel) => ({
  channel_id: channel.channelId,
  generation: channel.generation,
  user: channel.userId,
  client: channel.clientId ?? null,
  modules: [...new Set(channel.events.map(({ module }) => module))],
  receiver: receiverOf(channel.notifyUrl),
  opened_at: isoTime(channel.openedAt),
  expires_at: isoTime(channel.expiresAt),
  cancelled_to: channel.cancelledTo ?? null,
  ended_at: isoOrNull(channel.endedAt),
  ended_reason: channel.endedReason ?? null,
});

/** Queries carry secrets (P9). */
function receiverOf(notifyUrl: string): string {
  if (!URL.canParse(notifyUrl)) return 'unknown';
  const { origin, pathname } = new URL(notifyUrl);
  return origin + pathname;
}
