import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Outcome } from '../../../domain/attempt.ts';
import { AppError } from '../../../domain/error.ts';
import type { Hold } from '../../../domain/hold.ts';
import { parseChannelId, type RecordId, type UserId } from '../../../domain/ids.ts';
import { parseTime } from '../../../domain/time.ts';
import { eventName } from '../../../domain/wire/event-name.ts';
import { ruleText, sentenceOf } from '../../../domain/wire/explanation.ts';
import type { Explanation } from '../../../services/explain.ts';
import type { ExplainedNotification } from '../../../services/explain-drafts.ts';
import { CursorPaging, Next } from '../../cursor.ts';
import type { Sight, Surface } from '../../surface.ts';
import { closed, isoOrNull, isoTime, Time, TimeOrNull } from '../admin/shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const StringOrNull = Type.Union([Type.String(), Type.Null()]);
const IntegerOrNull = Type.Union([Type.Integer(), Type.Null()]);
/** All that a reason may be. */
export const REASONS = [
  'own_event',
  'related_action',
  'suspended',
  'event_type',
  'condition',
  'related_off',
  'related_condition',
  'changed_itself',
  'expired',
  'overflow',
  'not_opened',
  'deleted',
  'ended',
  'other_user',
  'unknown',
] as const;

const Change = Type.Object({
  number: Type.Integer({ description: 'Of the change in its organisation' }),
  at: Time,
  module: Type.Union([Type.String(), Type.Null()], {
    description: 'Of the records that changed; null: one that the caller may not use',
  }),
  operation: Type.String({ description: 'insert, update or delete' }),
  by: Type.String({ description: 'Id of the user' }),
  fields: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'Fields of the record that changed; null: not the record changed, but others that point at it',
  }),
});
const Channel = Type.Object({
  channel_id: Type.String(),
  generation: StringOrNull,
  user: StringOrNull,
});
const AsItWas = Type.Object({
  version: Type.Integer({ description: 'Of the revision that it was in' }),
  kind: Type.String({ description: 'What had been done to it last: opened, merged, renewed, expired …' }),
  since: Time,
  events: Type.Array(Type.String()),
  conditions: Type.Array(Type.Object({ module: Type.String(), rule: Type.String() })),
  notify_on_related: Type.Boolean(),
  expires_at: Time,
  overflow_from: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Change after which it owed too much and took no more',
  }),
});
const HoldShape = Type.Object({
  kind: Type.String({ description: 'organisation_suspended, expired, suspended, retry or order' }),
  since: TimeOrNull,
  until: Type.Union([Time, Type.Null()], { description: 'Of a retry: not before' }),
  behind: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Number of one before it about the same record, which is not finished',
  }),
});
const Notification = Type.Object({
  number: Type.Integer(),
  id: StringOrNull,
  module: StringOrNull,
  ids: Type.Union([Type.Array(Type.String()), Type.Null()]),
  state: Type.String({
    description: 'pending, held, delivered, parked, cancelled; or removed, once it was finished, by retention',
  }),
  reason: StringOrNull,
  attempts: IntegerOrNull,
  last_attempt: Type.Union([Type.Object({ at: Time, outcome: Type.String(), status: IntegerOrNull }), Type.Null()]),
  rematch: Type.Union([Type.String(), Type.Null()], { description: 'Job that re-matched it' }),
  held_by: Type.Union([HoldShape, Type.Null()], { description: 'Why it is not being sent; null: nothing holds it' }),
});
const Item = Type.Object({
  change: Change,
  channel: Channel,
  verdict: Type.Union([Type.Literal('notified'), Type.Literal('not_notified')]),
  reason: Type.String({ enum: [...REASONS] }),
  why: Type.String({ description: 'The rule, in plain English' }),
  channel_as_it_was: Type.Union([AsItWas, Type.Null()], { description: 'At the moment of the change' }),
  notifications: Type.Array(Notification),
});
const Page = Type.Object({
  items: Type.Array(Item),
  next: Next,
  oldest_change: Type.Union([Type.Object({ number: Type.Integer(), at: Time }), Type.Null()], {
    description: 'Before this nothing is known: retention removed it',
  }),
});

const Place = Type.Object(
  { change: Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER }), after: Type.String({ maxLength: 100 }) },
  closed,
);
const Asked = {
  module: Type.String({ minLength: 1, maxLength: 100, description: 'API name of the module of the record' }),
  record: Type.String({ minLength: 1, maxLength: 200, description: 'Id of the record, there or deleted' }),
  channel: Type.Optional(
    Type.String({ minLength: 1, maxLength: 20, description: 'Channel id; absent: all that might have been told' }),
  ),
  from: Type.Optional(Type.String({ maxLength: 40, description: 'Changes committed from then on (ISO 8601)' })),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'Changes committed until then (ISO 8601)' })),
  change: Type.Optional(
    Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER - 1, description: 'Only the change of this number' }),
  ),
  ...CursorPaging,
};
const Query = {
  owner: Type.Object(Asked, closed),
  operator: Type.Object(
    { ...Asked, user: Type.Optional(Type.String({ pattern: '^\\d{19}$', description: 'Only channels of this user' })) },
    closed,
  ),
};

/** Why channels were, or were not, told of what happened to a record. */
export function explainRoutes(app: FastifyInstance, surface: Surface, { explainer, cursors }: RecoveryParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  typed.get(
    `${surface.path}/explain`,
    {
      ...surface.reads,
      schema: {
        summary: 'Say why channels were, or were not, notified of each change of a record',
        description:
          'Newest change first, within a change by generation. Each channel is looked at as it was at that moment. A page ' +
          'may hold fewer than limit, or nothing, and still have a next.',
        tags: ['explain'],
        params: surface.Params,
        querystring: Query[surface.name],
        response: { 200: Page },
      },
    },
    async (request) => {
      const { query } = request;
      const sight = surface.sightOf(request);
      if (!sight.mayUse(query.module)) throw new AppError('NO_PERMISSION', 'permission denied', { api_name: 'module' });
      const channel = query.channel === undefined ? undefined : parseChannelId(query.channel);
      if (query.channel !== undefined && channel === undefined) throw invalid('channel', 'is no channel id');
      const user = sight.user ?? ('user' in query ? (query.user as UserId | undefined) : undefined);
      const from = timeOf('from', query.from);
      const to = timeOf('to', query.to);
      const place = cursors.read(sight, query.cursor, Place);
      const { items, next, oldest } = await explainer.explain(sight.org, {
        record: { module: query.module, id: query.record as RecordId },
        isOwn: sight.user !== undefined,
        limit: query.limit,
        ...(channel !== undefined && { channel }),
        ...(user !== undefined && { user }),
        ...(query.change !== undefined && { change: query.change }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(place && { place }),
      });
      return {
        items: items.map((item) => render(item, sight)),
        next: next ? cursors.write(sight, next) : null,
        oldest_change: oldest ? { number: oldest.number, at: isoTime(oldest.at) } : null,
      };
    },
  );
}

const invalid = (name: string, what: string): AppError =>
  new AppError('INVALID_DATA', `${name} ${what}`, { api_name: name });

function timeOf(name: string, text: string | undefined): number | undefined {
  const time = text === undefined ? undefined : parseTime(text.replace(/\.\d{1,3}(?=Z|[+-])/, ''));
  if (text !== undefined && time === undefined) throw invalid(name, 'is no ISO 8601 time with Z or an offset');
  return time;
}

function render({ change, fields, channel, isTold, verdict, asItWas, notifications }: Explanation, sight: Sight) {
  const isKnown = sight.mayUse(change.module);
  return {
    change: {
      number: change.number,
      at: isoTime(change.at),
      module: isKnown ? change.module : null,
      operation: change.operation,
      by: change.by,
      fields: fields ? [...fields] : null,
    },
    channel: {
      channel_id: channel.channelId,
      generation: channel.generation ?? null,
      user: channel.userId ?? null,
    },
    verdict: isTold ? ('notified' as const) : ('not_notified' as const),
    reason: verdict.kind === 'ended' && verdict.why === 'deleted' ? ('deleted' as const) : verdict.kind,
    why: sentenceOf(verdict),
    channel_as_it_was: asItWas
      ? {
          version: asItWas.version,
          kind: asItWas.kind,
          since: isoTime(asItWas.at),
          events: asItWas.channel.events.map(eventName),
          conditions: asItWas.channel.conditions.map(({ module, rule }) => ({ module, rule: ruleText(rule) })),
          notify_on_related: asItWas.channel.notifyOnRelated,
          expires_at: isoTime(asItWas.channel.expiresAt),
          overflow_from: asItWas.channel.overflowFrom ?? null,
        }
      : null,
    notifications: notifications.map(renderNotification),
  };
}

const renderNotification = ({ number, trace, state, reason, hold }: ExplainedNotification) => ({
  number,
  id: trace?.id ?? null,
  module: trace?.module ?? null,
  ids: trace ? [...trace.ids] : null,
  state,
  reason: reason ?? trace?.reason ?? null,
  attempts: trace?.attempts ?? null,
  last_attempt: trace?.last
    ? { at: isoTime(trace.last.at), outcome: trace.last.outcome.kind, status: statusOf(trace.last.outcome) }
    : null,
  rematch: trace?.job ?? null,
  held_by: hold ? renderHold(hold) : null,
});

const statusOf = (outcome: Outcome): number | null => ('status' in outcome ? outcome.status : null);

function renderHold(hold: Hold) {
  return {
    kind: hold.kind,
    since: isoOrNull('since' in hold ? hold.since : undefined),
    until: isoOrNull('until' in hold ? hold.until : undefined),
    behind: 'number' in hold ? hold.number : null,
  };
}
