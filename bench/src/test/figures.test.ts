import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from '../arguments.ts';
import { bodyOf } from '../event.ts';
import { median, quantile } from '../figures.ts';
import { judge } from '../goals.ts';
import { latencies, tally } from '../latencies.ts';
import { reportScenario } from '../report.ts';
import type { Goal, Scenario } from '../scenario.ts';

const goal: Goal = {
  scenario: 'one',
  about: 'a ratio',
  unit: '×',
  of: 'a/rate',
  dividedBy: 'b/rate',
  better: 'more',
  floor: 2,
  aim: 3,
};
const rounds = {
  a: [{ rate: 10 }, { rate: 40 }, { rate: 60 }],
  b: [{ rate: 10 }, { rate: 10 }, { rate: 30 }],
};

test('a ratio is the median of the pairs of each round, and not that of the medians', () => {
  assert.equal(judge(goal, { one: { rounds } }).reached, 2);
});

test('a goal is met by its aim, by its floor, or missed', () => {
  const verdict = (changed: Partial<Goal>) => judge({ ...goal, ...changed }, { one: { rounds } }).verdict;
  assert.equal(verdict({}), 'floor met');
  assert.equal(verdict({ aim: 2 }), 'aim met');
  assert.equal(verdict({ floor: 2.1 }), 'floor missed');
  assert.equal(verdict({ better: 'less', floor: 1.9, aim: 1 }), 'floor missed');
  assert.equal(verdict({ of: 'c/rate' }), 'not measured');
});

test('the median of an even number of values lies between the two in the middle', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9), 9);
});

test('latencies leave out what has no moment, and are counted by their bounds', () => {
  const millis = latencies(Float64Array.of(0, 0, Number.NaN, 0), Float64Array.of(2000, 50, 10, 2_000_000));
  assert.deepEqual([...millis], [0.05, 2, 2000]);
  const { counts } = tally(millis, tally(millis));
  assert.deepEqual([counts[0], counts.at(-1), counts.reduce((sum, count) => sum + count)], [2, 2, 6]);
});

test('a report shows medians with least and most, and ratios', () => {
  const scenario: Scenario = {
    name: 'one',
    about: 'something',
    minutes: 1,
    compared: { figure: 'rate', to: 'a' },
    run: () => Promise.reject(new Error('not run')),
  };
  const text = reportScenario(scenario, { rounds, remarks: ['a remark'] });
  assert.match(text, /^a +40\.0 \(10\.0–60\.0\)$/m);
  assert.match(text, /^ +a \/ b +2\.00 \(1\.00–4\.00\) ×$/m);
  assert.match(text, /^a remark$/m);
});

test('arguments that cannot be used are refused', () => {
  assert.throws(() => readArguments(['--rounds', '0']), /--rounds/);
  assert.throws(() => readArguments(['--nonsense']), /nonsense/);
  assert.deepEqual(readArguments(['one', '--systems', 'a,b', '--quick']).systems, ['a', 'b']);
});

test('what is POSTed is JSON of about 600 bytes that holds its marker', () => {
  const body = bodyOf(123_456);
  assert.ok(Math.abs(Buffer.byteLength(body) - 600) < 10, String(body.length));
  assert.equal(JSON.parse(body).ids[0], 't:000000123456');
});
