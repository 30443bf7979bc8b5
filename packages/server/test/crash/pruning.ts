import { fileURLToPath } from 'node:url';
import { well } from './channel-plan.ts';
import { type Arrival, isSuccess } from './journal.ts';
import { fillGate, gateOf } from './kills.ts';
import { type Acknowledged, startLoad } from './load.ts';
import { pendingIn, type Query, readCopy, readStore } from './store-copy.ts';
import { createWorld, pause, storeOf, type World } from './world.ts';

export interface PruneRun {
  /** Kills after the first and before the last row that the turn had to remove. */
  readonly inTheMiddle: number;
  readonly notifications: number;
  /** Of those, removed by retention. */
  readonly removed: number;
  readonly faults: readonly string[];
}

const PROGRAM = fileURLToPath(new URL('./server.mjs', import.meta.url));
const HOUR_MS = 3_600_000;
const RETENTION_HOURS = 24;
/** What was finished before such a step of the clock is too old after it. */
const STEP_MS = (RETENTION_HOURS + 1) * HOUR_MS;
const LIFE_MS = 6 * 24 * HOUR_MS;
/** Those that may live longer than a step. */
const CHANNELS = ['well', 'slow', 'flaky', 'choking', 'gate'];
const WRITES = 400;

/**
 * Sets the clock on by more than the retention time, again and again, and kills the server while it removes what is too old
 * and writers go on. Holds what is left, and what is not, against what was answered.
 */
export async function pruneRun(kills: number, say: (line: string) => void): Promise<PruneRun> {
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const flags = () => {
    const step = ['--ahead', String(ahead), '--step', String(STEP_MS)];
    return ['--retention-hours', String(RETENTION_HOURS), ...step];
  };
  const world = await createWorld(CHANNELS, { program: [PROGRAM], flags: flags() });
  const { client, journal } = world;
  const faults: string[] = [];
  let inTheMiddle = 0;
  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      for (const name of CHANNELS) await world.post(name, new Date(now() + LIFE_MS));
      await write(world);
      await fillGate(world);
      const load = startLoad(client, 4, 20);
      const old = readStore(storeOf(world.dataDir), oldIn(now()));
      world.server().process.kill('SIGUSR2');
      ahead += STEP_MS;
      await untilRemoving(world, old, oldIn(now() - RETENTION_HOURS * HOUR_MS));
      world.kill('pruning');
      await world.server().kill('SIGKILL');
      const left = readCopy(world.dataDir, oldIn(now() - RETENTION_HOURS * HOUR_MS));
      if (left > 0 && left < old) inTheMiddle += 1;
      gateOf(world).become(well);
      await world.restart(flags());
      await load.stop();
      faults.push(...readStore(storeOf(world.dataDir), danglingIn));
      say(`kill ${kill} of ${kills} while pruning: ${old - left} of ${old} old notifications were removed`);
    }
    if (!(await world.settled(60_000))) faults.push('something stays pending');
    // The last turn is left to end.
    const limit = now();
    for (const name of CHANNELS) await world.post(name, new Date(limit + LIFE_MS));
    world.server().process.kill('SIGUSR2');
    if (!(await untilNone(world, oldIn(limit)))) faults.push('something old is not removed');
    await world.server().kill('SIGTERM');
    const { channels, dangling } = readStore(storeOf(world.dataDir), (query) => ({
      channels: channelsIn(query),
      dangling: danglingIn(query),
    }));
    faults.push(...dangling, ...channels.flatMap((channel) => faultsOf(channel, journal.arrivals)));
    faults.push(...missedBy(journal.arrivals, client.acknowledged));
    const notifications = channels.reduce((sum, { lastNumber }) => sum + lastNumber, 0);
    const left = channels.reduce((sum, { states }) => sum + states.size, 0);
    return { inTheMiddle, notifications, removed: notifications - left, faults };
  } finally {
    await world.close();
  }
}

/** Enough that removing it takes some time. */
async function write({ client, ...world }: World): Promise<void> {
  const some = Array.from({ length: WRITES }, (_, at) => client.insert(at % 2 ? 'Contacts' : 'Accounts', 2));
  await Promise.all(some);
  const isFew = () => readStore(storeOf(world.dataDir), pendingIn).size < 50;
  while (!isFew()) await pause(50);
}

const count = (query: Query, where: string, ...values: readonly unknown[]): number =>
  Number(query(`SELECT count(*) AS n FROM notification WHERE ${where}`, ...values)[0]?.n);

/** Notifications that were finished before `at`. */
const oldIn = (at: number) => (query: Query) => count(query, 'settled_at < ?', at);

async function untilRemoving(world: World, old: number, countOld: (query: Query) => number): Promise<void> {
  for (let left = 1000; left > 0; left -= 1) {
    if (readStore(storeOf(world.dataDir), countOld) < old) return;
    await pause(2);
  }
  throw new Error('Nothing was removed');
}

async function untilNone(world: World, countOld: (query: Query) => number): Promise<boolean> {
  for (let left = 300; left > 0; left -= 1) {
    if (readStore(storeOf(world.dataDir), countOld) === 0) return true;
    await pause(100);
  }
  return false;
}

/** What is kept must have what it refers to. */
function danglingIn(query: Query): string[] {
  const notifications = query(`SELECT n.generation, n.number FROM notification n LEFT JOIN record_change c
    ON c.org_id = n.org_id AND c.number = n.change_number WHERE c.number IS NULL`);
  const attempts = query(`SELECT a.generation, a.number FROM attempt a LEFT JOIN notification n
    ON n.org_id = a.org_id AND n.generation = a.generation AND n.number = a.number WHERE n.number IS NULL`);
  const owed = query(`SELECT o.generation, o.number, n.state FROM owed o LEFT JOIN notification n
    ON n.org_id = o.org_id AND n.generation = o.generation AND n.number = o.number
    WHERE n.state IS NULL OR n.state <> 'pending'`);
  const unowed = query(`SELECT n.generation, n.number FROM notification n LEFT JOIN owed o
    ON o.org_id = n.org_id AND o.generation = n.generation AND o.number = n.number
    WHERE n.state = 'pending' AND o.number IS NULL`);
  return [
    ...owed.map(({ generation, number, state }) => `${generation} ${number} is owed and ${state ?? 'removed'}`),
    ...unowed.map(({ generation, number }) => `${generation} ${number} is pending and not owed`),
    ...notifications.map(({ generation, number }) => `${generation} ${number} is kept without its change`),
    ...attempts.map(({ generation, number }) => `an attempt of ${generation} ${number} is kept without it`),
  ];
}

interface Kept {
  readonly generation: string;
  readonly lastNumber: number;
  readonly states: ReadonlyMap<number, string>;
  readonly removed: readonly { readonly from: number; readonly to: number; readonly reason: string }[];
}

function channelsIn(query: Query): Kept[] {
  return query('SELECT generation, last_number FROM channel').map((row) => ({
    generation: String(row.generation),
    lastNumber: Number(row.last_number),
    states: new Map(
      query('SELECT number, state FROM notification WHERE generation = ?', row.generation).map((notification) => [
        Number(notification.number),
        String(notification.state),
      ]),
    ),
    removed: query('SELECT from_number, to_number, reason FROM removed_range WHERE generation = ?', row.generation).map(
      (range) => ({ from: Number(range.from_number), to: Number(range.to_number), reason: String(range.reason) }),
    ),
  }));
}

/** What was removed was answered 2xx, or parked and stands in a range; nothing else is missing. */
function faultsOf({ generation, lastNumber, states, removed }: Kept, arrivals: readonly Arrival[]): string[] {
  const answered = new Set(
    arrivals.flatMap((arrival) =>
      arrival.generation === generation && isSuccess(arrival.answer?.status) ? [arrival.number] : [],
    ),
  );
  const faults: string[] = [];
  for (let number = 1; number <= lastNumber; number += 1) {
    const state = states.get(number);
    const isListed = removed.some(({ from, to, reason }) => from <= number && number <= to && reason === 'parked');
    const isAnswered = answered.has(number);
    const isFine = state === undefined ? isAnswered !== isListed : state === 'parked' ? !isAnswered : isAnswered;
    if (!isFine)
      faults.push(`${generation} ${number}: ${state ?? 'removed'}, answered ${isAnswered}, listed ${isListed}`);
  }
  return faults;
}

/** The channels of all contacts and of all accounts were told of every change that was answered. */
function missedBy(arrivals: readonly Arrival[], acknowledged: readonly Acknowledged[]): string[] {
  const mark = (operation: string, id: string, description = '') =>
    `${operation} ${id} ${operation === 'delete' ? '' : description}`;
  const told = new Set(
    arrivals
      .filter(({ receiver }) => receiver === 'well' || receiver === 'gate')
      .flatMap(({ operation, ids, descriptions }) => ids.map((id) => mark(operation, id, descriptions.get(id)))),
  );
  return acknowledged
    .filter(
      ({ module, operation, id, description }) => module !== 'Leads' && !told.has(mark(operation, id, description)),
    )
    .map(({ operation, id }) => `${operation} of ${id} was not told`);
}
