import type { Kill } from '../crash/journal.ts';
import { pause } from '../crash/world.ts';
import { channelsOf, type HandOver, nextArrivals } from './hand-over.ts';
import type { Node } from './nodes.ts';
import { oneOf } from './random.ts';
import { pendingNow } from './tables.ts';
import type { ClusterWorld } from './world.ts';

export type Kind = 'kill' | 'two kills' | 'freeze' | 'restart, fast' | 'restart, immediate' | 'join' | 'leave';

/** Something that was done to the cluster, and how long its channels waited for their next delivery. */
export interface Incident extends HandOver {
  readonly kind: Kind;
  /** Longest that is promised, ms. */
  readonly bound: number;
  readonly faults: readonly string[];
}

const PATIENCE_MS = 30_000;
/** What was sent has been read by then, and what the database had begun to commit for the node is there. */
const DYING_MS = 150;

const awake = ({ nodes }: ClusterWorld): Node[] => nodes.running.filter(({ isFrozen }) => !isFrozen);
const bound = ({ leaseMs }: ClusterWorld): number => leaseMs + 2000;
const sendersOf = (nodes: readonly Node[]): string[] => nodes.map(({ address }) => address);

/** How an incident is looked at afterwards: `order` is when it began. */
async function bury(world: ClusterWorld, kind: Kind, node: Node, order: number): Promise<void> {
  await pause(DYING_MS);
  const { journal, postgres } = world;
  const until = journal.next();
  journal.kills.push({
    kind,
    from: node.from,
    order,
    until,
    pending: await pendingNow(postgres.url),
    sender: node.address,
  });
}

/** Kills one node, or two at once, and starts as many again: at once, or when the others have taken over. */
export async function kill(world: ClusterWorld, random: () => number, count: 1 | 2): Promise<Incident> {
  const kind = count === 1 ? 'kill' : 'two kills';
  const victims: Node[] = [];
  while (victims.length < count) {
    victims.push(
      oneOf(
        awake(world).filter((node) => !victims.includes(node)),
        random,
      ),
    );
  }
  const channels = victims.flatMap(({ address }) => channelsOf(world, address));
  const since = performance.now();
  for (const { server } of victims) server.process.kill('SIGKILL');
  const order = world.journal.next();
  for (const node of victims) {
    world.nodes.drop(node);
    world.deaths.set(node.address, since);
  }
  await Promise.all(victims.map(({ server }) => server.kill('SIGKILL')));
  await Promise.all(victims.map((node) => bury(world, kind, node, order)));
  const again = async () => {
    for (let left = count; left > 0; left -= 1) await world.nodes.add();
  };
  const isAtOnce = random() < 0.5;
  const started = isAtOnce ? again() : undefined;
  const handOver = await nextArrivals(world, channels, sendersOf(victims), since, PATIENCE_MS);
  await (started ?? again());
  return { kind, ...handOver, bound: bound(world), faults: [] };
}

/** Stops a node's process until its lease has run out and others have taken over, and lets it go on. */
export async function freeze(world: ClusterWorld, random: () => number): Promise<Incident> {
  const node = oneOf(awake(world), random);
  const channels = channelsOf(world, node.address);
  const { journal, postgres } = world;
  const since = performance.now();
  const order = journal.next();
  node.server.process.kill('SIGSTOP');
  node.isFrozen = true;
  await pause(DYING_MS);
  const pending = await pendingNow(postgres.url);
  const [handOver] = await Promise.all([
    nextArrivals(world, channels, [node.address], since, PATIENCE_MS),
    pause(world.leaseMs + 500 + random() * 3000),
  ]);
  node.server.process.kill('SIGCONT');
  node.isFrozen = false;
  const thawed = performance.now();
  // What it had decided to send before it was frozen may go out now.
  await pause(1000);
  world.freezes.push({ sender: node.address, from: since, until: thawed + 1000 });
  journal.kills.push({ kind: 'freeze', from: node.from, order, until: journal.next(), pending, sender: node.address });
  const isBack = await journal.until(
    () => (journal.arrivals.findLast(({ from }) => from === node.address)?.at ?? 0) > thawed + 1000,
    PATIENCE_MS,
  );
  const faults = isBack ? [] : ['a node that was frozen sends nothing any more'];
  return { kind: 'freeze', ...handOver, bound: bound(world), faults };
}

/** Restarts the database under all nodes. Time counts from when it takes connections again. */
export async function restart(world: ClusterWorld, mode: 'fast' | 'immediate'): Promise<Incident> {
  const { journal, postgres, nodes, measured } = world;
  const order = journal.next();
  const before = await pendingNow(postgres.url);
  await postgres.restart(mode);
  const since = performance.now();
  const after = await pendingNow(postgres.url);
  const handOver = await nextArrivals(world, measured, [], since, PATIENCE_MS);
  const died = nodes.running.filter(
    ({ server: { process } }) => process.exitCode !== null || process.signalCode !== null,
  );
  journal.kills.push({
    kind: `restart, ${mode}`,
    from: 0,
    order,
    until: journal.next(),
    pending: new Map([...after, ...before]),
  } satisfies Kill);
  const faults = died.map(({ place }) => `node ${place} ended when the database was restarted`);
  return { kind: `restart, ${mode}`, ...handOver, bound: bound(world), faults };
}

/** A node more: time counts from when it is ready to its first delivery. */
export async function join(world: ClusterWorld): Promise<Incident> {
  const { journal, leaseMs, attemptMs } = world;
  const { address } = await world.nodes.add();
  const since = performance.now();
  const first = () => journal.arrivals.find(({ from }) => from === address);
  const isThere = await journal.until(() => first() !== undefined, PATIENCE_MS);
  return {
    kind: 'join',
    waits: isThere ? [Math.max(0, (first()?.at ?? 0) - since)] : [],
    missing: isThere ? [] : ['all of a new node'],
    bound: attemptMs + (2 * leaseMs) / 5 + 2000,
    faults: [],
  };
}

/** A node is told to end: what it has begun it finishes, and nothing is sent twice. */
export async function leave(world: ClusterWorld, random: () => number): Promise<Incident> {
  const node = oneOf(awake(world), random);
  const channels = channelsOf(world, node.address);
  const { leaseMs, attemptMs } = world;
  const since = performance.now();
  world.nodes.drop(node);
  const [code, handOver] = await Promise.all([
    node.server.kill('SIGTERM'),
    nextArrivals(world, channels, [node.address], since, PATIENCE_MS),
  ]);
  const faults = code === 0 ? [] : [`a node that was told to end ended with ${code}: ${node.server.log()}`];
  return { kind: 'leave', ...handOver, bound: attemptMs + leaseMs / 5 + 2000, faults };
}
