import { expect, test, vi } from 'vitest';
import { createDevClock } from '../../src/dev-clock.ts';
import type { ClockState } from '../../src/domain/clock.ts';
import { createClockControl } from '../../src/services/clock-control.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 3_600_000;

/** What nodes share. */
interface Shared {
  readonly real: ManualClock;
  left?: ClockState;
}

interface OpenOptions {
  readonly idle?: () => Promise<void>;
  readonly maxRealMs?: number;
  readonly shared?: Shared;
}

function open({ idle = async () => {}, maxRealMs, shared = { real: createManualClock(START) } }: OpenOptions = {}) {
  const { real } = shared;
  const clock = createDevClock(real, undefined, 0);
  const saved: ClockState[] = [];
  let isBroken = false;
  const save = async (state: ClockState, before: ClockState | undefined) => {
    if (isBroken) throw new Error('The disk is full');
    if (JSON.stringify(before) !== JSON.stringify(shared.left)) return false;
    shared.left = state;
    saved.push(state);
    return true;
  };
  const control = createClockControl({
    clock,
    store: { save, load: async () => ({ ...(shared.left && { left: shared.left }), lastTime: 0 }) },
    left: undefined,
    realNow: real.now,
    idle,
    ...(maxRealMs !== undefined && { maxRealMs }),
  });
  /** Something that is due every second, for ever. */
  const calls: number[] = [];
  const tick = (): void => {
    calls.push(clock.now());
    clock.at(clock.now() + 1000, tick);
  };
  const breakDisk = (): void => {
    isBroken = true;
  };
  return { real, clock, control, saved, calls, tick, breakDisk };
}

test('an advance makes 10,000 steps at most, says where it stopped, and goes on from there', async () => {
  const { control, calls, tick, clock } = open();
  tick();
  const first = await control.advance({ by: '3h' });
  expect(first).toMatchObject({ steps: 10_000, stoppedBy: 'steps', target: START + 3 * HOUR, now: START + 10_000_000 });
  expect(calls).toHaveLength(10_001);
  const second = await control.advance({ to: new Date(first.target).toISOString() });
  expect(second).toMatchObject({ steps: 800, now: START + 3 * HOUR });
  expect(second.stoppedBy).toBeUndefined();
  expect(clock.now()).toBe(START + 3 * HOUR);
  expect(calls.every((time, i) => time === START + i * 1000)).toBe(true);
});

test('each step waits until nothing is under way', async () => {
  const gates: (() => void)[] = [];
  const { clock, control } = open({ idle: () => new Promise<void>((resolve) => gates.push(resolve)) });
  const calls: string[] = [];
  clock.at(START + HOUR, () => calls.push('a'));
  clock.at(START + 2 * HOUR, () => calls.push('b'));
  const advanced = control.advance({ by: '3h' });
  const pass = async () => {
    while (gates.length === 0) await new Promise(setImmediate);
    gates.shift()?.();
  };
  const seen: string[][] = [];
  for (let i = 0; i < 3; i += 1) {
    await new Promise(setImmediate);
    seen.push([...calls]);
    await pass();
  }
  expect(await advanced).toMatchObject({ steps: 2 });
  expect(seen).toEqual([[], ['a'], ['a', 'b']]);
});

test('an advance that something keeps from ending stops where it is, and the clock ticks on from there', async () => {
  const { real, control, calls, tick } = open({ idle: () => new Promise(() => {}), maxRealMs: 0 });
  tick();
  expect(await control.advance({ by: '3h' })).toMatchObject({ steps: 0, stoppedBy: 'time', now: START });
  real.advance(1000);
  expect(calls).toHaveLength(2);
});

test('when the server stops, an advance ends where it is', async () => {
  const { control } = open({ idle: () => new Promise(() => {}) });
  const advanced = control.advance({ by: '3h' });
  control.close();
  expect(await advanced).toMatchObject({ stoppedBy: 'stop', now: START });
});

test('an advance of a frozen clock leaves it frozen, of another one ticking', async () => {
  const { control } = open();
  expect(await control.advance({ by: '1h' })).toMatchObject({ isFrozen: false });
  await control.freeze();
  expect(await control.advance({ by: '1h' })).toMatchObject({ isFrozen: true, now: START + 2 * HOUR });
  expect(await control.resume()).toMatchObject({ isFrozen: false, now: START + 2 * HOUR });
});

test('what is saved is how it stands, before each step', async () => {
  const { control, saved, clock } = open();
  clock.at(START + HOUR, () => saved.push({ offset: -1 }));
  await control.advance({ by: '2h' });
  const held = (offset: number) => ({ offset, frozenAt: START + offset, heldUntil: START + 30_000 });
  expect(saved).toEqual([held(0), held(HOUR), { offset: -1 }, held(2 * HOUR), { offset: 2 * HOUR }]);
  await control.freeze();
  expect(saved.at(-1)).toEqual({ offset: 2 * HOUR, frozenAt: START + 2 * HOUR });
  await control.set({ by: '1h' });
  expect(saved.at(-1)).toEqual({ offset: 3 * HOUR, frozenAt: START + 3 * HOUR });
  await control.resume();
  expect(saved.at(-1)).toEqual({ offset: 3 * HOUR });
});

test('what cannot be saved is not done', async () => {
  const { control, clock, breakDisk } = open();
  breakDisk();
  for (const act of [control.freeze(), control.set({ by: '1h' }), control.advance({ by: '1h' })]) {
    await expect(act).rejects.toThrow('The disk is full');
  }
  expect(clock.now()).toBe(START);
  expect(clock.isFrozen()).toBe(false);
});

test('another node that was not told yet moves it on from where it is, and never back', async () => {
  const shared: Shared = { real: createManualClock(START) };
  const [a, b] = [open({ shared }), open({ shared })];
  await a.control.set({ by: '2h' });
  expect(b.clock.now()).toBe(START);
  expect(await b.control.set({ by: '1h' })).toMatchObject({ now: START + 3 * HOUR });
  await expect(a.control.set({ to: new Date(START + 2.5 * HOUR).toISOString() })).rejects.toThrow(
    'The clock cannot be set back',
  );
  expect(a.clock.now()).toBe(START + 3 * HOUR);
  await b.control.freeze();
  await a.control.follow();
  shared.real.advance(HOUR);
  expect(a.control.show()).toMatchObject({ isFrozen: true, now: START + 3 * HOUR });
  expect(await a.control.resume()).toMatchObject({ isFrozen: false });
  await b.control.follow();
  expect(b.control.show()).toMatchObject({ isFrozen: false, now: START + 3 * HOUR });
});

test('while one node advances it, it stands still on all, and two advances at once both come to their targets', async () => {
  const shared: Shared = { real: createManualClock(START) };
  const gates: (() => void)[] = [];
  const pass = async () => {
    while (gates.length === 0) await new Promise(setImmediate);
    gates.shift()?.();
  };
  const a = open({ shared, idle: () => new Promise<void>((resolve) => gates.push(resolve)) });
  const b = open({ shared });
  const calls: string[] = [];
  a.clock.at(START + HOUR, () => calls.push('a'));
  b.clock.at(START + 2 * HOUR, () => calls.push('b'));
  const advanced = a.control.advance({ by: '3h' });
  await pass();
  await vi.waitUntil(() => calls.length === 1);
  await b.control.follow();
  shared.real.advance(10_000);
  expect(b.control.show()).toMatchObject({ isFrozen: false, now: START + HOUR });
  expect(await b.control.advance({ by: '90m' })).toMatchObject({ steps: 1, now: START + 2.5 * HOUR });
  expect(calls).toEqual(['a', 'b']);
  await pass();
  expect(await advanced).toMatchObject({ now: START + 3 * HOUR, isFrozen: false });
  await b.control.follow();
  shared.real.advance(HOUR);
  expect([a.clock.now(), b.clock.now()]).toEqual([START + 4 * HOUR, START + 4 * HOUR]);
});

test('a node that ends in the middle of an advance leaves a clock that ticks on after a while', async () => {
  const shared: Shared = { real: createManualClock(START) };
  const a = open({ shared, idle: () => new Promise(() => {}) });
  void a.control.advance({ by: '3h' });
  await vi.waitUntil(() => shared.left !== undefined);
  const b = open({ shared });
  await b.control.follow();
  shared.real.advance(30_000);
  shared.real.advance(HOUR);
  expect(b.clock.now()).toBe(START + HOUR);
});
