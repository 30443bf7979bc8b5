import { afterEach, describe, expect, test, vi } from 'vitest';
import { createComebacks } from '../../src/delivery/comebacks.ts';
import type { ChannelId, Generation, NotificationId, OrgId, UserId } from '../../src/domain/ids.ts';
import { loadedChannel, saveChannel } from '../../src/domain/working-channels.ts';
import { addChange, type WorkingSet } from '../../src/domain/working-set.ts';
import { createWriter } from '../../src/services/writer.ts';
import type { DeliveryStore, OwedNotification } from '../../src/storage/store.ts';
import { type Behaviour, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { recordId, type Stage, type StageOptions, setStage } from './stage.ts';

const opened: { stage?: Stage; receivers: Receiver[] } = { receivers: [] };
afterEach(async () => {
  vi.useRealTimers();
  await opened.stage?.close();
  delete opened.stage;
  for (const receiver of opened.receivers.splice(0)) await receiver.close();
});

async function begin(options: StageOptions = {}): Promise<Stage> {
  opened.stage = await setStage(options);
  return opened.stage;
}
async function listen(behaviour: Behaviour = ok): Promise<Receiver> {
  const receiver = await startReceiver(behaviour);
  opened.receivers.push(receiver);
  return receiver;
}
const sequences = ({ received }: Receiver) => received.map(({ headers }) => Number(headers['watchbell-sequence']));

test('a lane that fails by a bug goes on by itself, and sends nothing twice', async () => {
  let isBroken = true;
  const broken = [undefined] as unknown as OwedNotification[];
  const between = (store: DeliveryStore): DeliveryStore => ({
    ...store,
    window: (...asked) => (isBroken ? Promise.resolve(broken) : store.window(...asked)),
  });
  const stage = await begin({ between });
  let answer = (): void => undefined;
  const receiver = await listen((_request, response) => {
    answer = () => response.end();
  });
  const channel = await stage.open('1', receiver.origin);
  await stage.delivery.idle();
  await stage.change(1);
  await receiver.first(1);
  // The third is not the next number that the lane knows, so the second is read.
  await untold(stage, (set) => changed(set, 2));
  await stage.change(3);
  await expect.poll(() => stage.log.some(({ message }) => message === 'a lane failed and begins anew')).toBe(true);
  isBroken = false;
  receiver.behave(ok);
  answer();
  await receiver.first(3);
  await stage.delivery.idle();
  expect(sequences(receiver).sort()).toEqual([1, 2, 3]);
  expect(await stage.pending(channel)).toEqual([]);
});

test('pauses grow while a lane goes on failing, and are short again once it has ended well', () => {
  vi.useFakeTimers();
  const began: number[] = [];
  const start = Date.now();
  const comebacks = createComebacks((org, generation) => {
    began.push(Date.now() - start);
    if (began.length < 9) comebacks.failed(org, generation);
  });
  const [org, generation] = ['1' as OrgId, 'g' as Generation];
  comebacks.failed(org, generation);
  // Told twice of one failure.
  comebacks.failed(org, generation);
  vi.advanceTimersByTime(600_000);
  const waits = began.map((at, index) => at - (began[index - 1] ?? 0));
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
  comebacks.forget(generation);
  comebacks.failed(org, generation);
  vi.advanceTimersByTime(1000);
  expect(began).toHaveLength(10);
  comebacks.failed(org, generation);
  comebacks.stop();
  vi.advanceTimersByTime(600_000);
  expect(began).toHaveLength(10);
});

describe('after the store was lost, what was committed and nobody was told of', () => {
  test('is sent, in order, though its channel had no lane', async () => {
    const stage = await begin();
    const receiver = await listen();
    const channel = await stage.open('1', receiver.origin);
    await stage.change(1);
    await stage.delivery.idle();
    await untold(stage, (set) => changed(set, 1));
    stage.delivery.recover();
    await stage.change(1);
    await receiver.first(3);
    await stage.delivery.idle();
    expect(sequences(receiver)).toEqual([1, 2, 3]);
    expect(await stage.pending(channel)).toEqual([]);
  });

  test('is sent by a channel whose lane had something in the air, which is not sent twice', async () => {
    const stage = await begin();
    let answer = (): void => undefined;
    const receiver = await listen((_request, response) => {
      answer = () => response.end();
    });
    const channel = await stage.open('1', receiver.origin);
    await stage.change(1);
    await receiver.first(1);
    await untold(stage, (set) => changed(set, 2));
    stage.delivery.recover();
    receiver.behave(ok);
    answer();
    await receiver.first(2);
    await stage.delivery.idle();
    expect(sequences(receiver).sort()).toEqual([1, 2]);
    expect(await stage.pending(channel)).toEqual([]);
  });

  test('is where a channel is sent to from then on', async () => {
    const stage = await begin();
    const [before, after] = [await listen(), await listen()];
    await stage.open('1', before.origin);
    await stage.change(1);
    await stage.delivery.idle();
    await untold(stage, (set) => {
      const known = loadedChannel(set, USER, CHANNEL);
      if (known) saveChannel(set, { ...known, notifyUrl: after.origin }, 'merged');
    });
    stage.delivery.recover();
    await stage.change(1);
    await after.first(1);
    expect([sequences(before), sequences(after)]).toEqual([[1], [2]]);
  });
});

const ORG = '3652397' as OrgId;
const USER = '3652397000000000001' as UserId;
const CHANNEL = '1' as ChannelId;
let ids = 0;

/** Commits something that delivery does not hear of, as when the answer to a commit was lost. */
async function untold(stage: Stage, decide: (set: WorkingSet) => void): Promise<void> {
  const writer = createWriter({
    store: stage.store.writing,
    clock: stage.clock,
    randomId: () => `untold-${++ids}` as NotificationId,
    onCommitted: () => undefined,
    maxQueued: 10,
    maxBatchWeight: 100,
  });
  await writer.submit(ORG, { needs: { channels: [{ userId: USER, channelId: CHANNEL }] }, weight: 1, decide });
}

function changed(set: WorkingSet, serial: number): void {
  addChange(set, 'Contacts', 'update', USER, [{ id: recordId(serial), fields: [], values: {}, related: [] }]);
}
