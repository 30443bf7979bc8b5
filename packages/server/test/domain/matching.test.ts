import { describe, expect, test } from 'vitest';
import type { Change, ChangedRecord, Operation } from '../../src/domain/change.ts';
import type { LiveChannel } from '../../src/domain/channel.ts';
import { createChannelIndex } from '../../src/domain/channel-index.ts';
import type { FieldRule } from '../../src/domain/condition.ts';
import { expandEvents } from '../../src/domain/event-type.ts';
import type { RecordId, UserId } from '../../src/domain/ids.ts';
import { match } from '../../src/domain/matching.ts';
import { aChannel, channelId } from '../support/channel-set.ts';

const watching = (id: string, events: string, differing: Partial<LiveChannel> = {}): LiveChannel => ({
  ...aChannel({ channelId: channelId(id) }),
  events: expandEvents(
    events.split(' ').map((event) => {
      const [module = '', operation = ''] = event.split('.');
      return { module, operation: operation as Operation | 'all' };
    }),
  ),
  ...differing,
});

const record = (id: string, fields: readonly string[] = [], related: readonly string[] = []): ChangedRecord => ({
  id: id as RecordId,
  fields,
  values: {},
  related: related.map((ref) => {
    const [module = '', target = ''] = ref.split('/');
    return { module, id: target as RecordId };
  }),
});

const change = (module: string, operation: Operation, ...records: ChangedRecord[]): Change => ({
  number: 1,
  channelVersion: 1,
  module,
  operation,
  at: 0,
  by: 'u' as UserId,
  records,
});

/** As `channel: Module operation ids`, in the order found. */
const owed = (of: Change, ...channels: LiveChannel[]): string[] =>
  match(of, createChannelIndex(channels)).map(
    ({ channel, module, operation, ids }) => `${channel.channelId}: ${module} ${operation} ${ids.join(' ')}`,
  );

describe('a change', () => {
  test.each([
    ['Contacts.insert', 'insert', ['1: Contacts insert 5 6']],
    ['Contacts.insert', 'update', []],
    ['Contacts.update', 'update', ['1: Contacts update 5 6']],
    ['Contacts.delete', 'delete', ['1: Contacts delete 5 6']],
    ['Contacts.all', 'delete', ['1: Contacts delete 5 6']],
    ['Leads.all', 'insert', []],
    ['Leads.insert Contacts.insert', 'insert', ['1: Contacts insert 5 6']],
  ] as const)('a channel on %s is owed of an %s', (events, operation, expected) => {
    expect(
      owed(change('Contacts', operation, record('5', ['Phone']), record('6', ['Email'])), watching('1', events)),
    ).toEqual(expected);
  });

  test('each channel that watches it is owed its own notification', () => {
    const channels = [watching('1', 'Leads.insert'), watching('2', 'Leads.all'), watching('3', 'Leads.update')];
    expect(owed(change('Leads', 'insert', record('5')), ...channels)).toEqual([
      '1: Leads insert 5',
      '2: Leads insert 5',
    ]);
  });
});

describe('a condition', () => {
  const field = (name: string): FieldRule => ({ kind: 'field', field: name });
  const group = (operator: 'and' | 'or', ...members: FieldRule[]): FieldRule => ({ kind: 'group', operator, members });
  const nested = group('or', field('Last_Name'), group('and', field('Company'), field('Phone')));
  const on = (rule: FieldRule, events = 'Leads.all') =>
    watching('1', events, { conditions: [{ module: 'Leads', rule }], notifyOnRelated: true });

  test.each([
    [field('Phone'), [['Phone'], ['Email'], ['Email', 'Phone']], '0 2'],
    [group('or', field('Phone'), field('Email')), [['Phone'], ['Email'], ['Fax']], '0 1'],
    [group('and', field('Phone'), field('Email')), [['Phone'], ['Email', 'Phone'], ['Fax']], '1'],
    [nested, [['Last_Name'], ['Company'], ['Phone', 'Company'], []], '0 2'],
  ])('%j lets the updates pass that it asks for', (rule, updates, ids) => {
    const records = updates.map((fields, i) => record(String(i), fields));
    expect(owed(change('Leads', 'update', ...records), on(rule))).toEqual([`1: Leads update ${ids}`]);
  });

  test('nothing is owed when no record passes', () => {
    expect(owed(change('Leads', 'update', record('5', ['Fax'])), on(field('Phone')))).toEqual([]);
  });

  test.each(['insert', 'delete'] as const)('it does not narrow an %s', (operation) => {
    expect(owed(change('Leads', operation, record('5')), on(field('Phone')))).toEqual([`1: Leads ${operation} 5`]);
  });

  test('it does not narrow another module', () => {
    expect(owed(change('Deals', 'update', record('5', ['Stage'])), on(field('Phone'), 'Leads.all Deals.all'))).toEqual([
      '1: Deals update 5',
    ]);
  });

  test('it keeps related actions of its module out', () => {
    expect(owed(change('Tasks', 'insert', record('5', [], ['Leads/9'])), on(field('Phone')))).toEqual([]);
  });
});

describe('a related action', () => {
  const related = (id: string, events: string) => watching(id, events, { notifyOnRelated: true });

  test.each(['insert', 'update', 'delete'] as const)('%s of a contact is an update of its account', (operation) => {
    const of = change(
      'Contacts',
      operation,
      record('5', ['Phone'], ['Accounts/7']),
      record('6', ['Phone'], ['Accounts/7']),
    );
    expect(owed(of, related('1', 'Accounts.update'))).toEqual(['1: Accounts update 7']);
  });

  test('an account that was left and the one taken instead are both told', () => {
    const of = change('Contacts', 'update', record('5', ['Account_Name'], ['Accounts/7', 'Accounts/8']));
    expect(owed(of, related('1', 'Accounts.all'))).toEqual(['1: Accounts update 7 8']);
  });

  test('is owed only to channels that ask for it and watch updates of the related module', () => {
    const of = change('Contacts', 'update', record('5', ['Phone'], ['Accounts/7']));
    expect(owed(of, watching('1', 'Accounts.all'), related('2', 'Accounts.insert'), related('3', 'Leads.all'))).toEqual(
      [],
    );
  });

  test('a channel on both modules is owed one notification for each', () => {
    const of = change('Contacts', 'update', record('5', ['Phone'], ['Accounts/7']));
    expect(owed(of, related('1', 'Contacts.all Accounts.all'))).toEqual([
      '1: Contacts update 5',
      '1: Accounts update 7',
    ]);
  });

  test('within one module it is the same notification as the update itself', () => {
    const of = change('Contacts', 'update', record('5', ['Reporting_To'], ['Contacts/6']));
    expect(owed(of, related('1', 'Contacts.all'), watching('2', 'Contacts.all'))).toEqual([
      '1: Contacts update 5 6',
      '2: Contacts update 5',
    ]);
  });

  test('within one module an insert or delete has an update beside it', () => {
    const of = change('Contacts', 'insert', record('5', [], ['Contacts/6']));
    expect(owed(of, related('1', 'Contacts.all'))).toEqual(['1: Contacts insert 5', '1: Contacts update 6']);
  });

  test('a record deleted by the same call is not also updated', () => {
    const of = change('Contacts', 'delete', record('5', [], ['Contacts/6']), record('6'));
    expect(owed(of, related('1', 'Contacts.all'))).toEqual(['1: Contacts delete 5 6']);
  });

  test('a record of another module with the id of a changed one is told', () => {
    const of = change('Orders', 'update', record('5', ['Total'], ['Customers/5']));
    expect(owed(of, related('1', 'Customers.update'))).toEqual(['1: Customers update 5']);
  });
});
