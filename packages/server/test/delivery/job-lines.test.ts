import { expect, test } from 'vitest';
import { byTurns, createJobLines, type Line, whoMakesRoom } from '../../src/delivery/job-lines.ts';
import type { Generation, JobId, OrgId } from '../../src/domain/ids.ts';
import type { JobKind } from '../../src/domain/job.ts';
import type { RunningJob } from '../../src/storage/store.ts';

const job = (org: string, generation: string, id: string, kind: JobKind = 'replay'): RunningJob => ({
  org: org as OrgId,
  generation: generation as Generation,
  id: id as JobId,
  kind,
});

/** The oldest of each line that may be tried at `now`, and when the next one may. */
function due(lines: ReturnType<typeof createJobLines>, now: number) {
  const told: Line[] = [];
  const next = lines.due(now, (line) => told.push(line));
  return { told, ids: told.map(({ jobs: [{ id }] }) => id), next };
}

const line = (org: string, generation: string, begun = -Infinity): Line => ({
  key: `${generation} replay`,
  jobs: [job(org, generation, `job_${generation}`)],
  streak: { failures: 0 },
  begun,
});

const placed = (org: string, since: number, isLeaving = false) => ({
  job: { org: org as OrgId, id: `${org}${since}` as JobId },
  since,
  stop: isLeaving ? AbortSignal.abort() : new AbortController().signal,
});

test('a channel has a line for each kind of job, of which the oldest comes first', () => {
  const lines = createJobLines();
  const [first, second, quick] = [job('a', '1', 'j1'), job('a', '1', 'j2'), job('a', '1', 'j3', 'redeliver')];
  lines.read([first, second, quick, job('a', '2', 'j4')]);
  expect(due(lines, 0).ids).toEqual(['j1', 'j3', 'j4']);
  expect(lines.has(second)).toBe(true);
  lines.drop(first);
  expect(lines.has(first)).toBe(false);
  expect(due(lines, 0).ids).toEqual(['j2', 'j3', 'j4']);
  lines.drop(second);
  expect(due(lines, 0).ids).toEqual(['j3', 'j4']);
});

test('what can do nothing rests, for longer and longer, until something of its channel changes', () => {
  const lines = createJobLines();
  const [one, other] = [job('a', '1', 'j1'), job('b', '2', 'j2')];
  lines.read([one, other]);
  lines.rest(one, 0);
  expect(due(lines, 499)).toMatchObject({ ids: ['j2'], next: 500 });
  expect(due(lines, 500)).toMatchObject({ ids: ['j1', 'j2'], next: Infinity });
  lines.rest(one, 500);
  expect(due(lines, 1499)).toMatchObject({ ids: ['j2'], next: 1500 });
  lines.read([one, other]);
  expect(due(lines, 1499).ids).toEqual(['j2']);
  expect(lines.changed('2' as Generation)).toBe(false);
  expect(lines.changed('1' as Generation)).toBe(true);
  expect(due(lines, 1499).ids).toEqual(['j1', 'j2']);
  for (let rest = 0; rest < 10; rest += 1) lines.rest(one, 2000);
  expect(due(lines, 2000).next).toBe(7000);
  lines.resumed('b' as OrgId);
  expect(due(lines, 2000).ids).toEqual(['j2']);
  lines.resumed('a' as OrgId);
  expect(due(lines, 2000).ids).toEqual(['j1', 'j2']);
  lines.went(one);
  lines.rest(one, 3000);
  expect(due(lines, 3000).next).toBe(3500);
});

test('however many rest, fifty of them are tried a second', () => {
  const lines = createJobLines();
  const jobs = Array.from({ length: 2000 }, (_, i) => job('a', `g${i}`, `j${i}`));
  lines.read(jobs);
  for (const one of jobs) lines.rest(one, 0);
  due(lines, 0);
  for (const one of jobs) lines.rest(one, 0);
  expect(due(lines, 0)).toMatchObject({ ids: [], next: 40_000 });
});

test('failures in a row are counted over all turns of a job, and anew for the next', () => {
  const lines = createJobLines();
  const [one, other] = [job('a', '1', 'j1'), job('a', '1', 'j2')];
  const streak = () => due(lines, 0).told[0]?.streak;
  lines.read([one, other]);
  const before = streak();
  expect(before).toEqual({ failures: 0 });
  if (before) before.failures = 7;
  lines.read([one, other]);
  expect(streak()).toBe(before);
  lines.drop(one);
  expect(streak()).toEqual({ failures: 0 });
  lines.read([one, other]);
  expect(streak()).toEqual({ failures: 0 });
});

test('organisations take turns, and so do the channels of each', () => {
  const turns = new Map([
    ['a' as OrgId, 5],
    ['b' as OrgId, 2],
  ]);
  const waiting = [
    line('a', '1', 4),
    line('a', '2', 3),
    line('a', '3'),
    line('b', '4', 2),
    line('c', '5'),
    line('b', '6'),
  ];
  const order = (most: number) => byTurns(waiting, turns, most).map(({ jobs: [{ generation }] }) => generation);
  expect(order(6)).toEqual(['5', '6', '3', '4', '2', '1']);
  expect(order(2)).toEqual(['5', '6', '3', '4', '2']);
  expect(order(1)).toEqual(['5', '6', '3']);
  expect(byTurns([], turns, 6)).toEqual([]);
});

test('who has had a place for long makes room: of the same organisation, or of one that has more', () => {
  const choose = (places: ReturnType<typeof placed>[], ...orgs: string[]) =>
    whoMakesRoom(
      places,
      orgs.map((org, i) => line(org, String(i))),
      100,
    ).map(({ job: { id } }) => id);
  expect(choose([placed('a', 50), placed('a', 40)], 'b')).toEqual(['a40']);
  expect(choose([placed('a', 50), placed('a', 40)], 'a', 'a', 'a')).toEqual(['a40', 'a50']);
  expect(choose([placed('a', 150), placed('a', 100)], 'b')).toEqual([]);
  // Neither has more than the other: each makes room for its own.
  expect(choose([placed('a', 40), placed('b', 50)], 'b')).toEqual(['b50']);
  expect(choose([placed('a', 40), placed('b', 50)], 'a', 'b')).toEqual(['a40', 'b50']);
  expect(choose([placed('a', 40), placed('b', 150)], 'b')).toEqual([]);
  expect(choose([placed('a', 40), placed('a', 50), placed('b', 60)], 'b')).toEqual(['a40']);
  // Somebody is about to leave.
  expect(choose([placed('a', 40, true), placed('a', 50)], 'b')).toEqual([]);
  expect(choose([placed('a', 40, true), placed('a', 50)], 'b', 'c')).toEqual(['a50']);
  expect(choose([placed('a', 40)])).toEqual([]);
});
