import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/error.ts';
import { type Generation, parseChannelId } from '../../../domain/ids.ts';
import { LIFE_EVENTS } from '../../../domain/life-cycle.ts';
import { NOTICE_STATES } from '../../../domain/notice.ts';
import type { NoticeDesk } from '../../../services/notice-desk.ts';
import { CursorPaging, Next } from '../../cursor.ts';
import type { Sight, Surface } from '../../surface.ts';
import { noteActsOn } from '../admin/act.ts';
import { closed, isoOrNull, isoTime, Time, TimeOrNull } from '../admin/shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const NoticeShape = Type.Object({
  id: Type.String({ description: 'As the header webhook-id has it' }),
  type: Type.Enum(LIFE_EVENTS.map((kind) => `channel.${kind}` as const)),
  channel_id: Type.Union([Type.String(), Type.Null()], { description: 'null: its channel is gone' }),
  generation: Type.String(),
  at: Time,
  state: Type.Enum([...NOTICE_STATES], { description: 'parked: given up after the last attempt' }),
  attempts: Type.Integer({ description: 'Made so far' }),
  next_attempt_at: TimeOrNull,
  outcome: Type.Union([Type.String(), Type.Null()], {
    description: 'Of the last attempt: delivered, rejected, unreachable or forbidden',
  }),
  status: Type.Union([Type.Integer(), Type.Null()]),
  reason: Type.Union([Type.String(), Type.Null()]),
  body: Type.Unknown({ description: 'What is sent' }),
});

const Place = Type.Object(
  {
    version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    part: Type.Integer({ minimum: 0, maximum: 1000 }),
  },
  closed,
);

/** What was told of the life of channels, and what became of it. */
export function noticeRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  const { administration, noticeDesk, cursors, logger } = parts;
  const { sightOf, path } = surface;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const note = noteActsOn(surface, logger);
  const tags = ['life-cycle'];

  typed.get(
    `${path}/notices`,
    {
      ...surface.reads,
      schema: {
        summary: 'List what was told of the life of channels, newest first',
        description: 'Each page looks at a bounded part: it may hold fewer than limit, or none, and have a next.',
        tags,
        params: surface.Params,
        querystring: Type.Object(
          {
            ...CursorPaging,
            channel: Type.Optional(
              Type.String({
                minLength: 1,
                maxLength: 100,
                description: surface.name === 'owner' ? 'Channel id' : 'Generation of the channel',
              }),
            ),
            state: Type.Optional(Type.Enum([...NOTICE_STATES])),
          },
          closed,
        ),
        response: { 200: Type.Object({ notices: Type.Array(NoticeShape), next: Next }) },
      },
    },
    async (request) => {
      const { channel, state, cursor, limit } = request.query;
      const sight = sightOf(request);
      const before = cursors.read(sight, cursor, Place);
      await administration.findOrg(sight.org);
      const generation = channel === undefined ? undefined : await channelOf(sight, channel);
      const filter = {
        ...(sight.user !== undefined && { userId: sight.user }),
        ...(generation !== undefined && { generation }),
        ...(state !== undefined && { state }),
      };
      const { items, next } = await noticeDesk.list(sight.org, filter, before, limit);
      return { notices: items.map(renderNotice), next: next ? cursors.write(sight, next) : null };
    },
  );

  typed.post(
    `${path}/notices/:notice/redeliver`,
    {
      ...surface.changes,
      schema: {
        summary: 'Send a notice again, from the first attempt on; one that is pending goes on as it is',
        tags,
        params: Type.Object({
          ...surface.Params.properties,
          notice: Type.String({ minLength: 1, maxLength: 100, description: 'Id of the notice' }),
        }),
        response: { 202: NoticeShape },
      },
    },
    async (request, reply) => {
      const { org, user } = sightOf(request);
      const { notice: id } = request.params as { readonly notice: string };
      await administration.requireKept(org);
      const entry = await noticeDesk.sendAgain(org, user, id);
      note(request, 'redeliver notice', { org, notice: id });
      return reply.code(202).send(renderNotice(entry));
    },
  );

  async function channelOf({ org, user }: Sight, channel: string): Promise<Generation> {
    if (user === undefined) return channel as Generation;
    const channelId = parseChannelId(channel);
    const own = channelId && (await parts.channels.findOwn(org, user, { channelId }));
    if (!own) throw new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
    return own;
  }
}

function renderNotice({ notice, channelId, outcome }: Awaited<ReturnType<NoticeDesk['sendAgain']>>) {
  const { id, kind, generation, at, state, attemptsMade, dueAt, body } = notice;
  return {
    id,
    type: `channel.${kind}` as const,
    channel_id: channelId ?? null,
    generation,
    at: isoTime(at),
    state,
    attempts: attemptsMade,
    next_attempt_at: isoOrNull(state === 'pending' ? dueAt : undefined),
    outcome: outcome?.kind ?? null,
    status: outcome && 'status' in outcome ? outcome.status : null,
    reason: outcome && 'reason' in outcome ? outcome.reason : null,
    body: JSON.parse(body) as unknown,
  };
}
