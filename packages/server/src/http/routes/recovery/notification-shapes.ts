import { Type } from 'typebox';
import type { Attempt } from '../../../domain/attempt.ts';
import { SHOWN_STATES } from '../../../domain/shown-state.ts';
import type { AttemptView } from '../../../services/attempts.ts';
import type { NotificationDetails, NotificationView } from '../../../services/notifications.ts';
import { isoOrNull, isoTime, Time, TimeOrNull } from '../admin/shapes.ts';

const Job = Type.Union([Type.String(), Type.Null()], { description: 'Id of the job that sent it again' });

const attemptShape = {
  attempt: Type.Integer({ description: 'From 1' }),
  at: Time,
  duration_ms: Type.Integer(),
  sent_ms: Type.Union([Type.Integer(), Type.Null()], {
    description: 'From its start until it was written to a connection; null: it was not',
  }),
  answered_ms: Type.Union([Type.Integer(), Type.Null()], {
    description: 'From its start until the status line and the headers had come; null: they did not',
  }),
  address: Type.Union([Type.String(), Type.Null()], {
    description: 'IP address and port that it was sent to; null: there was no connection',
  }),
  outcome: Type.String({ description: 'delivered, rejected, unreachable or forbidden' }),
  status: Type.Union([Type.Integer(), Type.Null()], { description: 'HTTP status of the answer' }),
  reason: Type.Union([Type.String(), Type.Null()], {
    description:
      'Of an unreachable one dns, connect, tls, timeout, reset or protocol; of a forbidden one why it was refused',
  }),
  message: Type.Union([Type.String(), Type.Null()], { description: 'Of an unreachable one: what the system says' }),
  answer: Type.Union([Type.String(), Type.Null()], { description: 'Begin of the body of a refusal' }),
  job: Job,
};
const AttemptShape = Type.Object(attemptShape);

const notificationShape = {
  id: Type.String({ description: 'As in webhook-id' }),
  channel_id: Type.String(),
  channel_generation: Type.String({ description: 'Of the channel, as paths and filters take it' }),
  number: Type.Integer({ description: 'In the channel, as paths take it' }),
  generation: Type.String({ description: 'As in watchbell-generation' }),
  sequence: Type.Integer({ description: 'As in watchbell-sequence' }),
  module: Type.String({ description: 'Of what it is about' }),
  operation: Type.String({ description: 'insert, update or delete' }),
  ids: Type.Array(Type.String(), { description: 'Records that it is about' }),
  change: Type.Object({ number: Type.Integer(), at: Time, by: Type.String({ description: 'Id of the user' }) }),
  state: Type.String({ description: `One of ${SHOWN_STATES.join(', ')}` }),
  reason: Type.Union([Type.String(), Type.Null()], { description: 'Of a cancelled one' }),
  attempts_made: Type.Integer({ description: 'Those that were owed; later ones by jobs are not counted' }),
  next_attempt_at: Type.Union([Time, Type.Null()], {
    description: 'Of a pending one that failed: not before that time. Null: at once, or not at all',
  }),
  settled_at: TimeOrNull,
  rematched: Type.Union([Type.String(), Type.Null()], {
    description: 'Id of the job that made it of a lapse or an overflow',
  }),
  last_attempt: Type.Union([AttemptShape, Type.Null()]),
};
export const NotificationShape = Type.Object(notificationShape);

export const NotificationDetailsShape = Type.Object({
  ...notificationShape,
  api_version: Type.String({ description: 'Whose shape the body has' }),
  body: Type.String({ description: 'The exact text that an attempt would send now: JSON' }),
  headers: Type.Record(Type.String(), Type.String(), {
    description:
      'Those that are the same on every attempt; webhook-timestamp, watchbell-attempt and, where it is signed, webhook-signature come with each',
  }),
  curl: Type.String({
    description:
      'For a POSIX shell: sends the body with these headers by hand. Unsigned and without a time: a receiver that verifies signatures refuses it. Nothing is noted of it here',
  }),
  attempts: Type.Array(AttemptShape, { description: 'The first 200' }),
});

export const ListedAttemptShape = Type.Object({
  notification: Type.String({ description: 'Id of the notification' }),
  channel_id: Type.String(),
  channel_generation: Type.String(),
  number: Type.Integer({ description: 'Of the notification, in the channel' }),
  generation: Type.String({ description: 'As in watchbell-generation' }),
  sequence: Type.Integer({ description: 'As in watchbell-sequence' }),
  ...attemptShape,
});

export const renderNotification = ({ listed, channel, shown, identity }: NotificationView) => ({
  id: listed.id,
  channel_id: channel.channelId,
  channel_generation: channel.generation,
  number: listed.number,
  generation: identity.generation,
  sequence: identity.number,
  module: listed.module,
  operation: listed.operation,
  ids: [...listed.ids],
  change: { number: listed.change, at: isoTime(listed.at), by: listed.by },
  state: shown.state,
  reason: shown.reason ?? null,
  attempts_made: listed.attemptsMade,
  next_attempt_at: shown.state === 'pending' ? isoOrNull(listed.dueAt) : null,
  settled_at: isoOrNull(listed.settledAt),
  rematched: listed.job ?? null,
  last_attempt: listed.lastAttempt ? renderAttempt(listed.lastAttempt) : null,
});

export const renderDetails = ({ notification, body, headers, curl, attempts, ...view }: NotificationDetails) => ({
  ...renderNotification(view),
  api_version: notification.version,
  body,
  headers: { ...headers },
  curl,
  attempts: attempts.map(renderAttempt),
});

export const renderListedAttempt = ({ attempt, channel, identity }: AttemptView) => ({
  notification: attempt.notification,
  channel_id: channel.channelId,
  channel_generation: channel.generation,
  number: attempt.number,
  generation: identity.generation,
  sequence: identity.number,
  ...renderAttempt(attempt),
});

const renderAttempt = ({ attempt, at, durationMs, sentMs, answeredMs, address, outcome, job }: Attempt) => ({
  attempt,
  at: isoTime(at),
  duration_ms: durationMs,
  sent_ms: sentMs ?? null,
  answered_ms: answeredMs ?? null,
  address: address ?? null,
  outcome: outcome.kind,
  status: 'status' in outcome ? outcome.status : null,
  reason: 'reason' in outcome ? outcome.reason : null,
  message: outcome.kind === 'unreachable' ? outcome.message : null,
  answer: outcome.kind === 'rejected' ? (outcome.excerpt ?? null) : null,
  job: job ?? null,
});
