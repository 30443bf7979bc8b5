import { Type } from 'typebox';
import type { Attempt } from '../../../domain/attempt.ts';
import { JOB_KINDS, JOB_STATES, type Job, type JobRequest, REPLAY_WHICHS } from '../../../domain/job.ts';
import type { ReplayPlan } from '../../../services/jobs.ts';
import { isoTime, Time } from '../admin/shapes.ts';

const StringOrNull = Type.Union([Type.String(), Type.Null()]);
const IntegerOrNull = Type.Union([Type.Integer(), Type.Null()]);

export const JobShape = Type.Object({
  id: Type.String(),
  kind: Type.Enum([...JOB_KINDS]),
  generation: Type.String({ description: 'Of the channel' }),
  state: Type.Enum([...JOB_STATES], {
    description: 'running also while it waits, as note says; failed and paused ones can be resumed',
  }),
  note: Type.Union([Type.String(), Type.Null()], { description: 'Why it waits, or failed' }),
  request: Type.Object({
    number: Type.Optional(Type.Integer({ description: 'Of a redelivery' })),
    from: Type.Optional(Type.Integer({ description: 'Of a replay: the first number' })),
    to: Type.Optional(Type.Integer({ description: 'Of a replay: the last number' })),
    which: Type.Optional(Type.Enum([...REPLAY_WHICHS])),
    rate: Type.Optional(Type.Integer({ description: 'Most a second' })),
    lapse: Type.Optional(Type.String({ description: 'Of a re-match: expired or overflow' })),
    from_change: Type.Optional(Type.Integer({ description: 'Of a re-match: the first change' })),
    to_change: Type.Optional(Type.Integer({ description: 'Of a re-match: the last change' })),
  }),
  position: Type.Integer({ description: 'Up to this number, of a re-match this change, all is done' }),
  done: Type.Integer({ description: 'Sent and taken by the receiver; of a re-match: made' }),
  failed: Type.Integer({ description: 'Not taken by the receiver' }),
  passed: Type.Integer({
    description: 'Of the range not sent: pending, not asked for, or gone; of a re-match changes that match nothing',
  }),
  total: Type.Union([Type.Integer(), Type.Null()], { description: 'To be sent, as counted when it began' }),
  created_by: Type.String({ description: 'Id of the user, or operator' }),
  created_at: Time,
  updated_at: Time,
});

const AttemptShape = Type.Object({
  attempt: Type.Integer(),
  at: Time,
  duration_ms: Type.Integer(),
  outcome: Type.String({ description: 'delivered, rejected, unreachable or forbidden' }),
  status: IntegerOrNull,
  reason: StringOrNull,
  answer: Type.Union([Type.String(), Type.Null()], { description: 'Begin of the body of a refusal' }),
  address: StringOrNull,
});

export const ResentShape = Type.Object({ job: JobShape, attempt: Type.Union([AttemptShape, Type.Null()]) });

export const PlanShape = Type.Object({
  from: Type.Integer(),
  to: Type.Integer({ description: 'Before from: nothing lies in the range' }),
  would_send: Type.Integer({ description: 'Counted up to 1,000,000; 1000001: more' }),
  pending: Type.Integer({ description: 'Sent anyway; held ones too' }),
  delivered: Type.Integer(),
  parked: Type.Integer(),
  cancelled: Type.Integer(),
  complete: Type.Boolean({ description: 'All of the range was counted' }),
});

export const renderJob = ({ id, generation, request, state, note, progress, ...job }: Job) => ({
  id,
  kind: request.kind,
  generation,
  state,
  note: note ?? null,
  request: renderRequest(request),
  ...progress,
  total: progress.total ?? null,
  created_by: job.createdBy,
  created_at: isoTime(job.createdAt),
  updated_at: isoTime(job.updatedAt),
});

function renderRequest(request: JobRequest) {
  switch (request.kind) {
    case 'redeliver':
      return { number: request.number };
    case 'replay': {
      const { from, to, which, rate } = request;
      return { from, to, which, rate };
    }
    case 'rematch':
      return { lapse: request.lapse, from_change: request.fromChange, to_change: request.toChange };
  }
}

export const renderResent = ({ job, attempt }: { readonly job: Job; readonly attempt?: Attempt }) => ({
  job: renderJob(job),
  attempt: attempt ? renderAttempt(attempt) : null,
});

const renderAttempt = ({ attempt, at, durationMs, outcome, address }: Attempt) => ({
  attempt,
  at: isoTime(at),
  duration_ms: durationMs,
  outcome: outcome.kind,
  status: 'status' in outcome ? outcome.status : null,
  reason: 'reason' in outcome ? outcome.reason : null,
  answer: outcome.kind === 'rejected' ? (outcome.excerpt ?? null) : null,
  address: address ?? null,
});

export const renderPlan = ({ from, to, counts, total, isWhole }: ReplayPlan) => ({
  from,
  to,
  would_send: total,
  ...counts,
  complete: isWhole,
});
