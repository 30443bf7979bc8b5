import { expect, test } from 'vitest';
import { keepAlive, type Later } from '../../src/cli/own-channel.ts';

const MINUTE_MS = 60_000;

/** Time that passes when it is told to. */
function manualTime() {
  let planned: { delayMs: number; call: () => void } | undefined;
  const later: Later = (delayMs, call) => {
    const plan = { delayMs, call };
    planned = plan;
    return () => {
      if (planned === plan) planned = undefined;
    };
  };
  return {
    later,
    planned: () => planned?.delayMs,
    pass() {
      const plan = planned;
      planned = undefined;
      plan?.call();
    },
  };
}

test('a channel is renewed every half hour, and every minute while that fails', async () => {
  const time = manualTime();
  const told: string[] = [];
  const answers = [async () => undefined, () => Promise.reject(new Error('gone')), async () => undefined];
  const end = keepAlive({ renew: async () => answers.shift()?.() }, (line) => told.push(line), time.later);
  const delays = [time.planned()];
  while (answers.length > 0) {
    time.pass();
    await new Promise(setImmediate);
    delays.push(time.planned());
  }
  expect(delays).toEqual([30 * MINUTE_MS, 30 * MINUTE_MS, MINUTE_MS, 30 * MINUTE_MS]);
  expect(told).toEqual(['The channel was not renewed, trying again in a minute: gone']);
  end();
  expect(time.planned()).toBeUndefined();
});

test('a channel that is no longer needed is not renewed again, not even after a renewal under way', async () => {
  const time = manualTime();
  let finish: () => void = () => undefined;
  const renewing = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const end = keepAlive({ renew: () => renewing }, () => undefined, time.later);
  time.pass();
  end();
  finish();
  await new Promise(setImmediate);
  expect(time.planned()).toBeUndefined();
});
