import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

// About the embedded store alone: a thread that ends.

interface Stage {
  readonly app: LiveApp;
  readonly receiver: Receiver;
  /** Threads of the store in order of their start: the first is for storage, the second for reads. */
  readonly threads: readonly Worker[];
}

async function begin(): Promise<Stage> {
  const threads: Worker[] = [];
  const collect = (thread: Worker) => void threads.push(thread);
  process.on('worker', collect);
  onTestFinished(() => void process.off('worker', collect));
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const app = await startLiveApp();
  onTestFinished(() => app.stop());
  const watch = [{ channel_id: '1', events: ['Contacts.create'], notify_url: receiver.origin }];
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
  return { app, receiver, threads };
}

const create = ({ app }: Stage) => app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
const isReady = async ({ app }: Stage) => (await fetch(`${app.base}/readyz`)).ok;
const sequences = ({ receiver }: Stage) =>
  receiver.received.map(({ headers }) => Number(headers['watchbell-sequence']));
const PATIENT = { timeout: 10_000 };

test('a storage thread that is lost under load costs 503s, and then everything goes on: nothing is lost or in disorder', async () => {
  const stage = await begin();
  const ids = new Set<string>();
  const statuses = new Set<number>();
  let isOver = false;
  const write = async () => {
    while (!isOver) {
      const { status, body } = await create(stage);
      statuses.add(status);
      if (status === 201) ids.add((body as { data: { details: { id: string } }[] }).data[0]?.details.id ?? '');
      else await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const writing = [write(), write(), write()];
  for (const lost of [0, -1]) {
    const goal = ids.size + 20;
    await expect.poll(() => ids.size >= goal, PATIENT).toBe(true);
    await stage.threads.at(lost)?.terminate();
    expect(await isReady(stage)).toBe(false);
    await expect.poll(() => isReady(stage), PATIENT).toBe(true);
  }
  const goal = ids.size + 20;
  await expect.poll(() => ids.size >= goal, PATIENT).toBe(true);
  isOver = true;
  await Promise.all(writing);
  await stage.app.app.idle();
  expect([...statuses].sort()).toEqual([201, 503]);
  const came = new Set(stage.receiver.received.flatMap(({ body }) => body.ids));
  expect([...ids].filter((id) => !came.has(id))).toEqual([]);
  const numbers = [...new Set(sequences(stage))].sort((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('while the reading thread is lost, writes and notifications go on', async () => {
  const stage = await begin();
  await stage.threads[1]?.terminate();
  expect((await stage.app.owner.call('GET', '/crm/v8/Contacts?fields=Last_Name')).status).toBe(503);
  await expect.poll(() => isReady(stage), PATIENT).toBe(true);
  expect((await stage.app.owner.call('GET', '/crm/v8/Contacts?fields=Last_Name')).status).toBe(200);
  expect((await create(stage)).status).toBe(201);
  await stage.receiver.first(1);
});
