import { entryOf, type Planned, well } from '../crash/channel-plan.ts';
import { createJournal, type Journal } from '../crash/journal.ts';
import { type Client, createClient } from '../crash/load.ts';
import { type Receiver, slow, startReceiver } from '../crash/receivers.ts';
import { pause } from '../crash/world.ts';
import { type Postgres, startPostgres } from '../support/postgres/cluster.mjs';
import { signIn } from '../support/writing.ts';
import { type ClusterLine, lineToAny } from './line.ts';
import { createNodes, type Node, type Nodes } from './nodes.ts';
import { channelIdOf, isMeasured, PLAN } from './plan.ts';
import { ask } from './tables.ts';

const RETRIES = ['0s', '0s', '0s', '1s', '1s', '1s', '1s', '1s', '2s', '2s'];
export const MAX_ATTEMPTS = RETRIES.length;
const DEV_CREDENTIALS = { client_id: '1000.DEV', client_secret: 'dev-secret', refresh_token: '1000.dev.refresh' };

/** When a node was frozen and a moment after it went on, this process' own time, and the address that it sends from. */
export interface Freeze {
  readonly sender: string;
  readonly from: number;
  readonly until: number;
}

/** Several nodes on one database that is as durable as in production, with the planned channels and their receivers. */
export interface ClusterWorld {
  readonly postgres: Postgres;
  readonly nodes: Nodes;
  readonly journal: Journal;
  readonly line: ClusterLine;
  readonly client: Client;
  readonly receivers: ReadonlyMap<string, Receiver>;
  /** For channels that come and go: one is slow. */
  readonly others: readonly Receiver[];
  readonly leaseMs: number;
  /** How long an attempt may take, ms. */
  readonly attemptMs: number;
  /** Generations of the channels by which hand-overs are measured. */
  readonly measured: readonly string[];
  /** The newest change before the planned channels were opened. */
  readonly opened: number;
  /** Of nodes that were killed: when, this process' own time, by the address that they sent from. */
  readonly deaths: Map<string, number>;
  readonly freezes: Freeze[];
  /** Opens the channel, or takes it up again; repeated until it is answered. */
  post(name: string): Promise<void>;
  close(): Promise<void>;
}

/** At most so long that the lease leaves room for an attempt. */
const attemptSeconds = (leaseSeconds: number): number => Math.min(10, Math.floor(((leaseSeconds - 2) * 4) / 5));

export async function createClusterWorld(leaseSeconds: number, count: number): Promise<ClusterWorld> {
  const journal = createJournal();
  const postgres = await startPostgres({ fsync: true });
  const closing: (() => Promise<unknown>)[] = [() => postgres.remove()];
  const close = async () => {
    for (const one of closing.toReversed()) await one();
  };
  try {
    const attempt = attemptSeconds(leaseSeconds);
    const flags = [
      ...['--lease-seconds', String(leaseSeconds), '--attempt-timeout', String(attempt)],
      ...['--retry-schedule', RETRIES.join(','), '--max-retry-after', '2', '--log-level', 'error'],
      ...['--circuits', 'on', '--suspend-after-hours', '24'],
    ];
    const nodes = createNodes(postgres.url, flags, () => journal.next());
    closing.push(() => nodes.close());
    for (let at = 0; at < count; at += 1) await nodes.add();
    const receivers = new Map<string, Receiver>();
    const start = async (plan: Pick<Planned, 'name' | 'character'>) => {
      const receiver = await startReceiver(plan.name, plan.character, journal);
      closing.push(() => receiver.shut());
      return receiver;
    };
    for (const plan of PLAN) receivers.set(plan.name, await start(plan));
    const others = [
      await start({ name: 'comes and goes', character: well }),
      await start({ name: 'comes and goes, slow', character: slow }),
    ];
    const token = await signIn((nodes.running[0] as Node).base, DEV_CREDENTIALS);
    const line = lineToAny(() => nodes.running, token);
    const client = createClient(line);
    closing.push(() => client.close());
    const [newest] = await ask(postgres.url, 'SELECT max(number) AS n FROM record_change');

    async function post(name: string): Promise<void> {
      const plan = PLAN.find((planned) => planned.name === name);
      const url = receivers.get(name)?.url;
      if (!plan || url === undefined) throw new Error(`No receiver ${name}`);
      const entry = { ...entryOf(plan, url), channel_id: channelIdOf(name), channel_expiry: inHours(23) };
      for (let left = 60; left > 0; left -= 1) {
        const status = await client.watch('POST', plan.version, [entry]);
        if (status === 201) return;
        if (status !== undefined && status < 500) throw new Error(`POST of ${name} was answered ${status}`);
        await pause(250);
      }
      throw new Error(`POST of ${name} was not answered`);
    }
    for (const { name } of PLAN) await post(name);
    const rows = await ask(postgres.url, 'SELECT generation FROM channel WHERE channel_id = ANY($1)', [
      PLAN.filter(({ name }) => isMeasured(name)).map(({ name }) => channelIdOf(name)),
    ]);
    return {
      postgres,
      nodes,
      journal,
      line,
      client,
      receivers,
      others,
      leaseMs: leaseSeconds * 1000,
      attemptMs: attempt * 1000,
      measured: rows.map(({ generation }) => String(generation)),
      opened: Number(newest?.n ?? 0),
      deaths: new Map(),
      freezes: [],
      post,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const inHours = (hours: number): string =>
  `${new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 19)}+00:00`;
