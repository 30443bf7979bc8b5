import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { AppError } from '../../../domain/error.ts';
import type { FeedCursor } from '../../../domain/feed-cursor.ts';
import type { FeedItem, FeedPage } from '../../../services/feed.ts';
import type { Surface } from '../../surface.ts';
import { readJsonBody } from '../admin/access.ts';
import { closed, Done, isoOrNull, isoTime } from '../admin/shapes.ts';
import { CursorName, CursorShape, NumberOfOne, PageShape } from './feed-shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const Cursors = Type.Object({ cursors: Type.Array(CursorShape) });
const Move = Type.Object({ number: NumberOfOne }, closed);

/** Seconds that a request may wait: below what load balancers take for a dead connection. */
const MAX_WAIT = 60;

/** What a reader fetches of a channel by itself, and how far it has come. */
export function feedRoutes(app: FastifyInstance, surface: Surface, { feed }: RecoveryParts): void {
  const { sightOf, generationOf, channelPath, ChannelParams, ChannelQuery } = surface;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['pull feed'];
  const cursorsPath = `${channelPath}/feed/cursors`;
  const OneCursor = Type.Object({ ...ChannelParams.properties, name: CursorName });
  const OfChannel = Type.Object(ChannelQuery, closed);
  const Query = Type.Object(
    {
      ...ChannelQuery,
      after: Type.Optional(NumberOfOne),
      cursor: Type.Optional(CursorName),
      limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
      wait: Type.Integer({
        minimum: 0,
        maximum: MAX_WAIT,
        default: 0,
        description: 'Seconds, until there is something',
      }),
    },
    closed,
  );

  typed.get(
    `${channelPath}/feed`,
    {
      ...surface.reads,
      schema: {
        summary: 'Fetch notifications after a number, whatever became of them; wait for them, if there are none',
        description:
          'In the order of their numbers: pending, held, delivered, parked or cancelled, also of a channel that is ' +
          'expired, suspended or has ended. A page may hold fewer than limit: go on after through.',
        tags,
        params: ChannelParams,
        querystring: Query,
        response: { 200: PageShape },
      },
    },
    async (request, reply) => {
      const { after, cursor, limit, wait } = request.query;
      if (after !== undefined && cursor !== undefined) {
        throw new AppError('INVALID_DATA', 'Begin after a number or at a cursor, not both', { api_name: 'after' });
      }
      const { org, by } = sightOf(request);
      const page = await feed.read(org, await generationOf(request), {
        start: cursor === undefined ? { after: after ?? 0 } : { cursor },
        limit,
        waitMs: wait * 1000,
        who: `${org} ${by}`,
        signal: goneOf(reply),
      });
      if (wait > 0) await surface.mayStillRead(request);
      return render(page);
    },
  );

  typed.get(
    cursorsPath,
    {
      ...surface.reads,
      schema: {
        summary: 'List the cursors of readers of a channel, by name',
        tags,
        params: ChannelParams,
        querystring: OfChannel,
        response: { 200: Cursors },
      },
    },
    async (request) => ({
      cursors: (await feed.cursors(sightOf(request).org, await generationOf(request))).map(renderCursor),
    }),
  );

  typed.get(
    `${cursorsPath}/:name`,
    {
      ...surface.reads,
      schema: {
        summary: 'Show how far a reader has come',
        tags,
        params: OneCursor,
        querystring: OfChannel,
        response: { 200: CursorShape },
      },
    },
    async (request) =>
      renderCursor(await feed.cursor(sightOf(request).org, await generationOf(request), nameIn(request.params))),
  );

  typed.put(
    `${cursorsPath}/:name`,
    {
      ...surface.changes,
      preValidation: readJsonBody,
      schema: {
        summary: 'Acknowledge all numbers up to one; a lower one sets the cursor back. Makes the cursor, if it is new',
        tags,
        params: OneCursor,
        querystring: OfChannel,
        body: Move,
        response: { 200: CursorShape },
      },
    },
    async (request) => {
      const generation = await generationOf(request);
      const { number } = request.body;
      return renderCursor(await feed.moveCursor(sightOf(request).org, generation, nameIn(request.params), number));
    },
  );

  typed.delete(
    `${cursorsPath}/:name`,
    {
      ...surface.changes,
      schema: {
        summary: 'Forget how far a reader has come',
        tags,
        params: OneCursor,
        querystring: OfChannel,
        response: { 200: Done },
      },
    },
    async (request) => {
      await feed.removeCursor(sightOf(request).org, await generationOf(request), nameIn(request.params));
      return { status: 'removed' };
    },
  );

  app.addHook('preClose', async () => feed.close());
}

const nameIn = (params: unknown): string => (params as { readonly name: string }).name;

/** Aborted when the caller has gone before it was answered. */
function goneOf({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.destroyed) gone.abort();
  else raw.once('close', () => gone.abort());
  return gone.signal;
}

const render = ({ items, removed, through, lastNumber }: FeedPage) => ({
  notifications: items.map(renderItem),
  removed: [...removed],
  through,
  last_number: lastNumber,
  more: through < lastNumber,
});

const renderItem = (item: FeedItem) => ({
  number: item.number,
  id: item.id,
  generation: item.generation,
  sequence: item.sequence,
  state: item.state,
  reason: item.reason ?? null,
  changed_at: isoTime(item.changedAt),
  settled_at: isoOrNull(item.settledAt),
  rematch: item.job ?? null,
  body: item.body,
});

const renderCursor = ({ name, number, at }: FeedCursor) => ({ name, number, at: isoTime(at) });
