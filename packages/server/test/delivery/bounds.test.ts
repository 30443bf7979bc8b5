import { afterEach, expect, test } from 'vitest';
import type { OrgId } from '../../src/domain/ids.ts';
import { failing, hanging, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { type Stage, setStage } from './stage.ts';

const opened: { stage?: Stage; receiver?: Receiver } = {};
afterEach(async () => {
  await opened.stage?.close();
  await opened.receiver?.close();
  delete opened.stage;
  delete opened.receiver;
});

test('a lane that fails keeps few records in mind, however many each change is about, and loses none', async () => {
  const stage = await setStage({ policy: { maxRecords: 10 } });
  opened.stage = stage;
  const receiver = await startReceiver(failing);
  opened.receiver = receiver;
  const channel = await stage.open('1', receiver.origin);
  for (let i = 0; i < 10; i++) await stage.change(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
  await stage.delivery.idle();
  expect(stage.delivery.counts()).toMatchObject({ stalled: 1, waiting: 3 });
  const before = receiver.received.length;
  receiver.behave(ok);
  stage.clock.advance(6000);
  await stage.delivery.idle();
  const sent = receiver.received.slice(before).map(({ headers }) => Number(headers['watchbell-sequence']));
  expect(sent.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(await stage.pending(channel)).toEqual([]);
});

test('an organisation whose receivers hang takes no memory from another, which reads nothing that it was fed', async () => {
  const other = '4652397' as OrgId;
  let reads = 0;
  const stage = await setStage({
    policy: { nodeBytes: 20_000 },
    between: (store) => ({
      ...store,
      window(org, ...rest) {
        if (org === other) reads += 1;
        return store.window(org, ...rest);
      },
    }),
  });
  opened.stage = stage;
  const receiver = await startReceiver((request, response) =>
    (request.url === '/well' ? ok : hanging)(request, response),
  );
  opened.receiver = receiver;
  await stage.store.accounts.addOrg({ id: other, name: 'Other', timeZone: 'UTC' }, stage.clock.now());
  await stage.open('1', `${receiver.origin}/hangs`);
  await stage.open('1', `${receiver.origin}/well`, {}, other);
  for (let serial = 1; serial <= 100; serial += 1) await stage.change(serial);
  for (let serial = 1; serial <= 10; serial += 1) await stage.changeIn(other, serial);
  await receiver.first(12);
  expect(receiver.received.filter(({ target }) => target === '/well')).toHaveLength(10);
  expect(reads).toBe(0);
});

test('what hangs in the air is bounded in bytes, and leaves room for another organisation', async () => {
  const other = '4652397' as OrgId;
  const stage = await setStage({ policy: { airBytes: 4000, firstFlights: 16 } });
  opened.stage = stage;
  const came = { hangs: 0, well: 0 };
  let allWell = () => {};
  const isAllWell = new Promise<void>((resolve) => {
    allWell = resolve;
  });
  const receiver = await startReceiver((request, response) => {
    if (request.url === '/hangs') {
      came.hangs += 1;
      return;
    }
    ok(request, response);
    came.well += 1;
    if (came.well === 20) allWell();
  });
  opened.receiver = receiver;
  await stage.store.accounts.addOrg({ id: other, name: 'Other', timeZone: 'UTC' }, stage.clock.now());
  await stage.open('1', `${receiver.origin}/hangs`);
  await stage.open('1', `${receiver.origin}/well`, {}, other);
  for (let serial = 1; serial <= 20; serial += 1) await stage.change(serial);
  for (let serial = 1; serial <= 20; serial += 1) await stage.changeIn(other, serial);
  await isAllWell;
  expect(came.hangs).toBeGreaterThan(0);
  // Half of the room, at 500 bytes or more each.
  expect(came.hangs).toBeLessThanOrEqual(4);
});

test('lanes of one organisation that start by the hundred let those of another start among them', async () => {
  const other = '4652397' as OrgId;
  const read: OrgId[] = [];
  const stage = await setStage({
    policy: { startReads: 2, maxReceivers: 1 },
    between: (store) => ({
      ...store,
      channel(org, generation) {
        read.push(org);
        return store.channel(org, generation);
      },
    }),
  });
  opened.stage = stage;
  const receiver = await startReceiver(ok);
  opened.receiver = receiver;
  await stage.store.accounts.addOrg({ id: other, name: 'Other', timeZone: 'UTC' }, stage.clock.now());
  await stage.open('1', receiver.origin, {}, other);
  for (let id = 1; id <= 100; id += 1) await stage.open(String(id), receiver.origin);
  await Promise.all([stage.change(1), stage.changeIn(other, 1)]);
  await stage.delivery.idle();
  expect(receiver.received).toHaveLength(101);
  expect(read).toHaveLength(101);
  expect(read.indexOf(other)).toBeLessThan(10);
});

test('lanes search for what waited behind an answer so many at once as allowed, over all of them', async () => {
  const searching = { now: 0, most: 0, all: 0 };
  const stage = await setStage({
    // Few answers come together, so that there is much to search for.
    policy: { searchReads: 2, channelFlights: 2 },
    between: (store) => ({
      ...store,
      async firstAbout(...asked) {
        searching.now += 1;
        searching.all += 1;
        searching.most = Math.max(searching.most, searching.now);
        try {
          return await store.firstAbout(...asked);
        } finally {
          searching.now -= 1;
        }
      },
    }),
  });
  opened.stage = stage;
  const receiver = await startReceiver(failing);
  opened.receiver = receiver;
  const channels = await Promise.all(['1', '2', '3', '4'].map((id) => stage.open(id, receiver.origin)));
  for (let round = 0; round < 2; round += 1) for (let serial = 1; serial <= 10; serial += 1) await stage.change(serial);
  await stage.delivery.idle();
  receiver.behave(ok);
  stage.clock.advance(6000);
  await stage.delivery.idle();
  for (const channel of channels) expect(await stage.pending(channel)).toEqual([]);
  expect(searching.all).toBeGreaterThan(10);
  expect(searching.most).toBe(2);
});
