import { expect, test } from 'vitest';
import { createDevClock } from '../../src/dev-clock.ts';
import type { ClockState } from '../../src/domain/clock.ts';
import { createClockControl } from '../../src/services/clock-control.ts';
import { createManualClock } from '../support/manual-clock.ts';

const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 3_600_000;

function open({ idle = async () => {}, maxRealMs }: { idle?: () => Promise<void>; maxRealMs?: number } = {}) {
  const real = createManualClock(START);
  const clock = createDevClock(real, undefined, 0);
  const saved: ClockState[] = [];
  let isBroken = false;
  const save = async (state: ClockState) => {
    if (isBroken) throw new Error('The disk is full');
    saved.push(state);
  };
  const control = createClockControl({
    clock,
    store: { save },
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
  expect(saved).toEqual([{ offset: HOUR }, { offset: -1 }, { offset: 2 * HOUR }]);
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
