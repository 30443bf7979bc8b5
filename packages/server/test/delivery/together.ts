import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { BUCKETS, bucketOf } from '../../src/domain/bucket.ts';
import type { ClusterPolicy } from '../../src/domain/cluster-policy.ts';
import { AppError } from '../../src/domain/error.ts';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { createMonotonic } from '../../src/monotonic.ts';
import type { ClusterStore, NewsStore } from '../../src/storage/store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { dataFlags, removeData, rowsIn } from '../support/test-data.ts';
import { type Stage, type StageOptions, setStage } from './stage.ts';

export const POLICY: ClusterPolicy = {
  lease: 60_000,
  renewEvery: 200,
  leftForAttempt: 500,
  pollSoonest: 5,
  pollLatest: 20,
  newsAge: 10_000,
};
/** Short enough to wait for its end. */
export const MORTAL: ClusterPolicy = { ...POLICY, lease: 1500, renewEvery: 100 };

export const ORG = '3652397' as OrgId;

const unavailable = () => new AppError('SERVICE_UNAVAILABLE', 'The store cannot be reached right now');

export interface Node extends Stage {
  readonly id: string;
  /** The database is not there for what it says and asks as a node, nor for its outcomes; or for its leases alone. */
  cutOff(isCutOff: boolean | 'leases'): void;
  /** As if it had stood still for so long. */
  freeze(ms: number): void;
}

interface NodeOptions extends StageOptions {
  /** Stands between it and what it reads of others' commits. */
  readonly news?: (news: NewsStore) => NewsStore;
}

interface Together {
  start(id: string, policy?: ClusterPolicy, options?: NodeOptions): Promise<Node>;
  /** Resolves when all these have their part of the buckets, and nobody else has any. */
  shared(...nodes: readonly Node[]): Promise<void>;
  readonly clock: ManualClock;
  readonly dataDir: string;
}

/** A database for nodes that stop before it is gone. */
export function together(): Together {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-nodes-'));
  const clock = createManualClock();
  onTestFinished(() => removeData(dataDir));
  const owners = () => rowsIn<{ node: string | null }>(dataDir, 'SELECT node FROM bucket');
  return {
    clock,
    dataDir,
    async start(id, policy = POLICY, options = {}) {
      let isCutOff: boolean | 'leases' = false;
      let slept = 0;
      const monotonic = createMonotonic();
      const through = <Calls extends object>(calls: Calls, isThere: () => boolean): Calls =>
        Object.fromEntries(
          Object.entries(calls).map(([name, call]) => [
            name,
            (...given: unknown[]) => (isThere() ? call(...given) : Promise.reject(unavailable())),
          ]),
        ) as Calls;
      const stage = await setStage({
        ...options,
        dataDir,
        clock,
        between: (store) => {
          const between = options.between?.(store) ?? store;
          return {
            ...between,
            settle: (...given) => (isCutOff === true ? Promise.reject(unavailable()) : between.settle(...given)),
          };
        },
        node: {
          node: id,
          policy,
          monotonic: () => monotonic() + slept,
          between: (store: ClusterStore) => ({
            ...store,
            leases: through(store.leases, () => isCutOff === false),
            news: through(options.news?.(store.news) ?? store.news, () => isCutOff !== true),
          }),
        },
      });
      let isEnded = false;
      const node: Node = {
        ...stage,
        id,
        async end(withinMs) {
          if (isEnded) return;
          isEnded = true;
          await stage.end(withinMs);
        },
        cutOff: (is) => {
          isCutOff = is;
        },
        freeze: (ms) => {
          slept += ms;
        },
      };
      onTestFinished(() => node.end());
      return node;
    },
    shared: (...nodes) =>
      vi.waitFor(
        async () => {
          const counts = new Map<string, number>();
          for (const { node } of await owners()) if (node !== null) counts.set(node, (counts.get(node) ?? 0) + 1);
          expect([...counts.keys()].sort()).toEqual(nodes.map(({ id }) => id).sort());
          for (const count of counts.values()) expect(Math.abs(count - BUCKETS / nodes.length)).toBeLessThan(1);
        },
        { timeout: 10_000, interval: 10 },
      ),
  };
}

export async function receiver(behaviour = ok): Promise<Receiver> {
  const started = await startReceiver(behaviour);
  onTestFinished(() => started.close());
  return started;
}

export const change = async (dataDir: string, text: string) =>
  withClient((await dataFlags(dataDir)).databaseUrl ?? '', (client) => client.query(text));

/** Buckets. */
export async function ownedBy({ dataDir, id }: Node): Promise<number[]> {
  const rows = await rowsIn<{ bucket: number }>(dataDir, `SELECT bucket FROM bucket WHERE node = '${id}'`);
  return rows.map(({ bucket }) => Number(bucket));
}

let opened = 0;
/** A channel of the node's own, or not. */
export async function openFor(
  node: Node,
  receiver: Receiver,
  owner: Node,
): Promise<{ id: string; generation: Generation }> {
  for (;;) {
    opened += 1;
    const generation = `g-nodes-${process.pid}-${opened}` as Generation;
    if (!(await ownedBy(owner)).includes(bucketOf(generation))) continue;
    const id = String(1000 + opened);
    await node.open(id, `${receiver.origin}/${id}`, { generation });
    return { id, generation };
  }
}

/** Whatever could be sent has come by then: so many requests have been answered, one after the other. */
export async function othersTurns(): Promise<void> {
  const { origin } = await receiver();
  for (let i = 0; i < 20; i += 1) await (await fetch(origin, { method: 'POST', body: '{}' })).text();
}

export const sequences = ({ received }: Receiver): number[] =>
  received.map(({ headers }) => Number(headers['watchbell-sequence']));
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
export const idle = async (...nodes: readonly Node[]) => {
  for (const node of nodes) await node.delivery.idle();
};
export const attempts = (node: Node): number =>
  node.log.filter(({ message }) => message.startsWith('notification')).length;
