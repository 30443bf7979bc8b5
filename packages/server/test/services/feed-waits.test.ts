import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { createFeedWaits, type WaitFor } from '../../src/services/feed-waits.ts';

const ORG = '3652397' as OrgId;
const generation = (text: string) => text as Generation;
const forIt = (more: Partial<WaitFor> = {}): WaitFor => ({
  org: ORG,
  generation: generation('g1'),
  after: 5,
  who: 'ada',
  waitMs: 60_000,
  ...more,
});
const numbers = (...given: [string, number][]) => ({
  numbers: new Map(given.map(([name, number]) => [generation(name), number] as const)),
});

async function isOver(over: Promise<void>): Promise<boolean> {
  let is = false;
  void over.then(() => {
    is = true;
  });
  await turn();
  return is;
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

test('a commit ends the waiting for its numbers, and no other', async () => {
  const waits = createFeedWaits({});
  const waiter = waits.enter(forIt());
  const other = waits.enter(forIt({ generation: generation('g2') }));
  waits.committed(ORG, numbers(['g1', 5]));
  expect(await isOver(waiter.over)).toBe(false);
  waits.committed(ORG, numbers(['g1', 6]));
  expect(await isOver(waiter.over)).toBe(true);
  expect(await isOver(other.over)).toBe(false);
  waiter.leave();
  other.leave();
  expect(waits.count()).toBe(0);
});

test('the callers of one organisation together leave room for those of others', () => {
  const waits = createFeedWaits({ maxWaiting: 5, maxOfOne: 1, maxOfOrg: 3 });
  const [first] = ['ada', 'grace', 'mary'].map((who) => waits.enter(forIt({ who })));
  expect(codeOf(() => waits.enter(forIt({ who: 'joan' })))).toBe('TOO_MANY_REQUESTS');
  expect(codeOf(() => waits.enter(forIt({ who: 'elsewhere', org: '20000001' as OrgId })))).toBe('none');
  first?.leave();
  expect(codeOf(() => waits.enter(forIt({ who: 'joan' })))).toBe('none');
});

test('no more than so many wait, of one caller and in all; whoever leaves makes room, once', () => {
  const waits = createFeedWaits({ maxWaiting: 5, maxOfOne: 3 });
  const [first] = [1, 2, 3].map(() => waits.enter(forIt()));
  expect(codeOf(() => waits.enter(forIt()))).toBe('TOO_MANY_REQUESTS');
  waits.enter(forIt({ who: 'grace' }));
  waits.enter(forIt({ who: 'grace' }));
  expect(codeOf(() => waits.enter(forIt({ who: 'mary' })))).toBe('SERVICE_UNAVAILABLE');
  first?.leave();
  first?.leave();
  expect(waits.count()).toBe(4);
  waits.enter(forIt());
  expect(codeOf(() => waits.enter(forIt()))).toBe('SERVICE_UNAVAILABLE');
});

test('who is not willing to wait, or comes when all is over, takes no place', async () => {
  const waits = createFeedWaits({ maxWaiting: 0 });
  expect(await isOver(waits.enter(forIt({ waitMs: 0 })).over)).toBe(true);
  expect(await isOver(waits.enter(forIt({ signal: AbortSignal.abort() })).over)).toBe(true);
  waits.close();
  expect(await isOver(waits.enter(forIt()).over)).toBe(true);
});

test('a caller that goes away, and the end of the server, end the waiting', async () => {
  const waits = createFeedWaits({});
  const gone = new AbortController();
  const waiter = waits.enter(forIt({ signal: gone.signal }));
  const other = waits.enter(forIt());
  gone.abort();
  expect(await isOver(waiter.over)).toBe(true);
  expect(await isOver(other.over)).toBe(false);
  waits.close();
  expect(await isOver(other.over)).toBe(true);
  waiter.leave();
  other.leave();
  expect(waits.count()).toBe(0);
});

test('one look serves all who wait, each channel once; a store that fails is asked again', async () => {
  const asked: string[][] = [];
  let isWell = false;
  const waits = createFeedWaits({
    lookEvery: 1,
    async look(channels) {
      asked.push(channels.map((channel) => channel.generation));
      if (!isWell) {
        isWell = true;
        throw new Error('the store is away');
      }
      return new Map([[generation('g1'), 6]]);
    },
  });
  const waiters = [waits.enter(forIt()), waits.enter(forIt()), waits.enter(forIt({ generation: generation('g2') }))];
  await Promise.all(waiters.slice(0, 2).map(({ over }) => over));
  expect(asked.slice(0, 2)).toEqual([
    ['g1', 'g2'],
    ['g1', 'g2'],
  ]);
  for (const waiter of waiters) waiter.leave();
  expect(waits.count()).toBe(0);
});
