import { setTimeout as delay } from 'node:timers/promises';
import { gone, well } from '../crash/channel-plan.ts';
import { startLoad } from '../crash/load.ts';
import { startChurn } from './churn.ts';
import { type Spread, spreadOf } from './hand-over.ts';
import { freeze, type Incident, join, kill, leave, restart } from './incidents.ts';
import { channelIdOf } from './plan.ts';
import { seeded, shuffled } from './random.ts';
import { type Results, resultsOf } from './results.ts';
import { ask, isDrained } from './tables.ts';
import { type ClusterWorld, createClusterWorld } from './world.ts';

export interface ClusterOptions {
  readonly kills: number;
  readonly freezes: number;
  readonly restarts: number;
  /** So often a node joins, and as often one leaves. */
  readonly joins: number;
  readonly leaseSeconds: number;
  readonly seed: number;
}

export interface ClusterRun extends Results {
  /** What was wrong while it ran. */
  readonly faults: readonly string[];
  /** What waited longer than promised. */
  readonly tooLong: readonly string[];
  /** How long channels waited for their next delivery, by what was done. */
  readonly waits: Readonly<Record<string, Spread | undefined>>;
  /** How often the channel whose receiver was gone was suspended and taken up again. */
  readonly suspensions: number;
}

const NODES = 3;
const DRAIN_MS = 180_000;

/** Nodes on one database under load, to which everything happens that may; held against the change log in the end. */
export async function clusterRun(options: ClusterOptions, say: (line: string) => void): Promise<ClusterRun> {
  const random = seeded(options.seed);
  const world = await createClusterWorld(options.leaseSeconds, NODES);
  const { client, journal, line, others } = world;
  const incidents: Incident[] = [];
  let suspensions = 0;
  try {
    const load = startLoad(client, 8, 60);
    const urls = others.map(({ url }) => url);
    const churn = startChurn(line, urls, 4);
    await journal.until(() => journal.arrivals.length > 500, 30_000);
    const acts = shuffled(actsOf(world, options, random), random);
    for (const [at, act] of acts.entries()) {
      suspensions += await comeAndGo(world, at, acts.length);
      const begun = performance.now();
      const incident = await act();
      incidents.push(incident);
      const seconds = Math.round((performance.now() - begun) / 100) / 10;
      say(
        `${at + 1} of ${acts.length}: ${incident.kind}, ${seconds} s, next deliveries after ` +
          `${JSON.stringify(spreadOf(incident.waits))}; ${client.acknowledged.length} changes answered, ` +
          `${journal.arrivals.length} requests came`,
      );
      for (const fault of [...faultsOf(incident), ...tooLongIn(incident)]) say(fault);
      await delay(300 + random() * 900);
    }
    await load.stop();
    await churn.stop();
    const faults = [...incidents.flatMap(faultsOf), ...(await end(world))];
    const waits = { waits: waitsOf(incidents), tooLong: incidents.flatMap(tooLongIn) };
    return { ...(await resultsOf(world, churn)), faults, ...waits, suspensions };
  } finally {
    await world.close();
  }
}

type Act = () => Promise<Incident>;

function actsOf(world: ClusterWorld, { kills, freezes, restarts, joins }: ClusterOptions, random: () => number): Act[] {
  const times = (count: number, act: (at: number) => Promise<Incident>): Act[] =>
    Array.from({ length: count }, (_, at) => () => act(at));
  return [
    // Each fifth one takes a second node with it, and counts for two.
    ...times(kills - Math.floor(kills / 6), (at) => kill(world, random, at < Math.floor(kills / 6) ? 2 : 1)),
    ...times(freezes, () => freeze(world, random)),
    ...times(restarts, (at) => restart(world, at % 2 ? 'fast' : 'immediate')),
    ...times(2 * joins, () => (world.nodes.running.length > NODES ? leave(world, random) : join(world))),
  ];
}

const EVERY = 6;

/** Receivers that answer 410, and that nobody listens at, for a while; answers how many channels were taken up again. */
async function comeAndGo({ receivers, postgres, post }: ClusterWorld, at: number, count: number): Promise<number> {
  if (at % EVERY === 3 && at + 2 < count) await receivers.get('dead')?.shut();
  if (at % EVERY === 5) await receivers.get('dead')?.open();
  if (at % EVERY !== 1) return 0;
  receivers.get('gone')?.become(gone);
  const isSuspended = async () =>
    (
      await ask(postgres.url, `SELECT 1 FROM channel WHERE suspended_why = 'gone' AND channel_id = $1`, [
        channelIdOf('gone'),
      ])
    ).length > 0;
  const was = await until(isSuspended, 10_000);
  receivers.get('gone')?.become(well);
  await post('gone');
  return was ? 1 : 0;
}

/** In the end, so that what has piled up behind their failures does not take minutes. */
const MENDED = ['slow', 'flaky', 'busy', 'hanging'];

/** Waits until nothing can be sent, and ends the nodes. */
async function end({ nodes, line, postgres, receivers }: ClusterWorld): Promise<string[]> {
  const faults: string[] = [];
  for (const name of MENDED) receivers.get(name)?.become(well);
  if (!(await until(() => isDrained(postgres.url), DRAIN_MS)))
    faults.push('something that could be sent stays pending');
  if (line.withoutRetryAfter() > 0) faults.push(`${line.withoutRetryAfter()} answers 503 without Retry-After`);
  for (const { base, place } of nodes.running) {
    const { status } = await fetch(`${base}/readyz`);
    if (status !== 200) faults.push(`node ${place} is not ready in the end: ${status}`);
  }
  for (const { server, place } of nodes.running) {
    const code = await server.kill('SIGTERM');
    if (code !== 0) faults.push(`node ${place} ended with ${code}: ${server.log()}`);
  }
  return faults;
}

async function until(done: () => Promise<boolean>, patienceMs: number): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await delay(100)) if (await done()) return true;
  return false;
}

const faultsOf = ({ kind, faults, missing }: Incident): string[] => [
  ...faults,
  ...missing.map((channel) => `${kind}: nothing came for ${channel} any more`),
];

const tooLongIn = ({ kind, waits, bound }: Incident): string[] =>
  waits
    .filter((wait) => wait > bound)
    .map((wait) => `${kind}: the next delivery came after ${Math.round(wait)} ms, and ${bound} are promised`);

function waitsOf(incidents: readonly Incident[]): Record<string, Spread | undefined> {
  const kinds = [...new Set(incidents.map(({ kind }) => kind))].sort();
  return Object.fromEntries(
    kinds.map((kind) => [kind, spreadOf(incidents.filter((one) => one.kind === kind).flatMap(({ waits }) => waits))]),
  );
}
