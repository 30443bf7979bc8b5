import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { failing, hanging, ok, type Receiver, resetting, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
const receivers: Receiver[] = [];

beforeEach(async () => {
  app = await startLiveApp();
});

afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
  await app.stop();
});

async function receiverThat(...behaviour: Parameters<typeof startReceiver>): Promise<Receiver> {
  const receiver = await startReceiver(...behaviour);
  receivers.push(receiver);
  return receiver;
}

async function open(channels: Record<string, { receiver: Receiver; events: string[] }>): Promise<void> {
  const watch = Object.entries(channels).map(([channel_id, { receiver, events }]) => ({
    channel_id,
    events,
    notify_url: `${receiver.origin}/${channel_id}`,
    notify_on_related_action: false,
    return_affected_field_values: true,
  }));
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
}

test('receivers that hang, fail or reset do not delay one that is well', async () => {
  const well = await receiverThat(ok);
  await open({
    1: { receiver: await receiverThat(hanging), events: ['Leads.create'] },
    2: { receiver: await receiverThat(failing), events: ['Leads.create'] },
    3: { receiver: await receiverThat(resetting), events: ['Leads.create'] },
    4: { receiver: well, events: ['Leads.create'] },
  });
  const count = 200;
  for (let i = 0; i < count; i += 1) {
    const { status } = await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: `L${i}`, Company: 'C' }] });
    expect(status).toBe(201);
  }
  // The clock stands still: not one retry of the others has come due while all of these arrive.
  const numbers = (await well.first(count)).map(({ headers }) => Number(headers['watchbell-sequence']));
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
});

test('channels of two users with the same id are both notified, each as its owner asked', async () => {
  const [mine, theirs] = [await receiverThat(ok), await receiverThat(ok)];
  const colleague = await app.colleague();
  for (const [caller, receiver, token] of [
    [app.owner, mine, 'mine'] as const,
    [colleague, theirs, 'theirs'] as const,
  ]) {
    const watch = [{ channel_id: '1', events: ['Leads.create'], notify_url: receiver.origin, token }];
    expect((await caller.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
  }
  await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'L', Company: 'C' }] });
  expect((await mine.first(1))[0]?.body.token).toBe('mine');
  expect((await theirs.first(1))[0]?.body.token).toBe('theirs');

  await colleague.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
  await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'M', Company: 'C' }] });
  expect(await mine.first(2)).toHaveLength(2);
  await app.app.idle();
  expect(theirs.received).toHaveLength(1);
});

test('a stuck record with 5,000 later changes behind it does not delay other records of its channel', async () => {
  const created = await app.owner.call('POST', '/crm/v8/Leads', {
    data: [
      { Last_Name: 'Stuck', Company: 'C' },
      { Last_Name: 'Free', Company: 'C' },
    ],
  });
  const stuck = at(created.body, 'data', 0, 'details', 'id');
  const free = at(created.body, 'data', 1, 'details', 'id');
  let isMended = false;
  const receiver = await receiverThat((request, response) => {
    const last = receiver.received.at(-1);
    if (!isMended && last?.body.ids.includes(stuck)) failing(request, response);
    else ok(request, response);
  });
  await open({ 1: { receiver, events: ['Leads.edit'] } });
  const update = (id: string, n: number) =>
    app.owner.call('PUT', `/crm/v8/Leads/${id}`, { data: [{ Description: `d${n}` }] });
  for (let n = 0; n < 5000; n += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => update(stuck, n + i)));
  }
  await update(free, 0);
  // All that came of the stuck record is its first change, and the clock stands still.
  await receiver.first(2);
  await app.app.idle();
  const described = receiver.received.map(({ body, headers }) => [body.ids, Number(headers['watchbell-sequence'])]);
  expect(described).toEqual([
    [[stuck], 1],
    [[free], 5001],
  ]);

  // Mended, everything behind it follows in order.
  isMended = true;
  app.clock.advance(10_000);
  const came = await receiver.first(5002);
  const sequence = came.slice(2).map(({ headers }) => Number(headers['watchbell-sequence']));
  expect(sequence).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1));
}, 120_000);
