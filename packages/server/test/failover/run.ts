import { setTimeout as delay } from 'node:timers/promises';
import { type PostgresPair, run, startPair } from '../support/postgres/pair.ts';
import { type Facts, factsOf, owedIn } from './facts.ts';
import { commitsBehind } from './log.ts';
import { type Failover, verify } from './verify.ts';
import { startWorld, type World } from './world.ts';

export interface FailoverOptions {
  /** The primary's commits wait for the replica. */
  readonly synchronous: boolean;
  /** For so long before the end of the primary the replica gets nothing; 0: it gets everything. */
  readonly heldBackMs: number;
  /** Of load: before that, after the promotion, and after the old primary came back. */
  readonly loadMs: number;
  readonly writers: number;
}

/** Loads two nodes, kills their primary, promotes its replica, goes on, and has the old primary come back at the end. */
export async function failover(
  { synchronous, heldBackMs, loadMs, writers }: FailoverOptions,
  print: (line: string) => void,
): Promise<Failover> {
  const pair = await startPair({ synchronous, database: 'watchbell' });
  let world: World | undefined;
  try {
    world = await startWorld(pair, writers);
    await delay(loadMs);
    if (heldBackMs > 0) {
      // Without the address of the primary nothing of its log is received.
      await run(pair.replica.url, "ALTER SYSTEM SET primary_conninfo = ''", 'SELECT pg_reload_conf()');
      await delay(heldBackMs);
    }
    await pair.primary.kill();
    const times = await promote(pair, world);
    await delay(loadMs);
    const { old, lostCommits } = await comeBack(pair);
    const known = world.client.acknowledged.length;
    await delay(loadMs);
    await world.pause();
    await settled(pair);
    const promoted = await factsOf(pair.replica);
    const stray = (await factsOf(pair.primary)).changes.length - old.changes.length;
    print(
      `the old primary came back with ${old.changes.length} changes, the promoted one has ${promoted.changes.length}`,
    );
    return verify({
      acknowledged: world.client.acknowledged,
      arrivals: world.receiver.received,
      knownAtReturn: known,
      old,
      promoted,
      stray,
      lostCommits,
      times,
      log: world.nodes.map((node) => node.log()).join(''),
    });
  } finally {
    await world?.close();
    await pair.remove();
  }
}

/** How long after the end of the promotion the first write was answered, and the first delivery of a new one came, ms. */
async function promote(pair: PostgresPair, { client, receiver, answeredAt }: World) {
  await pair.promote();
  const promotedAt = performance.now();
  const before = client.acknowledged.length;
  while (answeredAt() < promotedAt) await delay(1);
  const firstWriteMs = Math.round(answeredAt() - promotedAt);
  const looked = receiver.received.length;
  const isNew = (text: string) =>
    client.acknowledged.slice(before).some(({ description }) => text.includes(`"${description}"`));
  for (let at = Math.max(0, looked - 50); ; ) {
    for (; at < receiver.received.length; at += 1) {
      if (isNew(receiver.received[at]?.text ?? ''))
        return { firstWriteMs, firstDeliveryMs: Math.round(performance.now() - promotedAt) };
    }
    await delay(1);
  }
}

/** The old primary knows nothing of what happened, and takes writes. */
async function comeBack(pair: PostgresPair): Promise<{ old: Facts; lostCommits: ReadonlySet<string> | undefined }> {
  const lostCommits = commitsBehind(pair);
  await pair.primary.restart();
  return { old: await factsOf(pair.primary), lostCommits };
}

async function settled({ replica }: PostgresPair): Promise<void> {
  for (let waited = 0; waited < 60_000 && (await owedIn(replica)) > 0; waited += 50) await delay(50);
}
