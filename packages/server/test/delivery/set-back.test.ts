import { afterEach, expect, test } from 'vitest';
import { type Behaviour, failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { HOUR, type Stage, setStage } from './stage.ts';

const opened: { stage?: Stage; receiver?: Receiver } = {};
afterEach(async () => {
  await opened.stage?.close();
  await opened.receiver?.close();
  delete opened.stage;
  delete opened.receiver;
});

async function begin(): Promise<Stage> {
  opened.stage = await setStage();
  return opened.stage;
}
async function listen(behaviour: Behaviour): Promise<Receiver> {
  opened.receiver = await startReceiver(behaviour);
  return opened.receiver;
}

const sequences = ({ received }: Receiver): number[] =>
  received.map(({ headers }) => Number(headers['watchbell-sequence']));

test('a channel that is live again because the clock was set back sends what it still owed before what is new', async () => {
  const stage = await begin();
  const receiver = await listen(failing);
  const channel = await stage.open('1', receiver.origin, { expiresAt: stage.clock.now() + HOUR });
  await stage.change(1);
  await stage.delivery.idle();
  const start = stage.clock.now();
  stage.clock.advance(HOUR);
  await stage.delivery.idle();
  const before = receiver.received.length;
  stage.clock.set(start + HOUR / 2);
  receiver.behave(ok);
  await stage.change(1);
  await stage.delivery.idle();
  expect(sequences(receiver).slice(before)).toEqual([1, 2]);
  expect(await stage.pending(channel)).toEqual([]);
});

test('a committed lapse holds what is owed although the clock is set back', async () => {
  const stage = await begin();
  let fail = (): void => undefined;
  const receiver = await listen((_request, response) => {
    fail = () => response.writeHead(500).end();
  });
  const channel = await stage.open('1', receiver.origin, { expiresAt: stage.clock.now() + HOUR });
  await stage.change(1);
  await receiver.first(1);
  stage.clock.advance(HOUR);
  await stage.change(2);
  stage.clock.advance(-HOUR / 2);
  receiver.behave(ok);
  fail();
  await stage.delivery.idle();
  stage.clock.advance(6000);
  await stage.delivery.idle();
  expect(receiver.received).toHaveLength(1);
  expect(await stage.pending(channel)).toEqual([1]);
  await stage.open('1', receiver.origin);
  await stage.delivery.idle();
  expect(sequences(receiver)).toEqual([1, 1]);
});

test('a lane that failed by a fault of its own takes up everything that is owed with the next commit', async () => {
  const first = await begin();
  const receiver = await listen(failing);
  const channel = await first.open('1', receiver.origin);
  await first.change(1);
  await first.change(2);
  await first.delivery.idle();
  let damages = 1;
  const stage = await first.restart({
    between: (store) => ({
      ...store,
      async window(...args) {
        const rows = await store.window(...args);
        // What no store gives: the lane throws over it.
        return damages-- > 0 ? rows.map((row) => ({ ...row, ids: undefined as never })) : rows;
      },
    }),
  });
  opened.stage = stage;
  await stage.delivery.idle();
  expect(stage.log.filter(({ level }) => level === 'error')).toHaveLength(1);
  expect(stage.delivery.counts().lanes).toBe(0);
  const before = receiver.received.length;
  receiver.behave(ok);
  stage.clock.advance(6000);
  await stage.change(1);
  await stage.delivery.idle();
  expect(sequences(receiver).slice(before).sort()).toEqual([1, 2, 3]);
  expect(await stage.pending(channel)).toEqual([]);
});
