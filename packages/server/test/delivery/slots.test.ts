import { expect, test } from 'vitest';
import { createSlots, type Flight, type Seat, type Slots, type Standing } from '../../src/delivery/slots.ts';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY, type DeliveryPolicy } from '../../src/domain/delivery-policy.ts';
import type { Generation, OrgId } from '../../src/domain/ids.ts';

interface Made extends Seat {
  readonly name: string;
  ready: number;
  readonly flights: Flight[];
}

const outcome = (succeeded: boolean): Outcome => ({ kind: succeeded ? 'delivered' : 'rejected', status: 200 });

/** Seats that have `ready` flights to make and remember those they were dealt, in the order of `dealt`. */
function table(policy: Partial<DeliveryPolicy> = {}, isBlocked = () => false) {
  const closed = new Set<string>();
  const slots: Slots = createSlots({ ...DEFAULT_POLICY, ...policy }, isBlocked, {
    admits: (org, origin) => !closed.has(`${org}/${origin}`),
    start: () => false,
    land: () => undefined,
  });
  const dealt: string[] = [];
  const seat = (name: string, org: string, origin: string, standing: Standing, level = 16, ready = 100): Made => {
    const made: Made = {
      name,
      org: org as OrgId,
      origin,
      standing,
      level,
      ready,
      generation: name as Generation,
      most: () => 16,
      flying: 0,
      flights: [],
      hasReady: () => made.ready > 0,
      launch(flight) {
        made.ready -= 1;
        made.flights.push(flight);
        dealt.push(name);
      },
    };
    return made;
  };
  const land = (one: Made, succeeded: boolean | undefined) =>
    slots.release(one, one.flights.shift()!, succeeded === undefined ? undefined : outcome(succeeded));
  return { slots, seat, dealt, land, closed };
}

test('a lane starts with two flights, doubles on success up to sixteen, and falls back to one', () => {
  const { slots, seat, land } = table();
  const one = seat('one', 'a', 'o', 'unproven', 2);
  const flying: number[] = [];
  slots.request(one);
  for (const succeeded of [true, true, true, true, false]) {
    flying.push(one.flying);
    land(one, succeeded);
  }
  expect(flying).toEqual([2, 4, 8, 16, 16]);
  expect(one.level).toBe(1);
  expect(one.standing).toBe('failing');
  while (one.flying > 1) land(one, undefined);
  expect(one.flying).toBe(1);
});

test('an origin of an organisation has at most 32 flights, and another is not kept waiting by it', () => {
  const { slots, seat } = table();
  const same = ['1', '2', '3'].map((name) => seat(name, 'a', 'same', 'proven'));
  const other = seat('other', 'a', 'other', 'proven');
  const foreign = seat('foreign', 'b', 'same', 'proven');
  for (const one of [...same, other, foreign]) slots.request(one);
  expect(same.reduce((sum, { flying }) => sum + flying, 0)).toBe(32);
  expect(other.flying).toBe(16);
  expect(foreign.flying).toBe(16);
});

test('failing and unproven lanes hold a quarter of the node each, and proven ones find the rest free', () => {
  const { slots, seat } = table();
  const many = (standing: Standing) =>
    Array.from({ length: 100 }, (_, i) => seat(`${standing}${i}`, `org${i}`, `o${i}`, standing));
  const [failing, unproven, proven] = [many('failing'), many('unproven'), many('proven')];
  const held = (seats: Made[]) => seats.reduce((sum, { flying }) => sum + flying, 0);
  for (const one of [...failing, ...unproven, ...proven]) slots.request(one);
  expect([held(failing), held(unproven), held(proven)]).toEqual([128, 128, 256]);
  expect(slots.inFlight()).toBe(512);
});

test('a seat flies no more than its owner lets it, also when that changes while it flies', () => {
  const { slots, seat, dealt } = table();
  const one = seat('one', 'a', 'o', 'proven', 16);
  let most = 3;
  one.most = () => most;
  slots.request(one);
  expect(one.flying).toBe(3);
  most = 5;
  slots.request(one);
  expect(one.flying).toBe(5);
  most = 2;
  for (let i = 0; i < 3; i += 1) slots.release(one, one.flights[i]!, outcome(true));
  expect([one.flying, dealt.length]).toEqual([2, 5]);
  slots.release(one, one.flights[3]!, outcome(true));
  expect([one.flying, dealt.length]).toEqual([2, 6]);
});

test('what is owed and what is sent again share the flights of their channel, in turns, and neither lacks a wake-up', () => {
  const { slots, seat, land } = table();
  const lane = seat('lane', 'a', 'o', 'proven', 16, 8);
  const job = { ...seat('job', 'a', 'o', 'proven', 4, 8), generation: lane.generation };
  job.hasReady = () => job.ready > 0;
  job.launch = (flight) => {
    job.ready -= 1;
    job.flights.push(flight);
  };
  for (const one of [lane, job]) {
    one.most = () => 3;
    slots.request(one);
  }
  const flown = { lane: 0, job: 0 };
  let most = 0;
  while (lane.flying + job.flying > 0) {
    most = Math.max(most, lane.flying + job.flying);
    const one = lane.flying > 0 && (flown.lane <= flown.job || job.flying === 0) ? lane : job;
    flown[one === lane ? 'lane' : 'job'] += 1;
    land(one, true);
  }
  expect({ most, flown }).toEqual({ most: 3, flown: { lane: 8, job: 8 } });
  slots.withdraw(job);
  slots.withdraw(lane);
  expect(slots.inFlight()).toBe(0);
});

test('an organisation holds at most half of each part', () => {
  const { slots, seat } = table();
  const greedy = Array.from({ length: 50 }, (_, i) => seat(`g${i}`, 'greedy', `o${i}`, 'failing'));
  for (const one of greedy) slots.request(one);
  expect(slots.inFlight()).toBe(64);
  const modest = seat('modest', 'modest', 'o', 'failing', 1);
  slots.request(modest);
  expect(modest.flying).toBe(1);
});

test('turns go round by organisation, then origin, then lane', () => {
  let blocked = true;
  const { slots, seat, dealt } = table({}, () => blocked || dealt.length >= 8);
  for (const [name, org, origin] of [
    ['a1x', 'a', '1'],
    ['a1y', 'a', '1'],
    ['a2', 'a', '2'],
    ['b', 'b', '1'],
  ] as const) {
    slots.request(seat(name, org, origin, 'proven'));
  }
  expect(dealt).toEqual([]);
  blocked = false;
  slots.deal();
  expect(dealt).toEqual(['a1x', 'b', 'a2', 'b', 'a1y', 'b', 'a2', 'b']);
});

test('an origin that is not admitted costs no turn, and its lanes go on when it is', () => {
  const { slots, seat, dealt, closed } = table();
  const key = 'a/dead';
  closed.add(key);
  const held = (['proven', 'unproven', 'failing'] as const).map((standing) => seat(standing, 'a', 'dead', standing, 1));
  const well = seat('well', 'a', 'well', 'proven', 1);
  for (const one of [...held, well]) slots.request(one);
  expect(dealt).toEqual(['well']);
  slots.withdraw(held[1]!);
  closed.delete(key);
  slots.readmit('a' as OrgId, 'dead', false);
  expect(dealt).toEqual(['well', 'proven', 'failing']);
});

test('those that probe hold no more than failing lanes do', () => {
  const { slots, seat, dealt, closed } = table({ nodeFlights: 8, unprovenShare: 0.25, orgShare: 1 });
  const origins = Array.from({ length: 10 }, (_, i) => `o${i}`);
  for (const origin of origins) closed.add(`a/${origin}`);
  for (const origin of origins) slots.request(seat(origin, 'a', origin, 'proven', 1));
  for (const origin of origins) {
    closed.delete(`a/${origin}`);
    slots.readmit('a' as OrgId, origin, true);
  }
  expect(dealt).toEqual(['o0', 'o1']);
});

test('what has probed an origin goes on with those of its standing, and not in the part of those that fail', () => {
  const { slots, seat, land, closed } = table();
  const one = seat('one', 'a', 'o', 'proven');
  const { launch } = one;
  one.launch = (flight) => {
    launch(flight);
    if (flight.standing === 'failing') closed.add('a/o');
  };
  closed.add('a/o');
  slots.request(one);
  closed.delete('a/o');
  slots.readmit('a' as OrgId, 'o', true);
  expect(one.flights.map(({ standing }) => standing)).toEqual(['failing']);
  closed.delete('a/o');
  slots.readmit('a' as OrgId, 'o', false);
  land(one, true);
  expect(one.flights.map(({ standing }) => standing)).toEqual(Array(16).fill('proven'));
});

test('a seat that withdrew is not dealt to', () => {
  let blocked = true;
  const { slots, seat, dealt } = table({}, () => blocked);
  const one = seat('one', 'a', '1', 'proven');
  slots.request(one);
  slots.withdraw(one);
  blocked = false;
  slots.deal();
  expect(dealt).toEqual([]);
});
