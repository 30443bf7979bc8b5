import { Type } from '@fastify/type-provider-typebox';
import { SHOWN_STATES } from '../../../domain/shown-state.ts';
import { Time, TimeOrNull } from '../admin/shapes.ts';

export const NumberOfOne = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const CursorName = Type.String({ pattern: '^[a-z0-9_-]{1,64}$' });

const StringOrNull = Type.Union([Type.String(), Type.Null()]);
const Item = Type.Object({
  number: Type.Integer({ description: 'Contiguous in the channel: 1, 2, 3 …' }),
  id: Type.String({ description: 'As in webhook-id' }),
  generation: Type.String({ description: 'As in watchbell-generation' }),
  sequence: Type.Integer({ description: 'As in watchbell-sequence' }),
  state: Type.Enum([...SHOWN_STATES]),
  reason: StringOrNull,
  changed_at: Time,
  settled_at: TimeOrNull,
  rematch: Type.Union([Type.String(), Type.Null()], { description: 'Job that re-matched it' }),
  body: Type.String({ description: 'The exact text that is sent: JSON' }),
});
const Removed = Type.Object({
  from: Type.Integer(),
  to: Type.Integer({ description: 'Inclusive' }),
  reason: Type.String({ description: 'delivered; or parked, deleted, skipped, expired …, as retention removed it' }),
});
export const PageShape = Type.Object({
  notifications: Type.Array(Item),
  removed: Type.Array(Removed),
  through: Type.Integer({
    description:
      'Every number after the one asked for up to this is in notifications or removed; before the one asked for when ' +
      'the server was restored and has not come as far again',
  }),
  last_number: Type.Integer({ description: 'Of the newest notification' }),
  more: Type.Boolean({ description: 'There is something after through' }),
});
export const CursorShape = Type.Object({ name: Type.String(), number: Type.Integer(), at: Time });
