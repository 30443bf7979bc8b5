import { median, pairs, valuesOf } from './figures.ts';
import type { Goal, Measured } from './scenario.ts';

export interface JudgedGoal extends Goal {
  /** The median of the rounds; undefined: not measured. */
  readonly reached?: number;
  readonly verdict: 'aim met' | 'floor met' | 'floor missed' | 'aim missed' | 'not measured';
}

const RATE = 'notifications_per_second';

/** What is asked of it on two cores, in one run. */
export const GOALS: readonly Goal[] = [
  {
    scenario: 'one-channel',
    about: 'one channel, against BullMQ (everysec)',
    unit: '×',
    of: `watchbell/${RATE}`,
    dividedBy: `bullmq/${RATE}`,
    better: 'more',
    floor: 3,
    aim: 5,
  },
  {
    scenario: 'fan-out',
    about: 'fan-out ×100, against the hand-made PostgreSQL outbox',
    unit: '×',
    of: `watchbell/${RATE}`,
    dividedBy: `outbox/${RATE}`,
    better: 'more',
    floor: 2,
    aim: 4,
  },
  {
    scenario: 'fan-out',
    about: 'fan-out ×100, against the best library (graphile-worker tuned)',
    unit: '×',
    of: `watchbell/${RATE}`,
    dividedBy: `graphile-worker/${RATE}`,
    better: 'more',
    floor: 3,
    aim: 5,
  },
  {
    scenario: 'one-channel',
    about: 'share of raw undici `Pool.request`, 50 connections, one channel',
    unit: '',
    of: `watchbell/${RATE}`,
    dividedBy: `raw/${RATE}`,
    better: 'more',
    floor: 0.5,
    aim: 0.8,
  },
  {
    scenario: 'steady',
    about: 'commit→sink p99 at 200/s',
    unit: 'ms',
    of: 'watchbell/at_200_commit_p99_ms',
    better: 'less',
    floor: 3,
    aim: 0.8,
  },
  {
    scenario: 'steady',
    about: 'commit→sink p99 at 1,000/s',
    unit: 'ms',
    of: 'watchbell/at_1000_commit_p99_ms',
    better: 'less',
    floor: 3,
    aim: 1.5,
  },
  {
    scenario: 'steady',
    about: 'CPU at 200/s, whole process, of a core',
    unit: '%',
    of: 'watchbell/at_200_cpu_percent',
    better: 'less',
    floor: 35,
    aim: 20,
  },
  {
    scenario: 'http-writes',
    about: 'HTTP record write (1 a call) → delivered, sustained',
    unit: '/s',
    of: `one-a-call/${RATE}`,
    better: 'more',
    floor: 3000,
    aim: 6000,
  },
  {
    scenario: 'http-writes',
    about: 'HTTP records written at 100 a call',
    unit: '/s',
    of: 'hundred-a-call/records_per_second',
    better: 'more',
    aim: 50_000,
  },
  {
    scenario: 'half-dead',
    about: 'half of the receivers dead: rate of the healthy against all healthy',
    unit: '×',
    of: 'half-dead/per_receiver_per_second',
    dividedBy: 'all-well/per_receiver_per_second',
    better: 'more',
    floor: 0.9,
    aim: 0.98,
  },
  {
    scenario: 'owed',
    about: '1,000,000 owed to a dead receiver: memory over idle',
    unit: 'MiB',
    of: 'owed/memory_mib',
    minus: 'idle/memory_mib',
    better: 'less',
    floor: 150,
    aim: 60,
  },
  {
    scenario: 'idle-channels',
    about: '100,000 idle channels: memory over none',
    unit: 'MiB',
    of: 'many/memory_mib',
    minus: 'none/memory_mib',
    better: 'less',
    floor: 150,
    aim: 60,
  },
  {
    scenario: 'idle-channels',
    about: '100,000 idle channels: time to ready',
    unit: 's',
    of: 'many/ready_s',
    better: 'less',
    floor: 3,
    aim: 1,
  },
  {
    scenario: 'growth',
    about: 'cost per notification at 10⁷ stored against 10⁴',
    unit: '×',
    of: 'stored-10m/cpu_us_per_notification',
    dividedBy: 'stored-10k/cpu_us_per_notification',
    better: 'less',
    floor: 1.3,
    aim: 1.1,
  },
  {
    scenario: 'one-channel',
    about: 'PostgreSQL engine, one node, one channel, against the hand-made outbox',
    unit: '×',
    of: `watchbell-postgres/${RATE}`,
    dividedBy: `outbox/${RATE}`,
    better: 'more',
    floor: 1.5,
    aim: 3,
  },
  {
    scenario: 'fan-out',
    about: 'PostgreSQL engine, fan-out ×100, against the hand-made outbox',
    unit: '×',
    of: `watchbell-postgres/${RATE}`,
    dividedBy: `outbox/${RATE}`,
    better: 'more',
    floor: 1.5,
    aim: 2.5,
  },
];

/** What a run has come to, by scenario. */
export type Results = Readonly<Record<string, Pick<Measured, 'rounds'>>>;

export function judge(goal: Goal, results: Results): JudgedGoal {
  const values = valuesFor(goal, results);
  if (values.length === 0) return { ...goal, verdict: 'not measured' };
  const reached = median(values);
  return { ...goal, reached, verdict: verdictOf(goal, reached) };
}

/** Of each round; none when it was not measured. */
export function valuesFor({ scenario, of, dividedBy, minus }: Goal, results: Results): number[] {
  const rounds = results[scenario]?.rounds ?? {};
  const read = (path: string): number[] => {
    const at = path.lastIndexOf('/');
    return valuesOf(rounds[path.slice(0, at)], path.slice(at + 1));
  };
  if (dividedBy !== undefined) return pairs(read(of), read(dividedBy), (left, right) => left / right);
  if (minus !== undefined) return pairs(read(of), read(minus), (left, right) => left - right);
  return read(of);
}

function verdictOf({ better, floor, aim }: Goal, reached: number): JudgedGoal['verdict'] {
  const isMet = (bound: number): boolean => (better === 'more' ? reached >= bound : reached <= bound);
  if (isMet(aim)) return 'aim met';
  if (floor === undefined) return 'aim missed';
  return isMet(floor) ? 'floor met' : 'floor missed';
}
