import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { hanging, type Receiver, startReceiver } from '../support/receiver.ts';

const MINUTE = 60_000;
const LIMIT = 20;

let app: LiveApp;
let stuck: Receiver;
let well: Receiver;

beforeEach(async () => {
  stuck = await startReceiver(hanging);
  well = await startReceiver();
  app = await startLiveApp({ flags: { maxBacklog: String(LIMIT) } });
});
afterEach(async () => {
  await Promise.all([stuck.close(), well.close()]);
  await app.stop();
});

async function open(id: string, receiver: Receiver): Promise<void> {
  const { status } = await app.owner.call('POST', '/crm/v8/actions/watch', {
    watch: [{ channel_id: id, events: ['Contacts.create'], notify_url: receiver.origin }],
  });
  expect(status).toBe(201);
}

let written = 0;
async function write(): Promise<void> {
  const { status } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  expect(status).toBe(201);
  written += 1;
}

async function overflows(kind: 'overflowed' | 'flowing' | 'missed'): Promise<number> {
  const response = await fetch(`${app.base}/metrics`, { headers: { authorization: 'Bearer dev-admin' } });
  const found = new RegExp(`^watchbell_channel_events_total\\{event="${kind}"\\} (\\d+)$`, 'm').exec(
    await response.text(),
  );
  return found ? Number(found[1]) : 0;
}

/** Writes until it has come to that: what a channel owes is counted beside the writes. */
async function writeUntil(kind: 'overflowed' | 'flowing'): Promise<void> {
  for (let i = 0; i < 1000; i += 1) {
    await write();
    if ((await overflows(kind)) > 0) return;
  }
  throw new Error(`no channel has ${kind}`);
}

const sequences = (receiver: Receiver) =>
  [...new Set(receiver.received.map(({ headers }) => Number(headers['watchbell-sequence'])))].sort((a, b) => a - b);
const upTo = (number: number) => Array.from({ length: number }, (_, i) => i + 1);

test('a channel that owes too much takes no more, every write goes on, and so does it when its receiver is back', async () => {
  written = 0;
  const owner = await startReceiver();
  onTestFinished(() => owner.close());
  await operatorOf(app.base)('PUT', '/orgs/3652397/lifecycle', { url: owner.origin });
  await open('1', stuck);
  await open('2', well);
  await writeUntil('overflowed');
  const taken = written;
  expect(taken).toBeGreaterThanOrEqual(LIMIT);
  for (let i = 0; i < 10; i += 1) await write();
  await well.first(written);
  expect(sequences(well)).toEqual(upTo(written));

  // What hangs is cut off by hand rather than by its deadline.
  await stuck.close();
  await app.app.idle();
  stuck = await startReceiver();
  const moved = await app.owner.call('PATCH', '/crm/v8/actions/watch', {
    watch: [{ channel_id: '1', notify_url: stuck.origin }],
  });
  expect(moved.status).toBe(200);
  app.clock.advance(MINUTE);
  await stuck.first(taken);
  await app.app.idle();
  await writeUntil('flowing');
  await stuck.first(taken + 1);
  await app.app.idle();
  // Its numbers go on where they stopped; what came meanwhile is a range of changes.
  expect(sequences(stuck)).toEqual(upTo(taken + 1));
  expect(await overflows('overflowed')).toBe(1);
  expect(await overflows('missed')).toBe(1);
  // From after the change that filled it up to the one before it took numbers again: all that was written but its own.
  const [notice] = await owner.first(1);
  const { type, channel_id, range } = JSON.parse(notice?.text ?? '');
  expect({ type, channel_id, kind: range.kind }).toEqual({ type: 'channel.missed', channel_id: '1', kind: 'overflow' });
  expect(range.to_change - range.from_change + 1).toBe(written - taken - 1);
  expect(Date.parse(range.to_time)).toBeGreaterThan(Date.parse(range.from_time));
  expect(sequences(well)).toEqual(upTo(written));
});
