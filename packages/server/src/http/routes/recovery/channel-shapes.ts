import { Type } from 'typebox';
import {
  CANCELLED_WHYS,
  type ChannelRevision,
  ENDED_REASONS,
  type Lapse,
  SUSPENDED_WHYS,
} from '../../../domain/channel.ts';
import type { FieldCondition, FieldRule } from '../../../domain/condition.ts';
import { modulesOf } from '../../../domain/event-type.ts';
import { eventName } from '../../../domain/wire/event-name.ts';
import type { ChannelDetails, ChannelView } from '../../../services/channel-control.ts';
import { isoOrNull, isoTime, Time, TimeOrNull } from '../admin/shapes.ts';

// Channels as our own API shows them: without tokens, and of URLs origin and path only, as queries carry secrets (P9).

const orNull = <Shape extends ReturnType<typeof Type.String | typeof Type.Integer>>(
  shape: Shape,
  description?: string,
) => Type.Union([shape, Type.Null()], description === undefined ? {} : { description });
const oneOfOrNull = <Value extends string>(values: readonly Value[], description: string) =>
  Type.Union([Type.Enum([...values]), Type.Null()], { description });

const subscription = {
  api_version: Type.String({ description: 'Whose shapes its notifications have' }),
  events: Type.Array(Type.String({ description: 'Such as Contacts.create' })),
  conditions: Type.Array(
    Type.Object({
      module: Type.String(),
      field_selection: Type.Unknown({
        description: 'As it is subscribed with: a field, or a group_operator and a group',
      }),
    }),
  ),
  notify_on_related_action: Type.Boolean(),
  return_affected_field_values: Type.Boolean(),
};

const shown = {
  channel_id: Type.String(),
  generation: Type.String(),
  user: Type.String(),
  client: orNull(Type.String()),
  modules: Type.Array(Type.String()),
  ...subscription,
  receiver: Type.String({ description: 'Origin and path of the notify URL' }),
  state: Type.Enum(['live', 'suspended', 'expired', 'ended'], {
    description: 'Of one that is both, expired: only a POST by its owner takes it up again, which resumes it too',
  }),
  opened_at: Time,
  expires_at: Time,
  expires_in_seconds: Type.Integer({ description: '0: it has expired, or ended' }),
  suspended_at: TimeOrNull,
  suspended_reason: oneOfOrNull(SUSPENDED_WHYS, 'gone: its receiver answered 410'),
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
  overflowing: Type.Boolean({ description: 'It owes too much: changes are kept as a range, without notifications' }),
  cancelled_to: orNull(Type.Integer(), 'What it still owed up to this number was cancelled, as cancelled_reason says'),
  cancelled_reason: oneOfOrNull(
    CANCELLED_WHYS,
    'expired: opened again under the setting drop; skipped: when it was resumed',
  ),
  signed: Type.Boolean({ description: 'With a secret of its own' }),
  concurrency: orNull(Type.Integer(), 'Most attempts at once; null: as the server has it'),
  lifecycle_url: orNull(Type.String(), 'Origin and path of where its owner is told of its life'),
  ended_at: TimeOrNull,
  ended_reason: oneOfOrNull(ENDED_REASONS, 'retention: its id was opened anew long after it had expired'),
};
export const ChannelShape = Type.Object(shown);

export const LapseShape = Type.Object({
  kind: Type.Union([Type.Literal('expired'), Type.Literal('overflow')]),
  from_change: Type.Integer({ description: 'The changes after this one were not seen' }),
  to_change: orNull(Type.Integer(), 'Up to this one; null: it is open'),
  began_at: Time,
  ended_at: TimeOrNull,
  rematched_to: orNull(Type.Integer(), 'The last change that was matched again'),
});
export const DetailsShape = Type.Object({
  ...shown,
  lapses: Type.Array(LapseShape, { description: 'Newest first, at most 100' }),
});

export const RevisionShape = Type.Object({
  version: Type.Integer({ description: 'Counts what is made of all channels of the organisation' }),
  at: Time,
  kind: Type.String({ description: 'What was done, such as opened, replaced, expired, suspended, deleted' }),
  ...subscription,
  expires_at: Time,
  last_number: Type.Integer({ description: 'Of its newest notification then' }),
  overflowing: Type.Boolean(),
});

export const renderChannel = ({ channel, state, expiresInMs, health, owed }: ChannelView) => ({
  channel_id: channel.channelId,
  generation: channel.generation,
  user: channel.userId,
  client: channel.clientId ?? null,
  modules: modulesOf(channel.events),
  ...renderSubscription(channel),
  receiver: originAndPath(channel.notifyUrl),
  state,
  opened_at: isoTime(channel.openedAt),
  expires_at: isoTime(channel.expiresAt),
  expires_in_seconds: Math.ceil(expiresInMs / 1000),
  suspended_at: isoOrNull(channel.suspension?.at),
  suspended_reason: channel.suspension?.why ?? null,
  failing_since: isoOrNull(health?.failingSince),
  failed_attempts: health?.failedAttempts ?? 0,
  last_number: channel.lastNumber,
  owed: owed.count,
  oldest_owed_at: isoOrNull(owed.oldestAt),
  overflowing: channel.overflowFrom !== undefined,
  cancelled_to: channel.cancelledTo ?? null,
  cancelled_reason: channel.cancelledWhy ?? null,
  signed: channel.signing !== undefined,
  concurrency: channel.concurrency ?? null,
  lifecycle_url: channel.lifecycleUrl === undefined ? null : originAndPath(channel.lifecycleUrl),
  ended_at: isoOrNull(channel.endedAt),
  ended_reason: channel.endedReason ?? null,
});

export const renderDetails = (details: ChannelDetails) => ({
  ...renderChannel(details),
  lapses: details.lapses.map(renderLapse),
});

export const renderRevision = ({ version, at, kind, channel }: ChannelRevision) => ({
  version,
  at: isoTime(at),
  kind,
  ...renderSubscription(channel),
  expires_at: isoTime(channel.expiresAt),
  last_number: channel.lastNumber,
  overflowing: channel.overflowFrom !== undefined,
});

export const renderLapse = ({ kind, fromChange, toChange, at, endedAt, rematchedTo }: Lapse) => ({
  kind,
  from_change: fromChange,
  to_change: toChange ?? null,
  began_at: isoTime(at),
  ended_at: isoOrNull(endedAt),
  rematched_to: rematchedTo ?? null,
});

const renderSubscription = (channel: ChannelRevision['channel']) => ({
  api_version: channel.version,
  events: channel.events.map(eventName),
  conditions: channel.conditions.map(renderCondition),
  notify_on_related_action: channel.notifyOnRelated,
  return_affected_field_values: channel.withValues,
});

const renderCondition = ({ module, rule }: FieldCondition) => ({ module, field_selection: renderRule(rule) });

function renderRule(rule: FieldRule): object {
  if (rule.kind === 'field') return { field: { api_name: rule.field } };
  return { group_operator: rule.operator, group: rule.members.map(renderRule) };
}

export function originAndPath(text: string): string {
  if (!URL.canParse(text)) return 'unknown';
  const { origin, pathname } = new URL(text);
  return origin + pathname;
}
