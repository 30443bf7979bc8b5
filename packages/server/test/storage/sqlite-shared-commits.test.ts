import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { HOUR, type Stage, setStage } from '../delivery/stage.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { readLog } from '../support/store-log.ts';

let stage: Stage;
let well: Receiver;
beforeAll(async () => {
  // Longer than the test: nothing is written since its time has come.
  stage = await setStage({ policy: { settleWithin: HOUR } });
  well = await startReceiver();
  await stage.open('1', well.origin);
});
afterAll(async () => {
  await stage.close();
  await well.close();
});

const CHANGES = 20;

test('changes that come one by one are a commit each, with the outcome of the one before', async () => {
  const before = readLog(stage.dataDir);
  for (let serial = 1; serial <= CHANGES; serial += 1) {
    await stage.change(serial);
    // What was told of the one before was written with it.
    await vi.waitFor(() => expect(stage.delivery.counts()).toMatchObject({ inFlight: 0, unsettled: 1 }));
  }
  const last = readLog(stage.dataDir);
  expect(last.salt).toBe(before.salt);
  expect(last.commits - before.commits).toBe(CHANGES);
  await stage.delivery.idle();
  expect(readLog(stage.dataDir).commits - before.commits).toBe(CHANGES + 1);
});
