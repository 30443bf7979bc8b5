import { afterEach, expect, test } from 'vitest';
import { createCircuits } from '../../src/delivery/circuits.ts';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import type { OrgId } from '../../src/domain/ids.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { type Behaviour, failing, ok, type Receiver, resetting, startReceiver } from '../support/receiver.ts';
import { HOUR, type Stage, type StageOptions, setStage } from './stage.ts';

const opened: { stage?: Stage; receiver?: Receiver } = {};
afterEach(async () => {
  await opened.stage?.close();
  await opened.receiver?.close();
  delete opened.stage;
  delete opened.receiver;
});

async function begin(behaviour: Behaviour, options?: StageOptions) {
  const stage = await setStage(options);
  opened.stage = stage;
  const receiver = await startReceiver(behaviour);
  opened.receiver = receiver;
  return { stage, receiver };
}

const LONG = { expiresAt: Date.UTC(2026, 11, 1) };
const attemptsOf = ({ received }: Receiver): number[] =>
  received.map(({ headers }) => Number(headers['watchbell-attempt']));

/** One commit for each of `count` records, and what can be sent of them. */
async function changeMany(stage: Stage, count: number, first = 1): Promise<void> {
  for (let serial = first; serial < first + count; serial += 1) await stage.change(serial);
  await stage.delivery.idle();
}

test('a receiver that cannot be reached is left alone after ten failures and probed once in 30 seconds', async () => {
  const { stage, receiver } = await begin(resetting);
  const channel = await stage.open('1', receiver.origin, LONG);
  await changeMany(stage, 40);
  const failures = receiver.received.length;
  // One more may have been in the air.
  expect(failures).toBeGreaterThanOrEqual(10);
  expect(failures).toBeLessThanOrEqual(11);
  expect(stage.log.filter(({ message }) => message.startsWith('circuit opened'))).toMatchObject([
    { level: 'warn', fields: { origin: receiver.origin } },
  ]);
  for (let probes = 1; probes <= 5; probes += 1) {
    stage.clock.advance(29_999);
    await stage.delivery.idle();
    expect(receiver.received).toHaveLength(failures + probes - 1);
    stage.clock.advance(1);
    await stage.delivery.idle();
    expect(receiver.received).toHaveLength(failures + probes);
  }
  // Whoever was not sent has spent no attempt on that.
  expect(attemptsOf(receiver).reduce((sum, attempt) => Math.max(sum, attempt), 0)).toBeLessThanOrEqual(6);
  expect(await stage.pending(channel)).toHaveLength(40);
  expect(stage.delivery.counts()).toMatchObject({ lanes: 1, inFlight: 0, unsettled: 0 });
});

test('a receiver that is back is tried one by one, whichever channel it is for, and flows after five successes', async () => {
  const { stage, receiver } = await begin(resetting);
  const channels = await Promise.all(
    ['1', '2', '3', '4'].map((id) => stage.open(id, `${receiver.origin}/${id}`, LONG)),
  );
  await changeMany(stage, 20);
  const before = receiver.received.length;
  let inFlight = 0;
  const atOnce: number[] = [];
  receiver.behave((request, response) => {
    inFlight += 1;
    atOnce.push(inFlight);
    setImmediate(() =>
      setImmediate(() => {
        inFlight -= 1;
        ok(request, response);
      }),
    );
  });
  stage.clock.advance(30_000);
  await stage.delivery.idle();
  expect(atOnce.slice(0, 5)).toEqual([1, 1, 1, 1, 1]);
  expect(Math.max(...atOnce)).toBeGreaterThan(1);
  // What failed before it opened waits for its own retry.
  stage.clock.advance(10_000);
  await stage.delivery.idle();
  for (const channel of channels) expect(await stage.pending(channel)).toEqual([]);
  expect(receiver.received.length - before).toBe(80);
  expect(stage.log.filter(({ message }) => message.startsWith('circuit closed'))).toHaveLength(1);
});

test('a probe that fails among successes opens the circuit anew', async () => {
  const { stage, receiver } = await begin(resetting);
  await stage.open('1', receiver.origin, LONG);
  await changeMany(stage, 20);
  const before = receiver.received.length;
  receiver.behave((request, response) => (receiver.received.length < before + 4 ? ok : resetting)(request, response));
  stage.clock.advance(30_000);
  await stage.delivery.idle();
  expect(receiver.received).toHaveLength(before + 4);
  stage.clock.advance(29_999);
  await stage.delivery.idle();
  expect(receiver.received).toHaveLength(before + 4);
  stage.clock.advance(1);
  await stage.delivery.idle();
  expect(receiver.received).toHaveLength(before + 5);
});

test('nobody trips the circuit of another organisation, on the same origin', async () => {
  const byPath: Behaviour = (request, response) => (request.url === '/well' ? ok : resetting)(request, response);
  const { stage, receiver } = await begin(byPath);
  const other = '4652397' as OrgId;
  await stage.store.accounts.addOrg({ id: other, name: 'Other', timeZone: 'UTC' }, stage.clock.now());
  await stage.open('1', `${receiver.origin}/dead`, LONG);
  await stage.open('1', `${receiver.origin}/well`, LONG, other);
  await changeMany(stage, 40);
  const before = receiver.received.length;
  for (let serial = 1; serial <= 40; serial += 1) await stage.changeIn(other, serial);
  await stage.delivery.idle();
  const came = receiver.received.slice(before);
  expect(came.map(({ target }) => target)).toEqual(Array<string>(40).fill('/well'));
  expect(came.map(({ headers }) => headers['watchbell-attempt'])).toEqual(Array<string>(40).fill('1'));
});

test('answers of any status open no circuit', async () => {
  const { stage, receiver } = await begin(failing);
  await stage.open('1', receiver.origin, LONG);
  await changeMany(stage, 40);
  expect(receiver.received).toHaveLength(40);
});

test('without circuits every notification has its own attempts', async () => {
  const { stage, receiver } = await begin(resetting, { policy: { circuit: undefined } });
  await stage.open('1', receiver.origin, LONG);
  await changeMany(stage, 40);
  expect(receiver.received).toHaveLength(40);
});

test('after a restart the circuit is closed and found out anew', async () => {
  const { stage: first, receiver } = await begin(resetting);
  const channel = await first.open('1', receiver.origin, LONG);
  await changeMany(first, 20);
  opened.stage = await first.restart();
  receiver.behave(ok);
  await opened.stage.delivery.idle();
  opened.stage.clock.advance(5000);
  await opened.stage.delivery.idle();
  expect(await opened.stage.pending(channel)).toEqual([]);
});

test('a channel that is deleted while its circuit is open leaves nothing behind, and its organisation is quiet', async () => {
  const { stage, receiver } = await begin(resetting);
  await stage.open('1', receiver.origin, LONG);
  await changeMany(stage, 20);
  const before = receiver.received.length;
  await stage.remove('1');
  stage.clock.advance(HOUR);
  await stage.delivery.idle();
  expect(receiver.received).toHaveLength(before);
  expect(stage.delivery.counts()).toMatchObject({ lanes: 0, waiting: 0 });
});

test('circuits are bounded: for one organisation, and for all', () => {
  const clock = createManualClock();
  const admitted: string[] = [];
  const policy = { ...DEFAULT_POLICY, orgCircuits: 4, nodeCircuits: 10 };
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const circuits = createCircuits({
    policy,
    clock,
    logger,
    onAdmitting: (org, origin) => admitted.push(`${org} ${origin}`),
  });
  const failed: Outcome = { kind: 'unreachable', reason: 'connect', message: 'refused' };
  const fail = (org: string, origin: string, times = 10) => {
    for (let i = 0; i < times; i += 1) circuits.land(org as OrgId, origin, false, failed);
  };
  const isOpen = (org: string, origin: string) => !circuits.admits(org as OrgId, origin);
  // Closed ones go first.
  fail('a', 'o1');
  fail('a', 'o2', 3);
  fail('a', 'o3');
  fail('a', 'o4');
  fail('a', 'o5');
  expect(['o1', 'o3', 'o4', 'o5'].map((origin) => isOpen('a', origin))).toEqual([true, true, true, true]);
  expect(admitted).toEqual([]);
  fail('a', 'o6');
  expect(['o1', 'o3', 'o6'].map((origin) => isOpen('a', origin))).toEqual([false, true, true]);
  expect(admitted).toEqual(['a o1']);
  // Of those of all, the organisation that was active least lately gives one.
  for (const org of ['b', 'c']) for (const origin of ['1', '2', '3', '4']) fail(org, origin);
  expect(circuits.open()).toBe(10);
  expect(isOpen('a', 'o3')).toBe(false);
  expect(isOpen('b', '1')).toBe(true);
  circuits.forget('a' as OrgId);
  circuits.forget('b' as OrgId);
  circuits.forget('c' as OrgId);
  expect(circuits.open()).toBe(0);
  expect(clock.waiting()).toBe(0);
});
