import { afterEach, expect, test } from 'vitest';
import type { Channel } from '../../src/domain/channel.ts';
import type { DeliveryPolicy } from '../../src/domain/delivery-policy.ts';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { type Behaviour, type Receiver, startReceiver } from '../support/receiver.ts';
import { HOUR, type Stage, setStage } from './stage.ts';

const ORG = '3652397' as OrgId;
/** Every bound so low that it is met all the time; nothing is ever parked. */
const TIGHT: Partial<DeliveryPolicy> = {
  retrySchedule: [0, ...Array<number>(5000).fill(60_000)],
  deadline: 400,
  connectTimeout: 300,
  circuit: { window: 300_000, share: 0.7, minimum: 3, probeEvery: 30_000, successes: 2 },
  orgCircuits: 2,
  nodeCircuits: 2,
  suspension: { after: HOUR, minAttempts: 4, minNotifications: 2, onGone: true },
  channelFlights: 4,
  firstFlights: 2,
  originFlights: 3,
  nodeFlights: 8,
  maxOrigins: 1,
  maxUnfinished: 5,
  maxRecords: 10,
  laneNotifications: 3,
  laneShare: 0.5,
  windowRows: 3,
  nodeBytes: 6000,
  maxReceivers: 1,
  settleBatch: 3,
  maxUnsettled: 4,
};
const STEPS = 100;
const CHANNELS = ['1', '2', '3', '4'];

/** A generation as it ought to be sent. */
interface Expected {
  readonly generation: Generation;
  readonly channelId: string;
  url: string;
  /** Records of each number. */
  readonly numbers: Map<number, readonly number[]>;
  readonly arrived: Set<number>;
  readonly answered: Set<number>;
  /** Numbers up to this one may have been cancelled. */
  cutTo: number;
  hasEnded: boolean;
}

const opened: { stage?: Stage; receivers: Receiver[] } = { receivers: [] };
afterEach(async () => {
  await opened.stage?.close();
  await Promise.all(opened.receivers.splice(0).map((receiver) => receiver.close()));
  delete opened.stage;
});

/** 0 … 1, the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function world(seed: number) {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const known = new Map<string, Expected>();
  const faults: string[] = [];
  const answers: Record<string, (...[request, response, taken]: [...Parameters<Behaviour>, () => void]) => void> = {
    ok: (_request, response, taken) => {
      taken();
      response.end();
    },
    slow: (_request, response, taken) =>
      setTimeout(() => {
        taken();
        response.end();
      }, 30),
    fails: (_request, response) => response.writeHead(500).end(),
    gone: (_request, response) => response.writeHead(410).end(),
    busy: (_request, response) => response.writeHead(429, { 'retry-after': '600' }).end(),
    resets: (request) => request.socket.resetAndDestroy(),
    hangs: () => undefined,
  };
  const moods = ['ok', 'ok', 'ok'];

  function arrive(generation: string, number: number): Expected | undefined {
    const channel = known.get(generation);
    const records = channel?.numbers.get(number);
    if (!channel || !records) {
      faults.push(`${generation} has no number ${number}`);
    } else if (!channel.arrived.has(number)) {
      channel.arrived.add(number);
      for (const [before, theirs] of channel.numbers) {
        const isDone = before > number || before <= channel.cutTo || channel.answered.has(before);
        if (before !== number && !isDone && theirs.some((record) => records.includes(record))) {
          faults.push(`channel ${channel.channelId}: ${number} came before ${before} was answered`);
        }
      }
    }
    return channel;
  }

  const receivers = await Promise.all(
    moods.map((_, at) =>
      startReceiver((request, response) => {
        const number = Number(request.headers['watchbell-sequence']);
        const channel = arrive(String(request.headers['watchbell-generation']), number);
        const mood = moods[at] === 'mixed' ? pick(Object.keys(answers)) : moods[at]!;
        answers[mood]!(request, response, () => channel?.answered.add(number));
      }),
    ),
  );
  opened.receivers.push(...receivers);
  let stage = await setStage({ policy: TIGHT });
  opened.stage = stage;

  const channels = () => [...known.values()].filter(({ hasEnded }) => !hasEnded);
  const view = ({ generation }: Expected) => stage.control.find(ORG, generation);

  async function open(channelId: string, url: string, hours: number): Promise<void> {
    const before = channels().find((one) => one.channelId === channelId);
    const { cancelledTo, cancelledWhy } = before ? (await view(before)).channel : {};
    const cancelled: Partial<Channel> = cancelledTo && cancelledWhy ? { cancelledTo, cancelledWhy } : {};
    const expiresAt = stage.clock.now() + hours * HOUR;
    const { generation } = await stage.open(channelId, url, { expiresAt, ...cancelled });
    if (before) before.url = url;
    const sets = { numbers: new Map(), arrived: new Set<number>(), answered: new Set<number>() };
    if (!before) known.set(generation, { generation, channelId, url, ...sets, cutTo: 0, hasEnded: false });
  }

  async function change(): Promise<void> {
    const records = [...new Set([1, 2, 3].slice(0, pick([1, 2, 3])).map(() => pick([1, 2, 3, 4, 5, 6])))];
    const numbered = await Promise.all(
      channels().map(async (one) => ({ one, number: (await view(one)).channel.lastNumber + 1 })),
    );
    for (const { one, number } of numbered) one.numbers.set(number, records);
    await stage.change(...records);
    for (const { one, number } of numbered) {
      if ((await view(one)).channel.lastNumber < number) one.numbers.delete(number);
    }
  }

  async function skip(one: Expected): Promise<void> {
    const before = one.cutTo;
    one.cutTo = (await view(one)).channel.lastNumber;
    const { channel } = await stage.control.resume(ORG, one.generation, 'skip');
    one.cutTo = Math.max(before, channel.cancelledTo ?? 0);
  }

  async function remove(one: Expected): Promise<void> {
    one.hasEnded = true;
    one.cutTo = Infinity;
    // An expired one is live again first: only such are deleted.
    await stage.open(one.channelId, one.url);
    await stage.remove(one.channelId);
    await open(one.channelId, one.url, 48);
  }

  const acts: readonly (readonly [weight: number, act: () => unknown])[] = [
    [45, change],
    [12, () => moods.splice(pick([0, 1, 2]), 1, pick(['ok', 'ok', 'mixed', ...Object.keys(answers)]))],
    [12, () => stage.clock.advance(pick([5000, 30_000, 60_000, 600_000, HOUR]))],
    [5, () => stage.control.suspend(ORG, pick(channels()).generation)],
    [5, () => stage.control.resume(ORG, pick(channels()).generation, 'backlog')],
    [3, () => skip(pick(channels()))],
    [
      4,
      () => {
        const { channelId, url } = pick(channels());
        return open(channelId, url, pick([0.02, 1, 48]));
      },
    ],
    [4, () => open(pick(CHANNELS), `${pick(receivers).origin}/${random()}`, pick([0.02, 1, 48]))],
    [2, () => remove(pick(channels()))],
    [4, () => stage.delivery.recover()],
    [
      4,
      async () => {
        stage = await stage.restart();
        opened.stage = stage;
      },
    ],
  ];
  const turns = acts.flatMap(([weight, act]) => Array<() => unknown>(weight).fill(act));

  return {
    faults,
    channels,
    view,
    stage: () => stage,
    async begin() {
      for (const id of CHANNELS) await open(id, `${pick(receivers).origin}/${id}`, 48);
    },
    async step() {
      await pick(turns)();
      if (random() < 0.5) await stage.delivery.idle();
    },
    /** All receivers are well; those that are not live, or not for long, are opened again, the others left alone. */
    async heal() {
      await stage.delivery.idle();
      moods.fill('ok');
      for (const one of channels()) {
        const { state, channel } = await view(one);
        const isLasting = state === 'live' && channel.expiresAt > stage.clock.now() + 5 * HOUR;
        if (!isLasting) await open(one.channelId, one.url, 48);
      }
    },
  };
}

test.each([1, 2, 3])(
  'whatever happens to its receiver and to itself, a channel is sent everything in order in the end (run %i)',
  async (seed) => {
    const { begin, step, heal, faults, channels, view, stage } = await world(seed);
    await begin();
    for (let steps = 0; steps < STEPS && faults.length === 0; steps += 1) await step();
    await heal();
    for (let minutes = 0; minutes < 60; minutes += 4) {
      // One that failed for long while the machine was busy was suspended meanwhile.
      if (minutes % 20 === 16) await heal();
      await stage().delivery.idle();
      stage().clock.advance(240_000);
    }
    await stage().delivery.idle();
    expect(faults).toEqual([]);
    for (const one of channels()) {
      const { channel } = await view(one);
      const owed = (await stage().pending(channel)).filter((number) => number > (channel.cancelledTo ?? 0));
      const unsent = [...one.numbers.keys()].filter((number) => number > one.cutTo && !one.answered.has(number));
      expect({ channel: one.channelId, owed, unsent }).toEqual({ channel: one.channelId, owed: [], unsent: [] });
    }
    expect(stage().delivery.counts()).toEqual({ lanes: 0, stalled: 0, inFlight: 0, unsettled: 0, waiting: 0 });
    expect(stage().log.filter(({ level }) => level === 'error')).toEqual([]);
  },
  60_000,
);
