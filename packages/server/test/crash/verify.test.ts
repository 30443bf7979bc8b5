import { expect, test } from 'vitest';
import { type Facts, type LoggedChange, owedOf, type StoredChannel, type StoredNotification } from './facts.ts';
import type { Answered, Arrival, Kill } from './journal.ts';
import { type Story, type Verdict, verify } from './verify.ts';

// One record that is created, changed and deleted: three changes, three notifications, each answered 200 before the next.
const OPERATIONS = ['insert', 'update', 'delete'] as const;

const notification = (number: number, more: Partial<StoredNotification> = {}): StoredNotification => ({
  number,
  id: `msg_${number}`,
  change: number,
  module: 'Contacts',
  operation: OPERATIONS[number - 1] as string,
  ids: ['1'],
  withValues: true,
  state: 'delivered',
  attemptsMade: 1,
  ...more,
});

const outcomes = (more: Record<string, string> = {}) =>
  new Map(Object.entries({ '1 1': 'delivered', '2 1': 'delivered', '3 1': 'delivered', ...more }));

const CHANGES: readonly LoggedChange[] = OPERATIONS.map((operation, at) => ({
  number: at + 1,
  module: 'Contacts',
  operation,
  records: [{ id: '1', fields: ['Description'], ...(at < 2 && { description: `d${at + 1}` }) }],
}));

const facts = (channel: Partial<StoredChannel> = {}): Facts => ({
  changes: CHANGES,
  channels: [
    {
      name: 'all',
      generation: 'g',
      lastNumber: 3,
      owed: owedOf(CHANGES, { events: ['Contacts.all'] }, 0),
      notifications: [notification(1), notification(2), notification(3)],
      outcomes: outcomes(),
      ...channel,
    },
  ],
});

const arrival = (number: number, order: number, status?: Answered, more: Partial<Arrival> = {}): Arrival => ({
  order,
  at: order,
  from: '127.0.0.1',
  receiver: 'all',
  id: `msg_${number}`,
  generation: 'g',
  number,
  attempt: 1,
  module: 'Contacts',
  operation: OPERATIONS[number - 1] as string,
  ids: ['1'],
  descriptions: new Map(number < 3 ? [['1', `d${number}`]] : []),
  digest: `body ${number}`,
  ...(status !== undefined && { answer: { order: order + 1, at: order + 1, status } }),
  ...more,
});

const CAME = [arrival(1, 10, 200), arrival(2, 20, 200), arrival(3, 30, 200)];
const ACKNOWLEDGED = [
  { module: 'Contacts', operation: 'insert', id: '1', description: 'd1' },
  { module: 'Contacts', operation: 'update', id: '1', description: 'd2' },
  { module: 'Contacts', operation: 'delete', id: '1' },
] as const;
const story = (arrivals: readonly Arrival[], more: Partial<Story> = {}): Story => ({
  arrivals,
  kills: [],
  acknowledged: ACKNOWLEDGED,
  maxAttempts: 2,
  ...more,
});

/** What is held against a run, without the figures. */
function faults({ figures: _figures, ...lists }: Verdict): Partial<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

test('a complete run in order is clean', () => {
  const verdict = verify(facts(), story(CAME));
  expect(faults(verdict)).toEqual({});
  expect(verdict.figures).toEqual({
    changes: 3,
    notifications: 3,
    states: { delivered: 3 },
    parked: {},
    arrivals: 3,
    duplicates: 0,
    inAir: 0,
    unsettled: 0,
    late: 0,
  });
});

test('an acknowledged change that is not in the change log is lost', () => {
  const more = { module: 'Contacts', operation: 'update', id: '1', description: 'd9' } as const;
  const found = faults(verify(facts(), story(CAME, { acknowledged: [...ACKNOWLEDGED, more] })));
  expect(found).toEqual({ lost: ['change log: update Contacts 1 d9'] });
});

test('a change that is in the change log twice is wrong', () => {
  const changes = [...CHANGES, { ...CHANGES[1]!, number: 4 }];
  const { wrong } = verify({ ...facts(), changes }, story(CAME));
  expect(wrong).toEqual(['change log: update Contacts 1 d2 twice']);
});

test('a change that a channel has no notification of is lost', () => {
  const notifications = [notification(1), { ...notification(3), number: 2 }];
  const came = [arrival(1, 10, 200), { ...arrival(3, 30, 200), number: 2 }];
  const { lost } = verify(facts({ notifications, lastNumber: 2 }), story(came));
  expect(lost).toEqual(['all: change 2, update of 1', 'all has 2 notifications and is owed 3']);
});

test('a condition is owed only what changed its field', () => {
  const plan = { events: ['Contacts.all'], condition: { module: 'Contacts', field: 'Department' } };
  const { lost } = verify(facts({ owed: owedOf(CHANGES, plan, 0) }), story(CAME));
  expect(lost).toEqual(['all has 3 notifications and is owed 2']);
});

test('a number that the store does not have is a gap, and so is one that nobody got', () => {
  const { gaps } = verify(facts({ lastNumber: 4 }), story([CAME[0]!, CAME[2]!]));
  expect(gaps).toEqual(['all #4 is not in the store', 'all #2 is called delivered and was not answered 2xx']);
});

test('a later one that came before the earlier one was answered 2xx is out of order', () => {
  const failed = [arrival(1, 10, 500), arrival(2, 20, 200), arrival(1, 25, 200, { attempt: 2 }), CAME[2]!];
  const retried = { '1 1': 'rejected', '1 2': 'delivered' };
  const notifications = [notification(1, { attemptsMade: 2 }), notification(2), notification(3)];
  const found = faults(verify(facts({ notifications, outcomes: outcomes(retried) }), story(failed)));
  expect(found).toEqual({ disorder: ['all record 1: #2 came before #1 was over'] });
});

test('a later one may come once the earlier one was parked', () => {
  const came = [arrival(1, 10, 500), arrival(1, 15, 500, { attempt: 2 }), CAME[1]!, CAME[2]!];
  const notifications = [notification(1, { state: 'parked', attemptsMade: 2 }), notification(2), notification(3)];
  const parked = facts({ notifications, outcomes: outcomes({ '1 1': 'rejected', '1 2': 'rejected' }) });
  expect(faults(verify(parked, story(came)))).toEqual({});
  expect(faults(verify(parked, story(came, { maxAttempts: 3 })))).toEqual({ wrong: ['all #1 parked after 2'] });
});

test('what is neither delivered nor parked, and what fails after it was delivered, is wrong', () => {
  const notifications = [notification(1), notification(2, { attemptsMade: 2 }), notification(3, { state: 'pending' })];
  const { wrong } = verify(facts({ notifications, outcomes: outcomes({ '2 2': 'delivered' }) }), story(CAME));
  expect(wrong).toEqual(['all #2, attempt 1: delivered', 'all #3 is pending', 'all #3, attempt 1: delivered']);
});

test('a number or an id that is given twice, and content that differs, are wrong', () => {
  const other = { ...arrival(3, 40, 200), id: 'msg_9' };
  expect(verify(facts(), story([...CAME, other])).wrong).toEqual([
    'g 3 is msg_3 and msg_9',
    'all #3 is not what is stored',
  ]);
  const renamed = arrival(2, 20, 200, { descriptions: new Map([['1', 'd1']]) });
  expect(verify(facts(), story([CAME[0]!, renamed, CAME[2]!])).wrong).toEqual(['all #2 is not what is stored']);
  const failed = arrival(2, 15, 500);
  const changed = { ...arrival(2, 20, 200, { attempt: 2 }), digest: 'another body' };
  expect(verify(facts(), story([CAME[0]!, failed, changed, CAME[2]!])).wrong).toEqual(['all #2 is not what is stored']);
});

test('what a channel that ended owes may be cancelled, and what one that expired owes held', () => {
  const notifications = [notification(1), notification(2), notification(3, { state: 'held', attemptsMade: 0 })];
  const came = [CAME[0]!, CAME[1]!];
  expect(faults(verify(facts({ notifications, end: 'held' }), story(came)))).toEqual({});
  expect(faults(verify(facts({ notifications, end: 'cancelled' }), story(came)))).toEqual({
    wrong: ['all #3 is held'],
  });
});

test('what came and was never committed is wrong', () => {
  const more = arrival(3, 40, 200, { number: 4, id: 'msg_4' });
  expect(faults(verify(facts(), story([...CAME, more])))).toEqual({ wrong: ['g 4 came and is not in the store'] });
});

test('an attempt that comes after the next one is explained by its having been given up, and by nothing else', () => {
  const came = [CAME[0]!, CAME[1]!, arrival(3, 30, 200, { attempt: 2 }), arrival(3, 40, 200)];
  const notifications = [notification(1), notification(2), notification(3, { attemptsMade: 2 })];
  const given = (first: string) => ({ notifications, outcomes: outcomes({ '3 1': first, '3 2': 'delivered' }) });
  expect(faults(verify(facts(given('unreachable')), story(came)))).toEqual({});
  expect(verify(facts(given('unreachable')), story(came)).figures.late).toBe(1);
  const unexplained = ['all #3: attempt 1 after attempt 2'];
  expect(faults(verify(facts(given('rejected')), story(came)))).toEqual({ unexplained });
});

test('an attempt that comes twice is explained by a kill at which the store knew nothing of it, and by nothing else', () => {
  const twice = [...CAME, arrival(3, 50, 200)];
  const unexplained = ['all #3: attempt 1 after attempt 1'];
  expect(faults(verify(facts(), story(twice)))).toEqual({ unexplained });
  const kill = (order: number, attemptsMade: number | undefined): Kill => ({
    kind: 'random',
    from: 0,
    order,
    until: order + 1,
    pending: new Map(attemptsMade === undefined ? [] : [['g 3', attemptsMade]]),
  });
  const at = (order: number, attemptsMade?: number) =>
    verify(facts(), story(twice, { kills: [kill(order, attemptsMade)] }));
  expect(faults(at(40, 0))).toEqual({});
  expect(at(40, 0).figures).toMatchObject({ duplicates: 1, inAir: 0, unsettled: 1 });
  expect(faults(at(60, 0))).toEqual({ unexplained });
  expect(faults(at(40, 1))).toEqual({ unexplained });
  expect(faults(at(40))).toEqual({ unexplained });
  const ofOther = { ...kill(40, 0), sender: '127.0.0.2' };
  expect(faults(verify(facts(), story(twice, { kills: [ofOther] })))).toEqual({ unexplained });
  const fromOther = twice.with(2, { ...CAME[2]!, from: '127.0.0.2' });
  expect(faults(verify(facts(), story(fromOther, { kills: [ofOther] })))).toEqual({});
});
