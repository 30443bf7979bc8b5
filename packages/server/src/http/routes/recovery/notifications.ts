import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { parseMoment } from '../../../domain/clock-move.ts';
import { AppError } from '../../../domain/error.ts';
import {
  type Generation,
  type NotificationId,
  parseChannelId,
  type RecordId,
  type UserId,
} from '../../../domain/ids.ts';
import { SHOWN_STATES } from '../../../domain/shown-state.ts';
import type { Whose } from '../../../services/notifications.ts';
import { CursorPaging, Next } from '../../cursor.ts';
import type { Sight, Surface } from '../../surface.ts';
import { closed } from '../admin/shapes.ts';
import {
  ListedAttemptShape,
  NotificationDetailsShape,
  NotificationShape,
  renderDetails,
  renderListedAttempt,
  renderNotification,
} from './notification-shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const OUTCOMES = ['delivered', 'rejected', 'unreachable', 'forbidden'] as const;

const Moment = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));
const channelIn = (surface: Surface, what: string) => ({
  channel: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: `${what} of this channel: ${surface.name === 'owner' ? 'channel id' : 'generation'}`,
    }),
  ),
  ...(surface.name === 'operator' && {
    user: Type.Optional(Type.String({ pattern: '^\\d{19}$', description: `${what} of channels of this user` })),
  }),
});

const Whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Text = Type.String({ maxLength: 100, pattern: '^[^\\u0000]*$' });
const Place = Type.Union([
  Type.Object(
    {
      walk: Type.Enum(['numbers', 'given-up-numbers']),
      below: Type.Array(Type.Tuple([Text, Whole]), { maxItems: 100 }),
    },
    closed,
  ),
  Type.Object(
    {
      walk: Type.Enum(['record', 'module', 'changes']),
      change: Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER }),
      generation: Type.Optional(Text),
      number: Type.Optional(Whole),
    },
    closed,
  ),
  Type.Object({ walk: Type.Literal('owed'), generation: Text, number: Whole }, closed),
  Type.Object(
    {
      walk: Type.Enum(['given-up', 'failed']),
      at: Whole,
      generation: Text,
      number: Whole,
      attempt: Type.Optional(Whole),
    },
    closed,
  ),
]);
const AttemptPlace = Type.Union([
  Type.Object({ of: Type.Literal('channel'), generation: Text, number: Whole, attempt: Whole }, closed),
  Type.Object({ of: Type.Literal('failed'), at: Whole, generation: Text, number: Whole, attempt: Whole }, closed),
]);

/** Notifications and attempts: found, shown, and ready to be sent by hand. */
export function notificationRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  const { administration, notifications, attempts, cursors } = parts;
  const { sightOf, generationOf, channelPath, path, Params, ChannelParams, ChannelQuery } = surface;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['notifications'];

  typed.get(
    `${path}/notifications`,
    {
      ...surface.reads,
      schema: {
        summary: 'Find notifications by what they are about, when, and what became of them',
        description:
          'Newest change first; of one channel highest number first; of a state or an outcome: pending and held ones ' +
          'channel by channel from the oldest on, parked and cancelled ones by when they were, those that failed by ' +
          'their last attempt. Each page looks at a bounded part: it may hold fewer than limit, or none, and have a next.',
        tags,
        params: Params,
        querystring: Type.Object(
          {
            ...CursorPaging,
            ...channelIn(surface, 'Only'),
            module: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Of what they are about' })),
            record: Type.Optional(
              Type.String({
                minLength: 1,
                maxLength: 100,
                description: 'Id of a record of that module; also those about it as a related one',
              }),
            ),
            state: Type.Optional(Type.Enum([...SHOWN_STATES])),
            outcome: Type.Optional(
              Type.Enum(['none', ...OUTCOMES], { description: 'Of the last attempt; none: there was none' }),
            ),
            from: Moment('Of changes made at this time (ISO 8601) or later'),
            to: Moment('Of changes made before this time (ISO 8601)'),
          },
          closed,
        ),
        response: { 200: Type.Object({ notifications: Type.Array(NotificationShape), next: Next }) },
      },
    },
    async (request) => {
      const { query } = request;
      const sight = sightOf(request);
      if (query.record !== undefined && query.module === undefined) {
        throw new AppError('INVALID_DATA', 'A record is named by its id and its module', { api_name: 'module' });
      }
      await administration.findOrg(sight.org);
      const { items, next } = await notifications.list(sight.org, {
        ...whoseOf(sight, query),
        module: query.module,
        record: query.record as RecordId | undefined,
        state: query.state,
        outcome: query.outcome,
        from: momentOf('from', query.from),
        to: momentOf('to', query.to),
        limit: query.limit,
        place: cursors.read(sight, query.cursor, Place),
      });
      return { notifications: items.map(renderNotification), next: next ? cursors.write(sight, next) : null };
    },
  );

  typed.get(
    `${path}/notifications/:notification`,
    {
      ...surface.reads,
      schema: {
        summary: 'Show a notification by its id, with the exact text that is sent and every attempt',
        tags,
        params: Type.Object({
          ...Params.properties,
          notification: Type.String({ minLength: 1, maxLength: 100, description: 'Id, as in webhook-id' }),
        }),
        response: { 200: NotificationDetailsShape },
      },
    },
    async (request) => {
      const { org, user } = sightOf(request);
      const { notification } = request.params as { readonly notification: string };
      return renderDetails(await notifications.show(org, { id: notification as NotificationId }, user));
    },
  );

  typed.get(
    `${channelPath}/notifications/:number`,
    {
      ...surface.reads,
      schema: {
        summary: 'Show a notification by its number in the channel',
        tags,
        params: Type.Object({
          ...ChannelParams.properties,
          number: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        }),
        querystring: Type.Object(ChannelQuery, closed),
        response: { 200: NotificationDetailsShape },
      },
    },
    async (request) => {
      const { org, user } = sightOf(request);
      const generation = await generationOf(request);
      const { number } = request.params as { readonly number: number };
      return renderDetails(await notifications.show(org, { generation, number }, user));
    },
  );

  typed.get(
    `${path}/attempts`,
    {
      ...surface.reads,
      schema: {
        summary: 'List attempts: of one channel all, else those that failed',
        description:
          'Those that failed newest first; all of a channel from its highest number down. Each page looks at a bounded ' +
          'part: it may hold fewer than limit, or none, and have a next.',
        tags,
        params: Params,
        querystring: Type.Object(
          {
            ...CursorPaging,
            ...channelIn(surface, 'Only'),
            outcome: Type.Optional(Type.Enum([...OUTCOMES])),
            status: Type.Optional(
              Type.Integer({ minimum: 100, maximum: 599, description: 'HTTP status of the answer' }),
            ),
            from: Moment('Begun at this time (ISO 8601) or later'),
            to: Moment('Begun before this time (ISO 8601)'),
          },
          closed,
        ),
        response: { 200: Type.Object({ attempts: Type.Array(ListedAttemptShape), next: Next }) },
      },
    },
    async (request) => {
      const { query } = request;
      const sight = sightOf(request);
      await administration.findOrg(sight.org);
      const { items, next } = await attempts.list(sight.org, {
        ...whoseOf(sight, query),
        outcome: query.outcome,
        status: query.status,
        from: momentOf('from', query.from),
        to: momentOf('to', query.to),
        limit: query.limit,
        place: cursors.read(sight, query.cursor, AttemptPlace),
      });
      return { attempts: items.map(renderListedAttempt), next: next ? cursors.write(sight, next) : null };
    },
  );
}

/** Owners name a channel by its id, and see their own; operators by its generation. */
function whoseOf(sight: Sight, { channel, user }: { readonly channel?: string; readonly user?: unknown }): Whose {
  if (sight.user === undefined) {
    return { generation: channel as Generation | undefined, user: user as UserId | undefined };
  }
  if (channel === undefined) return { user: sight.user };
  const channelId = parseChannelId(channel);
  if (!channelId) throw new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
  return { user: sight.user, channelId };
}

function momentOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = parseMoment(text);
  if (time !== undefined && time >= 0) return time;
  const message = `${name} must be an ISO 8601 time with seconds and an offset, such as 2026-01-31T12:00:00Z`;
  throw new AppError('INVALID_DATA', message, { api_name: name });
}
