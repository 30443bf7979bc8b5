import { afterEach, describe, expect, test } from 'vitest';
import type { DeliveryPolicy } from '../../src/domain/delivery-policy.ts';
import { AppError } from '../../src/domain/error.ts';
import type { OrgId } from '../../src/domain/ids.ts';
import { type Behaviour, failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { HOUR, type Stage, type StageOptions, setStage } from './stage.ts';

const ORG = '3652397' as OrgId;
const opened: { stage?: Stage; receiver?: Receiver } = {};
afterEach(async () => {
  await opened.stage?.close();
  await opened.receiver?.close();
  delete opened.stage;
  delete opened.receiver;
});

async function begin(behaviour: Behaviour, options?: StageOptions) {
  const stage = await setStage(options);
  opened.stage = stage;
  const receiver = await startReceiver(behaviour);
  opened.receiver = receiver;
  const channel = await stage.open('1', receiver.origin, LONG);
  return { stage, receiver, channel };
}

const gone: Behaviour = (_request, response) => response.writeHead(410).end();
const LONG = { expiresAt: Date.UTC(2026, 11, 1) };
/** An attempt each hour, for ever. */
const HOURLY: Partial<DeliveryPolicy> = { retrySchedule: [0, ...Array<number>(100).fill(HOUR)] };

const sequences = ({ received }: Receiver, from = 0): number[] =>
  received.slice(from).map(({ headers }) => Number(headers['watchbell-sequence']));

async function hours(stage: Stage, count: number): Promise<void> {
  for (let hour = 0; hour < count; hour += 1) {
    stage.clock.advance(HOUR);
    await stage.delivery.idle();
  }
}

async function changes(stage: Stage, ...serials: number[]): Promise<void> {
  for (const serial of serials) await stage.change(serial);
  await stage.delivery.idle();
}

test('a channel that was suspended before it owed anything is sent to once it was resumed', async () => {
  const { stage, receiver, channel } = await begin(ok);
  await stage.control.suspend(ORG, channel.generation);
  await stage.control.resume(ORG, channel.generation, 'backlog');
  await changes(stage, 1);
  expect(sequences(receiver)).toEqual([1]);
});

describe('a receiver that answers 410', () => {
  test('stops its channel at once; what it owes stays owed and goes on to be numbered', async () => {
    const { stage, receiver, channel } = await begin(gone);
    await changes(stage, 1);
    const before = receiver.received.length;
    expect(before).toBe(1);
    expect(await stage.control.find(ORG, channel.generation)).toMatchObject({
      state: 'suspended',
      channel: { suspension: { at: stage.clock.now(), why: 'gone' } },
      health: { failedAttempts: 1 },
    });
    receiver.behave(ok);
    await changes(stage, 2, 3);
    await hours(stage, 48);
    expect(receiver.received).toHaveLength(before);
    expect(await stage.pending(channel)).toEqual([1, 2, 3]);
    expect(stage.delivery.counts()).toMatchObject({ lanes: 0, waiting: 0 });
  });

  test('has all of it sent, with its attempts counted on, once its owner POSTs', async () => {
    const { stage, receiver, channel } = await begin(gone);
    await changes(stage, 1, 2, 1);
    const before = receiver.received.length;
    receiver.behave(ok);
    await stage.open('1', receiver.origin, LONG);
    await stage.delivery.idle();
    expect(sequences(receiver, before).sort()).toEqual([1, 2, 3]);
    expect(receiver.received[before]!.headers['watchbell-attempt']).toBe('2');
    expect(await stage.pending(channel)).toEqual([]);
    const { state, health } = await stage.control.find(ORG, channel.generation);
    expect({ state, health }).toEqual({ state: 'live', health: undefined });
  });

  test('at its last attempt is not parked for it', async () => {
    const { stage, receiver, channel } = await begin(failing, { policy: { retrySchedule: [0, 1000] } });
    await changes(stage, 1);
    receiver.behave(gone);
    stage.clock.advance(1000);
    await stage.delivery.idle();
    expect(await stage.pending(channel)).toEqual([1]);
  });

  test('is like any other failure where nothing is suspended', async () => {
    const { stage, receiver, channel } = await begin(gone, { policy: { suspension: undefined } });
    await changes(stage, 1);
    stage.clock.advance(5000);
    await stage.delivery.idle();
    expect(receiver.received).toHaveLength(2);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('live');
  });

  test('is not sent to while the store is in trouble, and its channel is suspended once it is not', async () => {
    let failures = 2;
    const { stage, receiver, channel } = await begin(gone, {
      policy: { firstFlights: 1 },
      asking: (ask) => (org, request) =>
        failures-- > 0 ? Promise.reject(new AppError('SERVICE_UNAVAILABLE', 'disk full')) : ask(org, request),
    });
    await changes(stage, 1, 2, 3);
    expect(failures).toBe(-1);
    expect(receiver.received).toHaveLength(1);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('suspended');
    expect(stage.log.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('is tried again at once where its channel was mended meanwhile', async () => {
    const { stage, receiver, channel } = await begin(gone, {
      asking: (ask) => async (org, request) => {
        receiver.behave(ok);
        await stage.open('1', `${receiver.origin}/mended`, LONG);
        return ask(org, request);
      },
    });
    await changes(stage, 1);
    expect(receiver.received.map(({ target }) => target)).toEqual(['/', '/mended']);
    expect(await stage.pending(channel)).toEqual([]);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('live');
  });

  test('stops nothing of other channels', async () => {
    const { stage, receiver } = await begin((request, response) =>
      (request.url === '/' ? gone : ok)(request, response),
    );
    const other = await stage.open('2', `${receiver.origin}/other`, LONG);
    await changes(stage, 1, 2, 3);
    expect(await stage.pending(other)).toEqual([]);
  });
});

describe('a receiver that fails for 24 hours', () => {
  test('stops its channel then, and not an hour before', async () => {
    const { stage, receiver, channel } = await begin(failing, { policy: HOURLY });
    const start = stage.clock.now();
    await changes(stage, 1, 2, 3);
    await hours(stage, 23);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('live');
    expect(receiver.received).toHaveLength(3 * 24);
    await hours(stage, 1);
    const { state, channel: now, health } = await stage.control.find(ORG, channel.generation);
    expect({ state, suspension: now.suspension }).toEqual({
      state: 'suspended',
      suspension: { at: start + 24 * HOUR, why: 'failing' },
    });
    expect(health?.failingSince).toBe(start);
    const before = receiver.received.length;
    await hours(stage, 24);
    expect(receiver.received).toHaveLength(before);
    expect(await stage.pending(channel)).toEqual([1, 2, 3]);
    expect(await stage.metrics.text()).toContain('watchbell_suspensions_total{why="failing"} 1\n');
  });

  test('is remembered over a restart', async () => {
    const { stage: first, channel } = await begin(failing, { policy: HOURLY });
    await changes(first, 1, 2, 3);
    await hours(first, 12);
    const stage = await first.restart();
    opened.stage = stage;
    await hours(stage, 11);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('live');
    await hours(stage, 1);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('suspended');
  });

  test('and succeeds once meanwhile begins anew', async () => {
    const { stage, receiver, channel } = await begin(failing, { policy: HOURLY });
    await changes(stage, 1, 2, 3);
    await hours(stage, 12);
    receiver.behave(ok);
    await changes(stage, 4);
    expect((await stage.control.find(ORG, channel.generation)).health).toBeUndefined();
    receiver.behave(failing);
    await hours(stage, 24);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('live');
    await hours(stage, 1);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('suspended');
  });

  test('over one notification only stops nothing', async () => {
    const { stage, channel } = await begin(failing, { policy: { retrySchedule: [0, ...Array(400).fill(HOUR / 4)] } });
    await changes(stage, 1);
    for (let quarter = 0; quarter < 100; quarter += 1) {
      stage.clock.advance(HOUR / 4);
      await stage.delivery.idle();
    }
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('live');
  });

  test('counts anew where it is sent elsewhere meanwhile', async () => {
    const { stage, receiver, channel } = await begin(failing, { policy: HOURLY });
    await changes(stage, 1, 2, 3);
    await hours(stage, 12);
    await stage.open('1', `${receiver.origin}/elsewhere`, LONG);
    await stage.delivery.idle();
    await hours(stage, 23);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('live');
    await hours(stage, 1);
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('suspended');
  });
});

describe('an operator', () => {
  async function suspended() {
    const { stage, receiver, channel } = await begin(failing);
    await changes(stage, 1, 2);
    await stage.control.suspend(ORG, channel.generation);
    await changes(stage, 3);
    const before = receiver.received.length;
    stage.clock.advance(5000);
    await stage.delivery.idle();
    expect(receiver.received).toHaveLength(before);
    receiver.behave(ok);
    return { stage, receiver, channel, before };
  }

  test('suspends a channel, and resumes it with its backlog, at once', async () => {
    const { stage, receiver, channel, before } = await suspended();
    await stage.control.resume(ORG, channel.generation, 'backlog');
    await changes(stage, 4);
    expect(sequences(receiver, before).sort()).toEqual([1, 2, 3, 4]);
    expect(await stage.pending(channel)).toEqual([]);
  });

  test('skips what it owes', async () => {
    const { stage, receiver, channel, before } = await suspended();
    const { channel: resumed } = await stage.control.resume(ORG, channel.generation, 'skip');
    expect(resumed).toMatchObject({ cancelledTo: 3, cancelledWhy: 'skipped' });
    await changes(stage, 4, 1);
    expect(sequences(receiver, before)).toEqual([4, 5]);
    expect(await stage.store.delivery.lanes()).toEqual([]);
  });

  test('resumes after a restart; meanwhile nothing is sent, and what waited for its retry goes at once', async () => {
    const { stage: first, receiver, channel, before } = await suspended();
    const stage = await first.restart();
    opened.stage = stage;
    await changes(stage, 4);
    stage.clock.advance(HOUR);
    await stage.delivery.idle();
    expect(receiver.received).toHaveLength(before);
    expect(stage.delivery.counts().lanes).toBe(0);
    await stage.control.resume(ORG, channel.generation, 'backlog');
    await stage.delivery.idle();
    expect(sequences(receiver, before).sort()).toEqual([1, 2, 3, 4]);
  });

  test('resumes what waits for hours without waiting on', async () => {
    const { stage, receiver, channel } = await begin(failing, { policy: { retrySchedule: [0, 8 * HOUR, 8 * HOUR] } });
    await changes(stage, 1);
    await stage.control.suspend(ORG, channel.generation);
    receiver.behave(ok);
    const again = await stage.restart();
    opened.stage = again;
    await again.control.resume(ORG, channel.generation, 'backlog');
    await again.delivery.idle();
    expect(sequences(receiver)).toEqual([1, 1]);
  });

  test('is told that a channel is not there, or has ended', async () => {
    const { stage, channel } = await begin(ok);
    await stage.remove('1');
    await expect(stage.control.suspend(ORG, channel.generation)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(stage.control.find(ORG, 'nothing' as typeof channel.generation)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await stage.control.find(ORG, channel.generation)).state).toBe('ended');
  });
});

test('a suspended channel costs a read after a restart, and none for each change that it comes to owe', async () => {
  const { stage: first, channel } = await begin(ok);
  await first.control.suspend(ORG, channel.generation);
  let reads = 0;
  const stage = await first.restart({
    policy: { maxReceivers: 0 },
    between: (store) => ({
      ...store,
      channel(...args) {
        reads += 1;
        return store.channel(...args);
      },
    }),
  });
  opened.stage = stage;
  for (let serial = 1; serial <= 20; serial += 1) await changes(stage, serial);
  expect(reads).toBe(1);
  expect(await stage.pending(channel)).toHaveLength(20);
});

test('a suspended channel expires as any, and flows on when its owner opens it again', async () => {
  const { stage, receiver, channel } = await begin(gone);
  await stage.open('1', receiver.origin, { expiresAt: stage.clock.now() + HOUR });
  await changes(stage, 1, 2);
  stage.clock.advance(2 * HOUR);
  await changes(stage, 3);
  expect((await stage.control.find(ORG, channel.generation)).state).toBe('expired');
  expect(await stage.pending(channel)).toEqual([1, 2]);
  const before = receiver.received.length;
  receiver.behave(ok);
  await stage.control.resume(ORG, channel.generation, 'backlog');
  await stage.delivery.idle();
  expect(receiver.received).toHaveLength(before);
  await stage.open('1', receiver.origin, LONG);
  await stage.delivery.idle();
  expect(sequences(receiver, before).sort()).toEqual([1, 2]);
});
