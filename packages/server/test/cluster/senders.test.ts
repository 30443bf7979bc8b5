import { expect, test } from 'vitest';
import { type Arrival, createJournal } from '../crash/journal.ts';
import type { Query } from '../crash/store-copy.ts';
import { checkSenders, checkSilence } from './senders.ts';

const ATTEMPT_MS = 2000;

const none: Query = () => [];

const arrival = (at: number, from: string, answeredAt?: number): Arrival => ({
  order: at,
  at,
  from,
  receiver: 'one',
  id: `msg_${at}`,
  generation: 'g',
  number: at,
  attempt: 1,
  module: 'Contacts',
  operation: 'insert',
  ids: ['1'],
  descriptions: new Map(),
  digest: '',
  ...(answeredAt !== undefined && { answer: { order: answeredAt, at: answeredAt, status: 200 } }),
});

test.each<[string, readonly Arrival[], Map<string, number>, number]>([
  ['one node after the other has landed', [arrival(1, 'a', 5), arrival(6, 'b', 8)], new Map(), 0],
  ['one while that of another is in the air', [arrival(1, 'a', 7), arrival(6, 'b', 8)], new Map(), 1],
  ['one while that of another is not given up', [arrival(1, 'a'), arrival(1999, 'b', 2000)], new Map(), 1],
  ['one after that of another was given up', [arrival(1, 'a'), arrival(2001, 'b', 2002)], new Map(), 0],
  ['one after the other node died', [arrival(1, 'a'), arrival(6, 'b', 8)], new Map([['a', 5]]), 0],
  ['two of one node', [arrival(1, 'a', 7), arrival(6, 'a', 8)], new Map(), 0],
])('two nodes at once: %s', (_what, arrivals, deaths, faults) => {
  const journal = { ...createJournal(), arrivals: [...arrivals] };
  expect(checkSenders({ journal, attemptMs: ATTEMPT_MS, deaths, freezes: [] }, none).faults).toHaveLength(faults);
});

test('what a node sends when it goes on after it was frozen is counted apart', () => {
  const journal = { ...createJournal(), arrivals: [arrival(1, 'b', 7), arrival(6, 'a', 8)] };
  const freezes = [{ sender: 'a', from: 2, until: 9 }];
  const found = checkSenders({ journal, attemptMs: ATTEMPT_MS, deaths: new Map(), freezes }, none);
  expect(found).toEqual({ faults: [], atThaw: 1 });
});

test.each<[string, number, number]>([
  ['ended when its node gave it up', 2001, 0],
  ['was in the air until then', 1990, 1],
])('a request that was given up and read late %s', (_what, begun, faults) => {
  const journal = { ...createJournal(), arrivals: [arrival(5, 'a'), arrival(begun, 'b', begun + 1)] };
  const query: Query = () => [
    { generation: 'g', number: 5, attempt: 1, at: performance.timeOrigin, duration_ms: ATTEMPT_MS },
  ];
  const world = { journal, attemptMs: ATTEMPT_MS, deaths: new Map(), freezes: [] };
  expect(checkSenders(world, query).faults).toHaveLength(faults);
});

/** A time of this process' own, of an epoch time. */
const own = (time: number): number => time - performance.timeOrigin;
const NOW = Math.ceil(performance.timeOrigin);

const revisions =
  (...rows: readonly [number, string][]): Query =>
  (text) =>
    text.includes('FROM channel_revision')
      ? rows.map(([at, kind], version) => ({
          version,
          at: NOW + at,
          kind,
          snapshot: JSON.stringify({ generation: 'g', channelId: '1', expiresAt: NOW + 100 }),
        }))
      : [];

test.each<[string, Query, readonly number[], Readonly<Record<string, number>>, number]>([
  [
    'within a second after the answer to a DELETE',
    revisions([0, 'opened'], [50, 'deleted']),
    [40, 1050],
    { deleted: 990 },
    0,
  ],
  ['later than that', revisions([0, 'opened'], [50, 'deleted']), [1400], { deleted: 1340 }, 1],
  ['later than a second after an expiry', revisions([0, 'opened'], [300, 'expired']), [1400], { expired: 1300 }, 1],
  [
    'after an expiry and a renewal',
    revisions([0, 'opened'], [300, 'expired'], [1300, 'renewed']),
    [1400],
    { expired: 0 },
    0,
  ],
  [
    'later than a second after a suspension',
    revisions([0, 'opened'], [50, 'suspended']),
    [1400],
    { suspended: 1350 },
    1,
  ],
])('a request that comes %s', (_what, query, times, latest, faults) => {
  const arrivals = times.map((at) => arrival(own(NOW + at), 'a', own(NOW + at)));
  const found = checkSilence(query, arrivals, [{ channelId: '1', at: NOW + 60 }]);
  expect(found.latest).toEqual(latest);
  expect(found.faults).toHaveLength(faults);
});

test('a request that was given up counts from when it began, however late it is read', () => {
  const late = arrival(own(NOW + 5000), 'a');
  const query: Query = (text, ...values) =>
    text.includes('FROM attempt')
      ? [{ generation: 'g', number: late.number, attempt: 1, at: NOW + 90 }]
      : revisions([0, 'opened'], [300, 'expired'])(text, ...values);
  expect(checkSilence(query, [late], [])).toMatchObject({ faults: [], latest: { expired: 0 } });
});
