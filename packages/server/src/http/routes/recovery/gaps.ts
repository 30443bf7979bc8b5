import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { LapseView, RematchPlan, RematchWish } from '../../../services/rematch.ts';
import { CursorPaging, Next } from '../../cursor.ts';
import type { Surface } from '../../surface.ts';
import { readJsonBody } from '../admin/access.ts';
import { noteActsOn } from '../admin/act.ts';
import { closed } from '../admin/shapes.ts';
import { LapseShape, renderLapse } from './channel-shapes.ts';
import { CursorName, NumberOfOne } from './feed-shapes.ts';
import { JobShape, renderJob } from './job-shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const IntegerOrNull = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description });
const Kind = Type.Enum(['expired', 'overflow']);
const Gap = Type.Object({
  from: Type.Integer(),
  to: Type.Integer({ description: 'Inclusive' }),
  state: Type.Enum(['pending', 'held', 'parked', 'cancelled', 'removed'], {
    description: 'removed: by retention, undelivered',
  }),
  reason: Type.Union([Type.String(), Type.Null()], {
    description: 'Of those that are cancelled: deleted, skipped, expired …; of removed ones what they were',
  }),
});
const Missed = Type.Object({
  ...LapseShape.properties,
  changes: Type.Integer({ description: 'In it, of all modules, that were not matched again' }),
  gone_to: IntegerOrNull('The changes up to this one were removed by retention; null: none'),
  can_rematch: Type.Boolean(),
  hindrance: Type.Union([Type.String(), Type.Null()], {
    description: 'Why not: open (it goes on), done, gone (by retention), expired or ended (the channel is)',
  }),
});
const GapsShape = Type.Object({
  numbers: Type.Array(Gap),
  through: Type.Integer({ description: 'What is not in numbers, up to this, was acknowledged' }),
  last_number: Type.Integer(),
  more: Type.Boolean({ description: 'Go on after through' }),
  lapses: Type.Array(Missed, { description: 'Whose changes were not all matched again; oldest first, at most 100' }),
  more_lapses: Type.Boolean(),
});
const Lapses = Type.Object({ lapses: Type.Array(Missed), next: Next });
const Place = Type.Object({ fromChange: Type.Integer(), kind: Kind }, closed);
const Wish = Type.Union([
  Type.Object({ lapse: Kind, from_change: NumberOfOne, dry_run: Type.Optional(Type.Boolean()) }, closed),
  Type.Object({ all: Type.Literal(true), dry_run: Type.Optional(Type.Boolean()) }, closed),
]);
const Plan = Type.Object({
  lapse: Missed,
  looked_at: Type.Integer({ description: 'Changes, from the first on: at most 5,000 for one request' }),
  notifications: Type.Integer({ description: 'That these would make' }),
});
const Asked = Type.Object({ jobs: Type.Array(JobShape) });
const Planned = Type.Object({ lapses: Type.Array(Plan) });

/** What a receiver may lack: numbers that it did not take, and changes that have none. */
export function gapRoutes(
  app: FastifyInstance,
  surface: Surface,
  { gaps, rematches, cursors, logger }: RecoveryParts,
): void {
  const { sightOf, generationOf, channelPath, ChannelParams, ChannelQuery } = surface;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const note = noteActsOn(surface, logger);
  const tags = ['pull feed'];
  const GapsQuery = Type.Object(
    {
      ...ChannelQuery,
      after: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
      cursor: Type.Optional(CursorName),
      limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200, description: 'Most ranges of numbers' }),
    },
    closed,
  );

  typed.get(
    `${channelPath}/gaps`,
    {
      ...surface.reads,
      schema: {
        summary:
          'Ranges of numbers that were not acknowledged, by a 2xx or by the cursor, and of changes without numbers',
        tags,
        params: ChannelParams,
        querystring: GapsQuery,
        response: { 200: GapsShape },
      },
    },
    async (request) => {
      const { after, cursor, limit } = request.query;
      const found = await gaps(sightOf(request).org, await generationOf(request), {
        after,
        limit,
        ...(cursor !== undefined && { cursor }),
      });
      return {
        numbers: found.numbers.map((gap) => ({ ...gap, reason: gap.reason ?? null })),
        through: found.through,
        last_number: found.lastNumber,
        more: found.through < found.lastNumber,
        lapses: found.lapses.map(renderMissed),
        more_lapses: found.hasMoreLapses,
      };
    },
  );

  typed.get(
    `${channelPath}/lapses`,
    {
      ...surface.reads,
      schema: {
        summary: 'List what a channel did not see because it had expired or owed too much, oldest first',
        tags,
        params: ChannelParams,
        querystring: Type.Object({ ...ChannelQuery, ...CursorPaging }, closed),
        response: { 200: Lapses },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query as { readonly cursor?: string; readonly limit: number };
      const sight = sightOf(request);
      const after = cursors.read(sight, cursor, Place);
      const found = await rematches.lapses(sight.org, await generationOf(request), after, limit, 'all');
      const last = found.at(-1)?.lapse;
      return {
        lapses: found.map(renderMissed),
        next:
          last && found.length === limit
            ? cursors.write(sight, { fromChange: last.fromChange, kind: last.kind })
            : null,
      };
    },
  );

  typed.post(
    `${channelPath}/rematches`,
    {
      ...surface.changes,
      preValidation: readJsonBody,
      schema: {
        summary:
          'Make notifications of the changes of a lapse or an overflow, in the background; with dry_run only count',
        description:
          'For each change the channel is taken as it was then. New notifications are numbered on and sent as all others, ' +
          'marked by the header watchbell-rematch. all: of every lapse that can be, at most 20 at once.',
        tags,
        params: ChannelParams,
        body: Wish,
        response: { 200: Planned, 201: Asked },
      },
    },
    async (request, reply) => {
      const sight = sightOf(request);
      const generation = await generationOf(request);
      const { body } = request;
      const wish: RematchWish = 'all' in body ? { all: true } : { lapse: body.lapse, fromChange: body.from_change };
      if (body.dry_run === true) {
        const plans = await rematches.plan(sight.org, generation, wish);
        return reply.code(200).send({ lapses: plans.map(renderPlan) });
      }
      const jobs = await rematches.ask(sight, generation, wish);
      for (const { id } of jobs) note(request, 'rematch', { org: sight.org, generation, job: id });
      return reply.code(201).send({ jobs: jobs.map(renderJob) });
    },
  );
}

const renderMissed = ({ lapse, changes, goneTo, hindrance }: LapseView) => ({
  ...renderLapse(lapse),
  changes,
  gone_to: goneTo ?? null,
  can_rematch: hindrance === undefined,
  hindrance: hindrance ?? null,
});

const renderPlan = ({ view, looked, notifications }: RematchPlan) => ({
  lapse: renderMissed(view),
  looked_at: looked,
  notifications,
});
