import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/domain/attempt.ts';
import {
  admits,
  type Circuit,
  type CircuitPolicy,
  CLOSED,
  type Connection,
  connectionOf,
  landed,
  probeDue,
  probeUnmade,
  started,
} from '../../src/domain/circuit.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const POLICY: CircuitPolicy = {
  window: 5 * MINUTE,
  share: 0.7,
  minimum: 10,
  probeEvery: 30 * SECOND,
  successes: 5,
};
const START = 1_000_000_000;

/** A circuit that was closed, after these attempts, one letter each (m made, f failed, . none), `every` ms apart. */
function after(attempts: string, every = 0, from: Circuit = CLOSED, start = START): Circuit {
  const connections: Readonly<Record<string, Connection>> = { m: 'made', f: 'failed', '.': 'none' };
  return [...attempts].reduce(
    (circuit, letter, i) => landed(circuit, false, connections[letter] ?? 'none', start + i * every, POLICY),
    from,
  );
}

describe('a closed circuit', () => {
  test.each([
    ['f'.repeat(9), 0, 'closed', 'nine failures are too few'],
    ['f'.repeat(10), 0, 'open', 'ten failures are enough'],
    ['mmmffffff', 0, 'closed', 'six of nine'],
    ['mmmfffffff', 0, 'open', 'seven of ten are 70 %'],
    ['mmmmffffff', 0, 'closed', 'six of ten are not'],
    ['fffffffmmm', 0, 'closed', 'a success never opens it'],
    ['fffffffmmmf', 0, 'open', 'but the next failure does: eight of eleven'],
    [`${'m'.repeat(100)}${'f'.repeat(233)}`, 0, 'closed', '233 of 333 are less than 70 %'],
    [`${'m'.repeat(100)}${'f'.repeat(234)}`, 0, 'open', '234 of 334 are more'],
    ['.'.repeat(50), 0, 'closed', 'what our own guard refused says nothing'],
    ['f.f.f.f.f.f.f.f.f.f', 0, 'open', 'nor does it dilute'],
    ['f'.repeat(40), 34 * SECOND, 'closed', 'failures 34 s apart are never ten in five minutes'],
    ['f'.repeat(40), 27 * SECOND, 'open', 'those 27 s apart are'],
    [`mmmmmmmmmm${'f'.repeat(12)}`, 26 * SECOND, 'open', 'successes more than five minutes ago count no more'],
  ])('after %s, %i ms apart, is %s: %s', (attempts, every, state) => {
    expect(after(attempts, every).state).toBe(state);
  });

  test('a clock set back forgets what seems to come', () => {
    const before = after('fffffffff', 0, CLOSED, START + 60 * MINUTE);
    expect(after('f', 0, before, START).state).toBe('closed');
    expect(after('f', 0, before, START + 60 * MINUTE).state).toBe('open');
  });

  test('keeps at most ten parts of its window, however much comes', () => {
    const circuit = after('mf'.repeat(5000), 100);
    expect(circuit.state === 'closed' && circuit.buckets.length).toBeLessThanOrEqual(10);
  });

  test('is not changed by what is decided from it', () => {
    const before = after('fff');
    const copy = structuredClone(before);
    after('fm', 0, before);
    expect(before).toEqual(copy);
  });
});

describe('an open circuit', () => {
  const open = after('f'.repeat(10));

  test('admits nothing, whatever lands that began before it opened, until its probe is due', () => {
    expect(open).toEqual({ state: 'open', since: START, probeAt: START + 30 * SECOND });
    expect(admits(open)).toBe(false);
    expect(after('mmmmmmmmff', SECOND, open)).toBe(open);
    expect(admits(probeDue(open))).toBe(true);
  });

  test('admits one probe at a time, and closes after five successes in a row', () => {
    let circuit = probeDue(open);
    for (let successes = 1; successes <= 5; successes += 1) {
      expect(admits(circuit)).toBe(true);
      circuit = started(circuit);
      expect(admits(circuit)).toBe(false);
      circuit = landed(circuit, true, 'made', START + MINUTE, POLICY);
      expect(circuit.state).toBe(successes < 5 ? 'half-open' : 'closed');
    }
    expect(circuit).toEqual(CLOSED);
  });

  test.each([
    ['failed', 0],
    ['failed', 4],
    ['none', 4],
  ] as const)('a probe that comes to "%s" after %i successes opens it anew for 30 s', (connection, successes) => {
    let circuit = probeDue(open);
    for (let i = 0; i < successes; i += 1) circuit = landed(started(circuit), true, 'made', START + MINUTE, POLICY);
    circuit = landed(started(circuit), true, connection, START + 2 * MINUTE, POLICY);
    expect(circuit).toEqual({ state: 'open', since: START, probeAt: START + 2 * MINUTE + 30 * SECOND });
    expect(probeDue(circuit)).toMatchObject({ state: 'half-open', successes: 0 });
  });

  test('while it probes, other attempts that land teach it nothing', () => {
    const probing = started(probeDue(open));
    expect(landed(probing, false, 'failed', START + MINUTE, POLICY)).toBe(probing);
    expect(landed(probing, false, 'made', START + MINUTE, POLICY)).toBe(probing);
  });

  test('a probe without a request lets another begin', () => {
    expect(admits(probeUnmade(started(probeDue(open))))).toBe(true);
  });
});

test.each<[Outcome, Connection]>([
  [{ kind: 'delivered', status: 200 }, 'made'],
  [{ kind: 'rejected', status: 500 }, 'made'],
  [{ kind: 'rejected', status: 410 }, 'made'],
  [{ kind: 'unreachable', reason: 'dns', message: '' }, 'failed'],
  [{ kind: 'unreachable', reason: 'connect', message: '' }, 'failed'],
  [{ kind: 'unreachable', reason: 'tls', message: '' }, 'failed'],
  [{ kind: 'unreachable', reason: 'timeout', message: '' }, 'failed'],
  [{ kind: 'unreachable', reason: 'reset', message: '' }, 'failed'],
  [{ kind: 'unreachable', reason: 'protocol', message: '' }, 'none'],
  [{ kind: 'forbidden', address: '10.0.0.1', reason: 'private' }, 'none'],
])('%j counts as a connection %s', (outcome, connection) => {
  expect(connectionOf(outcome)).toBe(connection);
});
