import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ExplainedItem } from '../support/explaining.ts';
import { at, startLiveApp } from '../support/live-app.ts';
import { failing, startReceiver } from '../support/receiver.ts';
import { rowsIn } from '../support/test-data.ts';
import { isCandidate, isCertain, type Life, type Logged, reasonFor, type Subject, stateBefore } from './oracle.ts';
import { rematch } from './rematching.ts';
import { explainTo, type Person, pick, randomBy, step, type World } from './story.ts';

const SEED = Number(process.env.WATCHBELL_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = Number(process.env.WATCHBELL_TEST_STEPS ?? 90);
const RUNS = Number(process.env.WATCHBELL_TEST_RUNS ?? 2);
const OWN_ASKED = 12;
const ORG = '3652397';

interface Row {
  readonly generation: string;
  readonly number: number;
  readonly id: string;
  readonly change_number: number;
  readonly module: string;
  readonly ids: readonly string[];
  readonly state: string;
}

test('what is explained of each change and channel is what was sent, and why', async ({ onTestFailed }) => {
  const seen = new Map<string, number>();
  const progress = { seed: SEED, at: 'the start of the server' };
  // Also of what does not come to its end.
  onTestFailed(() => {
    process.stderr.write(`WATCHBELL_TEST_SEED=${progress.seed} WATCHBELL_TEST_RUNS=1, at ${progress.at}\n`);
  });
  for (let run = 0; run < RUNS; run += 1) {
    progress.seed = SEED + run;
    await tellAndAsk(progress, seen);
  }
  // A short run sees less.
  if (STEPS < 90 || RUNS < 2) return;
  for (const reason of ['own_event', 'related_action', 'event_type', 'expired', 'deleted'])
    expect(seen.get(reason) ?? 0, `${reason}, seed ${SEED}: ${JSON.stringify([...seen])}`).toBeGreaterThan(0);
}, 120_000);

async function tellAndAsk(progress: World['progress'], seen: Map<string, number>): Promise<void> {
  const { seed } = progress;
  const world = await begin(progress);
  try {
    const { from, to } = await live(world);
    const truth = await readTruth(world, from, to);
    const faults = await faultsOf(world, truth, seen);
    expect(faults.slice(0, 10), `WATCHBELL_TEST_SEED=${seed}`).toEqual([]);
  } finally {
    await world.app.stop();
    await Promise.all([world.good.close(), world.bad.close()]);
  }
}

async function begin(progress: World['progress']): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-explain-'));
  const app = await startLiveApp({ dataDir, flags: { maxBacklog: '10', retentionHours: '2160' } });
  const callers = [app.owner, await app.colleague(), await app.colleague()];
  const people: Person[] = [];
  for (const caller of callers) {
    const { body } = await caller.call('GET', '/crm/v8/users?type=CurrentUser');
    people.push({ id: at(body, 'users', 0, 'id'), caller });
  }
  return {
    app,
    dataDir,
    people,
    good: await startReceiver(),
    bad: await startReceiver(failing),
    random: randomBy(progress.seed),
    lives: [],
    records: new Map(),
    changesTo: [],
    progress,
  };
}

async function live(world: World): Promise<{ from: number; to: number }> {
  const [{ last } = { last: 0 }] = await rowsIn<{ last: number }>(
    world.dataDir,
    'SELECT MAX(number) AS last FROM record_change',
  );
  world.changesTo.push(Number(last));
  for (let i = 0; i < STEPS; i += 1) {
    world.progress.at = `step ${i + 1}`;
    await step(world);
  }
  world.progress.at = 'idle() after the last step';
  await world.app.app.idle();
  await rematch(world);
  world.progress.at = 'asking';
  return { from: Number(last), to: world.changesTo.at(-1) ?? 0 };
}

interface Truth {
  readonly changes: readonly Logged[];
  readonly notifications: readonly Row[];
  /** Generations by user and channel id, in the order in which they were opened. */
  readonly generations: ReadonlyMap<Life, string>;
  readonly lapses: ReadonlyMap<string, readonly LapseRange[]>;
}

/** After `from`, up to `to`. */
interface LapseRange {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

async function readTruth(world: World, from: number, to: number): Promise<Truth> {
  const { dataDir, changesTo, lives } = world;
  type Stored = Omit<Logged, 'records' | 'step'> & { readonly records: string };
  const stored = await rowsIn<Stored>(
    dataDir,
    `SELECT number, module, operation, at, records FROM record_change
     WHERE org_id = '${ORG}' AND number > ${from} AND number <= ${to} ORDER BY number`,
  );
  const changes = stored.map((one) => ({
    ...one,
    number: Number(one.number),
    at: Number(one.at),
    records: JSON.parse(one.records) as Logged['records'],
    step: changesTo.findIndex((last) => Number(one.number) <= last),
  }));
  const rows = await rowsIn<Omit<Row, 'ids'> & { readonly ids: string }>(
    dataDir,
    `SELECT generation, number, id, change_number, module, ids, state FROM notification WHERE org_id = '${ORG}'`,
  );
  const channels = await rowsIn<{ generation: string; user_id: string; channel_id: string }>(
    dataDir,
    `SELECT generation, user_id, channel_id FROM channel WHERE org_id = '${ORG}' ORDER BY generation`,
  );
  const ranges = await rowsIn<{ generation: string; kind: string; from_change: number; to_change: number | null }>(
    dataDir,
    `SELECT generation, kind, from_change, to_change FROM lapse WHERE org_id = '${ORG}'`,
  );
  const lapses = new Map<string, LapseRange[]>();
  for (const { generation, kind, from_change, to_change } of ranges) {
    const range = { kind, from: Number(from_change), to: to_change === null ? Infinity : Number(to_change) };
    lapses.set(generation, [...(lapses.get(generation) ?? []), range]);
  }
  const generations = new Map<Life, string>();
  for (const { user, channelId } of lives) {
    const known = channels.filter((one) => one.user_id === user && one.channel_id === channelId);
    const named = lives.filter((one) => one.user === user && one.channelId === channelId);
    if (known.length !== named.length) throw new Error(`${named.length} lives of ${channelId}, ${known.length} stored`);
    for (const [i, life] of named.entries()) generations.set(life, known[i]?.generation ?? '');
  }
  const notifications = rows.map((row) => ({
    ...row,
    number: Number(row.number),
    change_number: Number(row.change_number),
    ids: JSON.parse(row.ids) as string[],
  }));
  return { changes, notifications, generations, lapses };
}

/** All records that a change is about. */
function subjectsOf(changes: readonly Logged[]): Map<string, Subject & { readonly changes: Logged[] }> {
  const subjects = new Map<string, Subject & { readonly changes: Logged[] }>();
  for (const change of changes) {
    const refs = change.records.flatMap(({ id, related }) => [{ module: change.module, id }, ...related]);
    for (const { module, id } of refs) {
      const known = subjects.get(`${module}/${id}`) ?? { module, id, changes: [] };
      subjects.set(`${module}/${id}`, known);
      if (known.changes.at(-1) !== change) known.changes.push(change);
    }
  }
  return subjects;
}

const overflowsOf = ({ lapses }: Truth, generation = ''): readonly LapseRange[] =>
  (lapses.get(generation) ?? []).filter(({ kind }) => kind === 'overflow');

/** Of one that had expired or owed too much: which changes are said to be missed. */
function faultsOfLapse(
  { lapses }: Truth,
  { number }: Logged,
  generation: string,
  { reason, why, notifications }: ExplainedItem,
): string[] {
  if (reason !== 'expired' && reason !== 'overflow') return [];
  const range = lapses.get(generation)?.find(({ kind, from, to }) => kind === reason && from < number && number <= to);
  const said = `after change ${range?.from}${range?.to === Infinity ? ', which goes on' : `, up to change ${range?.to}`}; `;
  const isAgain = notifications.some(
    ({ rematch }) => rematch && why.endsWith(`, by job ${rematch}, as ${numbersText(notifications)}.`),
  );
  return range && why.includes(said) && isAgain === notifications.length > 0
    ? []
    : [`the lapse is ${JSON.stringify(range)}, said is ${why}`];
}

function numbersText(made: ExplainedItem['notifications']): string {
  const numbers = made.map(({ number }) => number);
  const last = numbers.pop();
  return numbers.length > 0 ? `numbers ${numbers.join(', ')} and ${last}` : `number ${last}`;
}

const keyOf = (change: number, generation: string): string => `${change} ${generation}`;

async function faultsOf(world: World, truth: Truth, seen: Map<string, number>): Promise<string[]> {
  const faults: string[] = [];
  const sent = new Map(world.good.received.concat(world.bad.received).map((one) => [one.headers['webhook-id'], one]));
  const byGeneration = new Map([...truth.generations].map(([life, generation]) => [generation, life]));
  const first = truth.changes[0]?.number ?? 0;
  const subjects = [...subjectsOf(truth.changes).values()];
  for (const subject of subjects) {
    const name = `${subject.module} ${subject.id}`;
    const limit = pick(world.random, [3, 20, 50, 200]);
    const all = await explainTo(world, { module: subject.module, record: subject.id, limit });
    const items = all.filter(({ change }) => change.number >= first);
    const told = new Map<string, ExplainedItem>();
    for (const item of items) {
      const key = keyOf(item.change.number, item.channel.generation ?? '');
      if (told.has(key)) faults.push(`${name}: ${key} comes twice`);
      told.set(key, item);
      const kind = item.notifications.some((one) => one.rematch) ? 'rematched' : item.reason;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    const order = items.map(({ change, channel }) => [-change.number, channel.generation ?? ''] as const);
    const sorted = [...order].sort(([a, g], [b, h]) => a - b || (g < h ? -1 : 1));
    if (JSON.stringify(order) !== JSON.stringify(sorted)) faults.push(`${name}: not in order`);
    for (const change of subject.changes) {
      for (const [life, generation] of truth.generations) {
        const item = told.get(keyOf(change.number, generation));
        faults.push(
          ...faultsOfOne(truth, change, subject, life, generation, item, sent).map(
            (what) => `${name}, change ${change.number} (step ${change.step}), ${generation}: ${what}`,
          ),
        );
      }
    }
    for (const { change, channel } of items) {
      const isAbout = subject.changes.some(({ number }) => number === change.number);
      if (!isAbout || !byGeneration.has(channel.generation ?? ''))
        faults.push(`${name}: change ${change.number} is not about it`);
    }
  }
  faults.push(...(await faultsToOwners(world, truth, subjects)));
  return faults;
}

function faultsOfOne(
  truth: Truth,
  change: Logged,
  subject: Subject,
  life: Life,
  generation: string,
  item: ExplainedItem | undefined,
  sent: ReadonlyMap<unknown, { readonly body: unknown }>,
): string[] {
  const faults: string[] = [];
  const isChanged = ({ module, id }: Subject) =>
    module === change.module && change.records.some((record) => record.id === id);
  const own = change.module === subject.module ? change.records.find(({ id }) => id === subject.id) : undefined;
  const refs = [subject, ...(own?.related ?? []).filter((ref) => !isChanged(ref))];
  const owed = truth.notifications.filter(
    (row) =>
      row.generation === generation &&
      row.change_number === change.number &&
      refs.some(({ module, id }) => row.module === module && row.ids.includes(id)),
  );
  // What was really numbered, and sent, is what is said.
  if ((item?.verdict === 'notified') !== owed.length > 0)
    faults.push(`${owed.length} notifications, said is ${item?.verdict} ${item?.reason}`);
  const numbers = (rows: readonly { readonly number: number }[]) =>
    JSON.stringify(rows.map(({ number }) => number).sort());
  if (item && numbers(item.notifications) !== numbers(owed))
    faults.push(`numbers ${numbers(owed)}, said are ${numbers(item.notifications)}`);
  for (const one of item?.notifications ?? []) {
    const row = owed.find(({ number }) => number === one.number);
    if (row && one.id !== row.id) faults.push(`number ${one.number} is ${row.id}, said is ${one.id}`);
    if (one.state === 'delivered' && !sent.has(one.id)) faults.push(`number ${one.number} never came`);
    if ((row?.state === 'delivered') !== (one.state === 'delivered'))
      faults.push(`number ${one.number} is ${row?.state}, said is ${one.state}`);
  }
  if (item) faults.push(...faultsOfLapse(truth, change, generation, item));
  if (!isCertain(life, change.step)) return faults;
  // And so is why.
  const reason = reasonFor(change, subject, life, overflowsOf(truth, generation));
  const state = stateBefore(life, change.step);
  const newer = [...truth.generations.keys()].some(
    (other) =>
      other.user === life.user &&
      other.channelId === life.channelId &&
      (truth.generations.get(other) ?? '') > generation &&
      stateBefore(other, change.step) !== undefined,
  );
  const isShown = state !== undefined && isCandidate(change, subject, state.settings) && !(state.isEnded && newer);
  const certain = [...truth.generations.keys()].every(
    (other) => other.user !== life.user || other.channelId !== life.channelId || isCertain(other, change.step),
  );
  if (certain && isShown !== (item !== undefined))
    faults.push(`${isShown ? 'is not listed' : `is listed as ${item?.reason}`}`);
  if (item && reason !== item.reason) faults.push(`the reason is ${reason}, said is ${item.reason}: ${item.why}`);
  return faults;
}

/** Of a channel id each owner is told of each change, and of their own channel only. */
async function faultsToOwners(
  world: World,
  truth: Truth,
  subjects: readonly (Subject & { readonly changes: Logged[] })[],
): Promise<string[]> {
  const faults: string[] = [];
  for (let i = 0; i < OWN_ASKED && subjects.length > 0; i += 1) {
    const subject = pick(world.random, subjects);
    const person = pick(world.random, world.people);
    const channelId = pick(world.random, ['1', '2', '3', '4']);
    const named = [...truth.generations].filter(([{ user, channelId: id }]) => user === person.id && id === channelId);
    const query = { module: subject.module, record: subject.id, channel: channelId };
    const first = truth.changes[0]?.number ?? 0;
    const items = (await explainTo(world, query, person)).filter(({ change }) => change.number >= first);
    const name = `${subject.module} ${subject.id} to ${person.id} of ${channelId}`;
    if (
      JSON.stringify(items.map(({ change }) => change.number)) !==
      JSON.stringify(subject.changes.map(({ number }) => number).reverse())
    )
      faults.push(`${name}: not each change once`);
    for (const item of items) {
      const change = subject.changes.find(({ number }) => number === item.change.number);
      if (!change || named.some(([life]) => !isCertain(life, change.step))) continue;
      const opened = named.filter(([life]) => stateBefore(life, change.step));
      const [life, generation] = opened.at(-1) ?? [];
      const expected = life
        ? reasonFor(change, subject, life, overflowsOf(truth, generation))
        : named.length > 0
          ? 'not_opened'
          : 'other_user';
      if (item.reason !== expected)
        faults.push(`${name}, change ${change.number}: the reason is ${expected}, said is ${item.reason}`);
      if (generation !== undefined && item.channel.generation !== generation)
        faults.push(`${name}: of another generation`);
    }
  }
  return faults;
}
