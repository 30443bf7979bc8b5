import { afterEach, expect, test, vi } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { HOUR, type Stage, setStage } from './stage.ts';

// Outcomes wait for each other, so that fewer writes are made of them. Here none waits for its time: that would be an hour.

let stage: Stage;
let well: Receiver;
let saves: number[][];
afterEach(async () => {
  await stage.close();
  await well.close();
});

async function begin(channels: number, settleAtOnce: number): Promise<void> {
  saves = [];
  stage = await setStage({
    policy: { settleWithin: HOUR, settleAtOnce },
    between: (store) => ({
      ...store,
      settle(all) {
        saves.push(all.map(({ number }) => number));
        return store.settle(all);
      },
    }),
  });
  well = await startReceiver();
  for (let i = 1; i <= channels; i += 1) await stage.open(String(i), well.origin);
}

const unsettled = (count: number) =>
  vi.waitFor(() => expect(stage.delivery.counts()).toMatchObject({ inFlight: 0, unsettled: count }));

test('an outcome waits for others, and is written with them as soon as somebody waits for it', async () => {
  await begin(2, 3);
  await stage.change(1);
  await unsettled(2);
  expect(saves).toEqual([]);
  await stage.delivery.idle();
  expect(saves).toEqual([[1, 1]]);
});

test('so many outcomes do not wait', async () => {
  await begin(3, 3);
  await stage.change(1);
  await vi.waitFor(() => expect(saves.flat()).toEqual([1, 1, 1]));
});

test('what waits is written before the process ends', async () => {
  await begin(1, 2);
  await stage.change(1);
  await unsettled(1);
  await stage.delivery.stop();
  expect(saves).toEqual([[1]]);
});
