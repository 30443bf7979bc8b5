import { afterEach, expect, test, vi } from 'vitest';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import { AppError } from '../../src/domain/error.ts';
import type { OrgId } from '../../src/domain/ids.ts';
import type { DeliveryStore } from '../../src/storage/store.ts';
import { failing, hanging, ok, type Receiver, resetting, startReceiver } from '../support/receiver.ts';
import { HOUR, recordId, type Stage, type StageOptions, setStage } from './stage.ts';

const open: { stage?: Stage; receivers: Receiver[] } = { receivers: [] };
afterEach(async () => {
  await open.stage?.close();
  delete open.stage;
  await Promise.all(open.receivers.splice(0).map((receiver) => receiver.close()));
});

async function begin(options?: StageOptions): Promise<Stage> {
  open.stage = await setStage(options);
  return open.stage;
}
async function receiver(behaviour = ok): Promise<Receiver> {
  const started = await startReceiver(behaviour);
  open.receivers.push(started);
  return started;
}

/** A promise that the test resolves. */
function latch(): { readonly opened: Promise<void>; readonly open: () => void } {
  let resolveIt = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    resolveIt = resolve;
  });
  return { opened, open: () => resolveIt() };
}

const sequences = ({ received }: Receiver): number[] =>
  received.map(({ headers }) => Number(headers['watchbell-sequence']));

test('a committed change is sent once, with its headers, and is not pending afterwards', async () => {
  const stage = await begin();
  const well = await receiver();
  const channel = await stage.open('1', `${well.origin}/hook?authorization=a b`);
  await stage.change(1);
  await stage.delivery.idle();
  expect(well.received).toHaveLength(1);
  const [came] = well.received;
  expect(came!.target).toBe('/hook?authorization=a%20b');
  expect(came!.headers).toMatchObject({
    'content-type': 'application/json;charset=utf-8',
    'user-agent': 'Watchbell/0.0.1',
    'watchbell-generation': channel.generation,
    'watchbell-sequence': '1',
    'watchbell-attempt': '1',
    'webhook-id': expect.stringMatching(/^n-/),
    'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
  });
  expect(came!.body).toMatchObject({ module: 'Contacts', ids: [recordId(1)], token: 'secret-token', channel_id: '1' });
  expect(await stage.pending(channel)).toEqual([]);
  expect(stage.delivery.counts()).toEqual({ lanes: 0, stalled: 0, inFlight: 0, unsettled: 0, waiting: 0 });
});

test('what fails first keeps its place before later changes of its record, and others flow past', async () => {
  const stage = await begin();
  const well = await receiver();
  let failures = 1;
  well.behave((request, response) => {
    if (request.headers['watchbell-sequence'] === '1' && failures-- > 0) failing(request, response);
    else ok(request, response);
  });
  const channel = await stage.open('1', well.origin);
  for (const serials of [[1], [2], [1, 3], [3], [4]]) await stage.change(...serials);
  await stage.delivery.idle();
  expect(sequences(well).sort()).toEqual([1, 2, 5]);
  expect(await stage.pending(channel)).toEqual([1, 3, 4]);
  stage.clock.advance(5000);
  await stage.delivery.idle();
  expect(sequences(well).slice(3)).toEqual([1, 3, 4]);
  expect(well.received[3]!.headers['watchbell-attempt']).toBe('2');
  expect(well.received[3]!.headers['webhook-id']).toBe(
    well.received.find(({ headers }) => headers['watchbell-sequence'] === '1')!.headers['webhook-id'],
  );
  expect(await stage.pending(channel)).toEqual([]);
});

test('a channel that expired sends nothing, and everything in order once it is renewed', async () => {
  const stage = await begin();
  const well = await receiver(failing);
  const channel = await stage.open('1', well.origin, { expiresAt: stage.clock.now() + HOUR });
  await stage.change(1);
  await stage.delivery.idle();
  await stage.change(1);
  expect(sequences(well)).toEqual([1]);
  stage.clock.advance(HOUR);
  well.behave(ok);
  await stage.delivery.idle();
  const before = well.received.length;
  await stage.change(1);
  await stage.delivery.idle();
  expect(well.received).toHaveLength(before);
  expect(stage.delivery.counts().lanes).toBe(0);
  await stage.open('1', well.origin);
  await stage.change(1);
  await stage.delivery.idle();
  expect(sequences(well).slice(before)).toEqual([1, 2, 3]);
  expect(await stage.pending(channel)).toEqual([]);
});

test('a renewal while alive moves the expiry, without a pause', async () => {
  const stage = await begin();
  const well = await receiver(failing);
  await stage.open('1', well.origin, { expiresAt: stage.clock.now() + 4000 });
  await stage.change(1);
  await stage.delivery.idle();
  await stage.open('1', well.origin, { expiresAt: stage.clock.now() + HOUR });
  well.behave(ok);
  stage.clock.advance(5000);
  await stage.delivery.idle();
  expect(well.received.map(({ headers }) => headers['watchbell-attempt'])).toEqual(['1', '2']);
});

test('a retry that falls due after the expiry is held', async () => {
  const stage = await begin();
  const well = await receiver(failing);
  const channel = await stage.open('1', well.origin, { expiresAt: stage.clock.now() + 5000 });
  await stage.change(1);
  await stage.delivery.idle();
  stage.clock.advance(5000);
  await stage.delivery.idle();
  expect(well.received).toHaveLength(1);
  expect(await stage.pending(channel)).toEqual([1]);
  expect(stage.delivery.counts().lanes).toBe(0);
});

test('a deleted channel sends nothing more of what it owed, and its id starts anew at 1', async () => {
  const stage = await begin();
  const well = await receiver(failing);
  await stage.open('1', well.origin);
  await stage.change(1);
  await stage.change(1);
  await stage.delivery.idle();
  await stage.remove('1');
  well.behave(ok);
  stage.clock.advance(HOUR);
  await stage.delivery.idle();
  expect(sequences(well)).toEqual([1]);
  expect(stage.delivery.counts()).toMatchObject({ lanes: 0, waiting: 0 });
  await stage.open('1', well.origin);
  await stage.change(1);
  await stage.delivery.idle();
  expect(sequences(well)).toEqual([1, 1]);
});

test('what lands after its channel was deleted and its cancelling written down is on no list of the undelivered', async () => {
  const stage = await begin();
  let answer = () => {};
  const slow = await receiver((_request, response) => {
    answer = () => void response.end();
  });
  const { generation } = await stage.open('1', slow.origin);
  await stage.change(1);
  await slow.first(1);
  await stage.remove('1');
  const org = '3652397' as OrgId;
  const { housekeeping, jobs } = stage.store;
  await housekeeping.cancel(org, generation, { reason: 'deleted', at: stage.clock.now() }, 9);
  expect((await jobs.counts(org, generation, 1, 9, 9)).counts).toMatchObject({ delivered: 0, cancelled: 1 });
  answer();
  await stage.delivery.idle();
  expect((await jobs.counts(org, generation, 1, 9, 9)).counts).toMatchObject({ delivered: 1, cancelled: 0 });
});

test('what landed before its channel was deleted and is saved after its cancelling is on no list of the undelivered', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const between = (store: DeliveryStore): DeliveryStore => ({
    ...store,
    async settle(settlements) {
      await held;
      return store.settle(settlements);
    },
  });
  const stage = await begin({ between });
  const well = await receiver();
  const { generation } = await stage.open('1', well.origin);
  await stage.change(1);
  await vi.waitFor(() => expect(stage.delivery.counts()).toMatchObject({ inFlight: 0, unsettled: 1 }));
  await stage.remove('1');
  const org = '3652397' as OrgId;
  const { housekeeping, jobs } = stage.store;
  await housekeeping.cancel(org, generation, { reason: 'deleted', at: stage.clock.now() }, 9);
  release();
  await stage.delivery.idle();
  expect((await jobs.counts(org, generation, 1, 9, 9)).counts).toMatchObject({ delivered: 1, cancelled: 0 });
});

test('a mended notify URL frees what waits for its retry', async () => {
  const stage = await begin();
  const well = await receiver();
  const wrong = await receiver(failing);
  await stage.open('1', wrong.origin);
  await stage.change(1);
  await stage.change(2);
  await stage.delivery.idle();
  await stage.open('1', well.origin);
  await stage.delivery.idle();
  expect(sequences(well).sort()).toEqual([1, 2]);
  expect(well.received[0]!.headers['watchbell-attempt']).toBe('2');
});

test('what failed twelve times is parked, and what waited behind it flows', async () => {
  const stage = await begin();
  const well = await receiver();
  well.behave((request, response) => (request.headers['watchbell-sequence'] === '1' ? failing : ok)(request, response));
  const channel = await stage.open('1', well.origin);
  await stage.change(1);
  await stage.change(1);
  await stage.delivery.idle();
  for (const wait of DEFAULT_POLICY.retrySchedule.slice(1)) {
    expect(await stage.pending(channel)).toEqual([1, 2]);
    stage.clock.advance(wait - 1);
    await stage.open('1', well.origin);
    const before = well.received.length;
    await stage.delivery.idle();
    expect(well.received).toHaveLength(before);
    stage.clock.advance(1);
    await stage.delivery.idle();
  }
  expect(sequences(well)).toEqual([...Array<number>(12).fill(1), 2]);
  expect(await stage.pending(channel)).toEqual([]);
});

test('Retry-After is a floor under the schedule', async () => {
  const stage = await begin();
  const well = await receiver((_request, response) => response.writeHead(503, { 'retry-after': '60' }).end());
  await stage.open('1', well.origin);
  await stage.change(1);
  await stage.delivery.idle();
  stage.clock.advance(59_999);
  await stage.delivery.idle();
  expect(well.received).toHaveLength(1);
  stage.clock.advance(1);
  await stage.delivery.idle();
  expect(well.received).toHaveLength(2);
});

test('5,000 changes behind a stuck record do not delay another record, and are all sent in order in the end', async () => {
  const stage = await begin();
  const well = await receiver();
  const stuck = new Set([String(recordId(1))]);
  well.behave((_request, response) => {
    const { body } = well.received.at(-1)!;
    (body.ids.some((id) => stuck.has(id)) ? failing : ok)(_request, response);
  });
  const channel = await stage.open('1', well.origin);
  await stage.change(1);
  await Promise.all(Array.from({ length: 5000 }, () => stage.change(1)));
  await stage.change(2);
  await stage.delivery.idle();
  expect(sequences(well)).toEqual([1, 5002]);
  stuck.clear();
  stage.clock.advance(5000);
  await stage.delivery.idle();
  expect(sequences(well).slice(2)).toEqual(Array.from({ length: 5001 }, (_, i) => i + 1));
  expect(await stage.pending(channel)).toEqual([]);
}, 60_000);

test('receivers that hang, fail and reset do not delay one that is well', async () => {
  const stage = await begin();
  const bad = [await receiver(hanging), await receiver(failing), await receiver(resetting)];
  const well = await receiver();
  for (const [i, { origin }] of bad.entries()) await stage.open(String(i + 1), origin);
  await stage.open('4', well.origin);
  for (let serial = 1; serial <= 100; serial += 1) await stage.change(serial);
  await well.first(100);
  expect(bad[0]!.received.length).toBeLessThanOrEqual(2);
});

test('organisations do not hear of each other, and one that hangs does not delay another', async () => {
  const stage = await begin({ policy: { nodeFlights: 8 } });
  const other = '4652397' as OrgId;
  await stage.store.accounts.addOrg({ id: other, name: 'Other', timeZone: 'UTC' }, stage.clock.now());
  const hung = await receiver(hanging);
  const well = await receiver();
  for (let id = 1; id <= 6; id += 1) await stage.open(String(id), `${hung.origin}/${id}`);
  await stage.open('1', well.origin, {}, other);
  for (let serial = 1; serial <= 10; serial += 1) await stage.change(serial);
  for (let serial = 1; serial <= 10; serial += 1) await stage.changeIn(other, serial);
  const came = await well.first(10);
  expect(came.map(({ body }) => body.ids[0]).sort()).toEqual(Array.from({ length: 10 }, (_, i) => recordId(i + 1)));
  expect(hung.received.length).toBeLessThanOrEqual(1);
});

test('after a restart what was not saved is sent again with the same id and number, and attempts go on', async () => {
  let stage = await begin({ between: (store) => ({ ...store, settle: () => new Promise(() => undefined) }) });
  const well = await receiver();
  await stage.open('1', well.origin);
  await stage.change(1);
  await stage.change(2);
  const [first] = await well.first(2);
  stage = open.stage = await stage.restart({ between: (store) => store });
  await stage.delivery.idle();
  expect(sequences(well).sort()).toEqual([1, 1, 2, 2]);
  const again = well.received.filter(({ headers }) => headers['webhook-id'] === first!.headers['webhook-id']);
  expect(new Set(again.map(({ headers }) => headers['watchbell-sequence'])).size).toBe(1);
  expect(again).toHaveLength(2);
});

test('after a restart a retry keeps its time and counts on', async () => {
  let stage = await begin();
  const well = await receiver(failing);
  const channel = await stage.open('1', well.origin);
  await stage.change(1);
  await stage.delivery.idle();
  stage = open.stage = await stage.restart();
  await stage.delivery.idle();
  expect(well.received).toHaveLength(1);
  expect(stage.delivery.counts()).toMatchObject({ lanes: 1, waiting: 1 });
  well.behave(ok);
  stage.clock.advance(5000);
  await stage.delivery.idle();
  expect(well.received.map(({ headers }) => headers['watchbell-attempt'])).toEqual(['1', '2']);
  expect(await stage.pending(channel)).toEqual([]);
});

test('no attempt starts while too many outcomes are unsaved, and all go on once they are', async () => {
  const gate = latch();
  const stage = await begin({
    policy: { maxUnsettled: 3, settleBatch: 2 },
    between: (store) => ({ ...store, settle: (all) => gate.opened.then(() => store.settle(all)) }),
  });
  const well = await receiver();
  const channel = await stage.open('1', well.origin);
  await stage.change(1);
  await well.first(1);
  for (let serial = 2; serial <= 50; serial += 1) await stage.change(serial);
  // What was in the air when the bound was met may land; nothing follows it.
  await well.first(3);
  const before = stage.delivery.counts();
  expect(before.unsettled + before.inFlight).toBeLessThanOrEqual(3 + DEFAULT_POLICY.channelFlights);
  gate.open();
  await stage.delivery.idle();
  expect(sequences(well).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  expect(await stage.pending(channel)).toEqual([]);
});

test('a save that fails is tried again and said once, and nothing is sent twice', async () => {
  let failures = 3;
  const stage = await begin({
    between: (store) => ({
      ...store,
      settle: (all) =>
        failures-- > 0 ? Promise.reject(new AppError('SERVICE_UNAVAILABLE', 'disk full')) : store.settle(all),
    }),
  });
  const well = await receiver();
  const channel = await stage.open('1', well.origin);
  await stage.change(1);
  await stage.delivery.idle();
  expect(well.received).toHaveLength(1);
  expect(await stage.pending(channel)).toEqual([]);
  expect(stage.log.filter(({ level }) => level === 'error')).toHaveLength(1);
});

test('an outcome that the store refuses for ever does not keep others from being saved', async () => {
  const stage = await begin({
    between: (store) => ({
      ...store,
      settle: (all) =>
        all.some(({ number }) => number === 3) ? Promise.reject(new TypeError('planted')) : store.settle(all),
    }),
  });
  const well = await receiver();
  const channel = await stage.open('1', well.origin);
  for (let serial = 1; serial <= 8; serial += 1) await stage.change(serial);
  await stage.delivery.idle();
  expect(sequences(well).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await stage.pending(channel)).toEqual([3]);
  expect(stage.log.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { number: 3 } }]);
});

test('a store that cannot be read for a while delays and loses nothing', async () => {
  let failures = 0;
  const flaky =
    <Args extends unknown[], Answer>(read: (...args: Args) => Promise<Answer>) =>
    (...args: Args): Promise<Answer> =>
      failures++ % 2 === 0 ? Promise.reject(new Error('busy')) : read(...args);
  const stage = await begin({
    between: (store) => ({
      ...store,
      channel: flaky(store.channel),
      window: flaky(store.window),
      firstAbout: flaky(store.firstAbout),
    }),
  });
  const well = await receiver();
  const channel = await stage.open('1', well.origin);
  for (const serials of [[1], [1, 2], [2], [2]]) await stage.change(...serials);
  await stage.delivery.idle();
  expect(sequences(well)).toEqual([1, 2, 3, 4]);
  expect(await stage.pending(channel)).toEqual([]);
});

test('a lane whose every record fails stalls visibly, within its bound, and goes on when they end', async () => {
  const stage = await begin({ policy: { maxUnfinished: 4 } });
  const well = await receiver(failing);
  const channel = await stage.open('1', well.origin);
  for (let serial = 1; serial <= 20; serial += 1) await stage.change(serial);
  await stage.delivery.idle();
  expect(stage.delivery.counts()).toMatchObject({ stalled: 1, waiting: 4 });
  expect(sequences(well).sort()).toEqual([1, 2, 3, 4]);
  well.behave(ok);
  stage.clock.advance(5000);
  await stage.delivery.idle();
  expect(await stage.pending(channel)).toEqual([]);
  expect(new Set(sequences(well)).size).toBe(20);
});

test('more skipped records than are kept stall the lane, and all is sent in the end', async () => {
  const stage = await begin({ policy: { maxRecords: 4 } });
  const well = await receiver(failing);
  const channel = await stage.open('1', well.origin);
  await stage.change(1);
  await stage.delivery.idle();
  for (let serial = 2; serial <= 9; serial += 1) await stage.change(1, serial);
  await stage.change(100);
  await stage.delivery.idle();
  expect(sequences(well)).toEqual([1]);
  expect(stage.delivery.counts().stalled).toBe(1);
  well.behave(ok);
  stage.clock.advance(5000);
  await stage.delivery.idle();
  expect(sequences(well).filter((number) => number < 10)).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await stage.pending(channel)).toEqual([]);
});

test('with hardly any memory everything is read when its turn comes', async () => {
  const stage = await begin({ policy: { nodeBytes: 1, laneNotifications: 2, laneShare: 0 } });
  const well = await receiver();
  const channel = await stage.open('1', well.origin);
  await Promise.all(Array.from({ length: 200 }, (_, i) => stage.change(i % 7)));
  await stage.delivery.idle();
  expect(sequences(well).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  expect(await stage.pending(channel)).toEqual([]);
});

test('stopping lets what is in flight land, saves it, and starts nothing', async () => {
  let stage = await begin();
  const well = await receiver();
  const asked = latch();
  let finish = (): void => undefined;
  well.behave((_request, response) => {
    finish = () => response.end();
    asked.open();
  });
  const channel = await stage.open('1', well.origin);
  await stage.change(1);
  await asked.opened;
  await stage.change(1);
  const stopped = stage.delivery.stop();
  finish();
  await stopped;
  expect(await stage.pending(channel)).toEqual([2]);
  expect(well.received).toHaveLength(1);
  well.behave(ok);
  stage = open.stage = await stage.restart();
  await stage.delivery.idle();
  expect(sequences(well)).toEqual([1, 2]);
});

test('a log line per attempt tells what became of it and holds no secret', async () => {
  const stage = await begin();
  const well = await receiver();
  let first = true;
  well.behave((request, response) => {
    (first ? failing : ok)(request, response);
    first = false;
  });
  const channel = await stage.open('1', `${well.origin}/hook?authorization=query-secret`);
  await stage.change(1);
  await stage.delivery.idle();
  stage.clock.advance(5000);
  await stage.delivery.idle();
  const attempts = stage.log.filter(({ message }) => message.startsWith('notification'));
  const { generation } = channel;
  const receiving = `${well.origin}/hook`;
  const same = { org: '3652397', channel: '1', generation, number: 1, receiver: receiving, ms: expect.any(Number) };
  expect(attempts).toEqual([
    {
      level: 'warn',
      message: 'notification not delivered',
      fields: { ...same, attempt: 1, outcome: 'rejected', status: 500 },
    },
    {
      level: 'info',
      message: 'notification delivered',
      fields: { ...same, attempt: 2, outcome: 'delivered', status: 200 },
    },
  ]);
  expect(JSON.stringify(stage.log)).not.toContain('secret');
});

test('what waits behind an answered notification goes before its outcome is saved', async () => {
  const gate = latch();
  const stage = await begin({
    between: (store) => ({ ...store, settle: (all) => gate.opened.then(() => store.settle(all)) }),
  });
  const well = await receiver();
  await stage.open('1', well.origin);
  for (const serials of [[1], [1, 2], [2]]) await stage.change(...serials);
  await well.first(3);
  expect(sequences(well)).toEqual([1, 2, 3]);
  gate.open();
  await stage.delivery.idle();
  expect(well.received).toHaveLength(3);
});

test('what is committed while earlier notifications are left to the store does not jump over them', async () => {
  const stage = await begin({ policy: { laneNotifications: 2, laneShare: 0, channelFlights: 1, firstFlights: 1 } });
  const well = await receiver();
  const gate = latch();
  well.behave((_request, response) => void gate.opened.then(() => response.end()));
  const channel = await stage.open('1', well.origin);
  await Promise.all(Array.from({ length: 10 }, (_, i) => stage.change(i)));
  await well.first(1);
  for (let serial = 10; serial < 20; serial += 1) await stage.change(serial);
  gate.open();
  await stage.delivery.idle();
  expect(sequences(well)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(await stage.pending(channel)).toEqual([]);
});

test.each(['ftp://127.0.0.1/hook', 'nothing'])(
  'a URL that cannot be sent to fails by itself, as any receiver: %s',
  async (url) => {
    const stage = await begin();
    const channel = await stage.open('1', url);
    await stage.change(1);
    await stage.delivery.idle();
    expect(stage.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(stage.log.map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ attempt: 1, outcome: 'unreachable', reason: 'protocol' }),
    );
    expect(await stage.pending(channel)).toEqual([1]);
    expect(stage.delivery.counts()).toMatchObject({ inFlight: 0, unsettled: 0, waiting: 1 });
  },
);
