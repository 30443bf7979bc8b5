import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change, Operation } from '../../src/domain/change.ts';
import type { LiveChannel } from '../../src/domain/channel.ts';
import { createChannelIndex } from '../../src/domain/channel-index.ts';
import type { FieldRule } from '../../src/domain/condition.ts';
import { expandEvents } from '../../src/domain/event-type.ts';
import type { Generation, RecordId, UserId } from '../../src/domain/ids.ts';
import { match, matchOne } from '../../src/domain/matching.ts';
import { aChannel, channelId } from '../support/channel-set.ts';

const MODULES = ['Contacts', 'Accounts', 'Deals'];
const FIELDS = ['Phone', 'Email', 'Fax'];

const module = fc.constantFrom(...MODULES);
const operation = fc.constantFrom<Operation>('insert', 'update', 'delete');
const id = fc.integer({ min: 1, max: 6 }).map((number) => String(number) as RecordId);
const rule = fc.letrec<{ rule: FieldRule }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(...FIELDS).map((field) => ({ kind: 'field', field }) as const),
    fc.record({
      kind: fc.constant('group' as const),
      operator: fc.constantFrom('and' as const, 'or' as const),
      members: fc.array(tie('rule'), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).rule;

const channel = fc
  .record({
    events: fc.array(fc.record({ module, operation: fc.oneof(operation, fc.constant('all' as const)) }), {
      minLength: 1,
      maxLength: 4,
    }),
    notifyOnRelated: fc.boolean(),
    conditions: fc.uniqueArray(fc.record({ module, rule }), { maxLength: 2, selector: (one) => one.module }),
  })
  .map(({ events, ...rest }) => ({ ...rest, events: expandEvents(events) }));

const change = fc.record({
  number: fc.constant(1),
  channelVersion: fc.constant(1),
  at: fc.constant(0),
  by: fc.constant('u' as UserId),
  module,
  operation,
  records: fc.uniqueArray(
    fc.record({
      id,
      fields: fc.uniqueArray(fc.constantFrom(...FIELDS)),
      values: fc.constant({}),
      related: fc.array(fc.record({ module, id }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4, selector: (record) => record.id },
  ),
});

test('a channel is owed by itself what it is owed among others, in the same order', () => {
  fc.assert(
    fc.property(change, fc.array(channel, { maxLength: 5 }), (of: Change, several) => {
      const channels: LiveChannel[] = several.map((one, i) => ({
        ...aChannel({ channelId: channelId(String(i)), generation: `g${i}` as Generation }),
        ...one,
      }));
      const all = match(of, createChannelIndex(channels));
      for (const one of channels) {
        const among = all.filter(({ channel: owing }) => owing.generation === one.generation);
        expect(matchOne(of, one)).toEqual(among);
      }
    }),
    { numRuns: 500 },
  );
});
