import fc from 'fast-check';
import type { BodyPlan } from './bodies.ts';
import { mutate, type Tree, toText } from './json-tree.ts';
import type { CallPlan } from './requests.ts';
import type { SocketPlan } from './sockets.ts';
import { CHANNEL_IDS, type UserName, type WatchCall } from './watch-calls.ts';

/** One thing that a session does. */
export type Step = WatchCall | CallPlan | SocketPlan | ClockMove;

/** By so many milliseconds, or to just before or just at the next end of a channel. */
export interface ClockMove {
  readonly kind: 'clock';
  readonly by: number | 'to the end' | 'before the end';
}

/** What each session finds: channels to change and to end. */
export const openSome = (user: UserName): WatchCall => ({
  kind: 'watch',
  user,
  version: 'v8',
  act: {
    method: 'POST',
    body: {
      watch: CHANNEL_IDS.slice(0, 3).map((id) => ({
        channel_id: id,
        events: ['Leads.all', 'Contacts.edit', 'Tasks.create'],
        notify_url: { $url: id },
        token: id,
        channel_expiry: { $in: 5 * 86_400, $form: 'Z' },
        notification_condition: [
          { type: 'field_selection', module: { api_name: 'Leads' }, field_selection: { field: { api_name: 'Email' } } },
        ],
      })),
    },
    mutations: [],
    broken: 'not',
    type: undefined,
  },
});

export const clockMoves: fc.Arbitrary<ClockMove> = fc.record({
  kind: fc.constant('clock'),
  by: fc.oneof(
    fc.constantFrom<ClockMove['by']>('to the end', 'before the end'),
    fc.constantFrom(1, 1000, 59_999, 3_600_000, 86_400_000, 3 * 86_400_000, 8 * 86_400_000),
  ),
});

/** What is sent, and as what unless the headers say otherwise. */
export function bodyOf(plan: BodyPlan): { bytes?: Buffer; type?: string } {
  switch (plan.kind) {
    case 'none':
      return {};
    case 'json':
      return { bytes: Buffer.from(toText(plan.mutations.reduce<Tree>(mutate, plan.tree))) };
    case 'form': {
      const pairs = plan.pairs.map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed())}`);
      return { bytes: Buffer.from(pairs.join('&')), type: 'application/x-www-form-urlencoded' };
    }
    case 'bytes':
      return { bytes: Buffer.from(plan.bytes) };
    case 'big':
      return { bytes: Buffer.alloc(plan.size, '[') };
  }
}

/** For the report of a fault. */
export const describe = (one: object): string =>
  JSON.stringify(one, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).slice(0, 3000);
