import { afterEach, expect, test } from 'vitest';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
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
