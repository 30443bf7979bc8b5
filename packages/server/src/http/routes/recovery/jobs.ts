import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { parseMoment } from '../../../domain/clock-move.ts';
import { AppError } from '../../../domain/error.ts';
import { type Generation, type JobId, parseChannelId } from '../../../domain/ids.ts';
import { JOB_STATES, REPLAY_WHICHS } from '../../../domain/job.ts';
import type { ReplayWish } from '../../../services/jobs.ts';
import { CursorPaging, Next } from '../../cursor.ts';
import type { Surface } from '../../surface.ts';
import { readJsonBodyIfAny } from '../admin/access.ts';
import { noteActsOn } from '../admin/act.ts';
import { closed } from '../admin/shapes.ts';
import { JobShape, PlanShape, ResentShape, renderJob, renderPlan, renderResent } from './job-shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const MAX_RATE = 5000;
const DEFAULT_RATE = 50;

const NumberIn = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description }));
const Moment = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));
const Replay = Type.Object(
  {
    from: NumberIn('First number; 1 when absent'),
    to: NumberIn('Last number; the newest when absent'),
    from_time: Moment('Instead of from: of changes made at this time (ISO 8601) or later'),
    to_time: Moment('Instead of to: of changes made before this time (ISO 8601)'),
    which: Type.Optional(
      Type.Enum([...REPLAY_WHICHS], {
        description:
          'undelivered (also when absent): those that are parked or cancelled; parked: of these the parked; all: those delivered before as well',
      }),
    ),
    rate: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_RATE, description: `Most a second; ${DEFAULT_RATE} when absent` }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only count what would be sent' })),
  },
  closed,
);
const ListPlace = Type.Object({ before: Type.String({ pattern: '^job_[0-9a-f]{32}$' }) }, closed);
const OneNotification = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const OneJob = Type.String({ pattern: '^job_[0-9a-f]{32}$', description: 'Id of the job' });

/** What sends again: one notification, or a range as a job that goes on in the background. */
export function jobRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  const { administration, jobs, cursors, logger } = parts;
  const { sightOf, generationOf, channelPath } = surface;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const note = noteActsOn(surface, logger);
  const tags = ['replays'];

  typed.post(
    `${channelPath}/notifications/:number/redeliver`,
    {
      ...surface.changes,
      schema: {
        summary:
          'Send a notification again, once, and answer what came of it; 202: that is not known after 15 seconds, the job says it later',
        tags,
        params: Type.Object({ ...surface.ChannelParams.properties, number: OneNotification }),
        response: { 200: ResentShape, 202: ResentShape },
      },
    },
    async (request, reply) => {
      const sight = sightOf(request);
      const { number } = request.params as { number: number };
      const generation = await generationOf(request);
      const resent = await jobs.redeliver(sight, generation, number);
      note(request, 'redeliver', { org: sight.org, generation, number });
      return reply.code(resent.attempt ? 200 : 202).send(renderResent(resent));
    },
  );

  typed.post(
    `${channelPath}/replays`,
    {
      ...surface.changes,
      preValidation: readJsonBodyIfAny,
      schema: {
        summary: 'Send a range of notifications again, in the background; with dry_run count what that would be',
        tags,
        params: surface.ChannelParams,
        body: Replay,
        response: { 200: PlanShape, 201: JobShape },
      },
    },
    async (request, reply) => {
      const sight = sightOf(request);
      const generation = await generationOf(request);
      const { dry_run, which = 'undelivered', rate = DEFAULT_RATE, from, to, from_time, to_time } = request.body;
      const wish: ReplayWish = {
        which,
        rate,
        from,
        to,
        fromTime: momentOf('from_time', from_time),
        toTime: momentOf('to_time', to_time),
      };
      requireOne(wish);
      if (dry_run === true) return reply.code(200).send(renderPlan(await jobs.plan(sight.org, generation, wish)));
      const job = await jobs.replay(sight, generation, wish);
      note(request, 'replay', { org: sight.org, generation, job: job.id });
      return reply.code(201).send(renderJob(job));
    },
  );

  typed.get(
    `${surface.path}/jobs`,
    {
      ...surface.reads,
      schema: {
        summary: 'List redeliveries, replays and re-matches, newest first',
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
            state: Type.Optional(Type.Enum([...JOB_STATES])),
          },
          closed,
        ),
        response: { 200: Type.Object({ jobs: Type.Array(JobShape), next: Next }) },
      },
    },
    async (request) => {
      const sight = sightOf(request);
      const { channel, state, cursor, limit } = request.query;
      const place = cursors.read(sight, cursor, ListPlace);
      await administration.findOrg(sight.org);
      const generation = channel === undefined ? undefined : await channelOf(sight, channel);
      const { jobs: found, last } = await jobs.list(sight, { generation, state }, place?.before as JobId, limit);
      return { jobs: found.map(renderJob), next: last === undefined ? null : cursors.write(sight, { before: last }) };
    },
  );

  typed.get(
    `${surface.path}/jobs/:job`,
    {
      ...surface.reads,
      schema: { summary: 'Show how far a job has come', tags, params: jobParams(), response: { 200: JobShape } },
    },
    async (request) => renderJob(await jobs.find(sightOf(request), jobOf(request))),
  );

  const acts = {
    pause: 'Let a job rest where it is, until it is resumed',
    resume: 'Let a job go on that is paused or failed, after the last number that it has done',
    cancel: 'End a job where it is; what it sent stays sent',
  } as const;
  for (const [act, summary] of Object.entries(acts) as [keyof typeof acts, string][]) {
    typed.post(
      `${surface.path}/jobs/:job/${act}`,
      { ...surface.changes, schema: { summary, tags, params: jobParams(), response: { 200: JobShape } } },
      async (request) => {
        const sight = sightOf(request);
        const job = await jobs[act](sight, jobOf(request));
        note(request, `${act} job`, { org: sight.org, job: job.id });
        return renderJob(job);
      },
    );
  }

  function jobParams() {
    return Type.Object({ ...surface.Params.properties, job: OneJob });
  }

  async function channelOf(sight: ReturnType<Surface['sightOf']>, channel: string): Promise<Generation> {
    if (sight.user === undefined) return channel as Generation;
    const channelId = parseChannelId(channel);
    const own = channelId && (await parts.channels.findOwn(sight.org, sight.user, { channelId }));
    if (!own) throw new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
    return own;
  }
}

const jobOf = (request: { readonly params: unknown }): JobId => (request.params as { readonly job: JobId }).job;

function momentOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = parseMoment(text);
  if (at !== undefined) return at;
  const how = 'must be an ISO 8601 time with seconds and an offset, such as 2026-01-31T12:00:00Z';
  throw new AppError('INVALID_DATA', `${field} ${how}`, { api_name: field });
}

/** Ends that say two things, or that are the wrong way round. */
function requireOne({ from, to, fromTime, toTime }: ReplayWish): void {
  const refuse = (field: string, what: string): never => {
    throw new AppError('INVALID_DATA', what, { api_name: field });
  };
  if (from !== undefined && fromTime !== undefined) refuse('from_time', 'Give either from or from_time');
  if (to !== undefined && toTime !== undefined) refuse('to_time', 'Give either to or to_time');
  if (from !== undefined && to !== undefined && from > to) refuse('to', 'to must not be before from');
  if (fromTime !== undefined && toTime !== undefined && fromTime >= toTime) {
    refuse('to_time', 'to_time must be after from_time');
  }
}
