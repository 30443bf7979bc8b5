import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient, type Line, lineTo } from '../crash/load.ts';
import { freePort } from '../crash/ports.ts';
import type { PostgresPair } from '../support/postgres/pair.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { readCredentials, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { removeData } from '../support/test-data.ts';
import { signIn } from '../support/writing.ts';

const MODULES = ['Contacts', 'Leads', 'Accounts'] as const;
const CHANNELS = 4;
const NODES = 2;
const FLAGS = [
  ...['--secret-key', '5a'.repeat(32), '--log-level', 'info'],
  ...['--log-delivered', 'off', '--retry-schedule', '0s,0s,1s,1s,1s,1s,1s,1s', '--attempt-timeout', '5'],
];

/** Two nodes that were given both servers, a receiver, and writers that go on whatever happens. */
export interface World {
  readonly nodes: readonly ServerProcess[];
  readonly client: Client;
  readonly receiver: Receiver;
  /** Resolves when nothing is being written any more. */
  pause(): Promise<void>;
  resume(): void;
  /** When the newest write was answered 2xx, ms of this process' own time. */
  answeredAt(): number;
  close(): Promise<void>;
}

export async function startWorld(pair: PostgresPair, writers: number): Promise<World> {
  const receiver = await startReceiver();
  const dataDirs: string[] = [];
  const nodes: ServerProcess[] = [];
  for (let i = 0; i < NODES; i += 1) {
    const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-failover-'));
    dataDirs.push(dataDir);
    const flags = [...FLAGS, '--database-url', pair.url];
    nodes.push(await startServerProcess({ dataDir, port: await freePort(), flags }));
  }
  const [first] = nodes as [ServerProcess];
  const token = await signIn(first.base, readCredentials(dataDirs[0] as string));
  const client = createClient(lineToAll(nodes.map(({ base }) => lineTo(base, token, writers))));
  let answeredAt = 0;
  client.onAnswer = () => {
    answeredAt = performance.now();
  };
  const expiry = `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`;
  const status = await client.watch('POST', 'v8', [
    ...MODULES.flatMap((module, m) =>
      Array.from({ length: CHANNELS }, (_, i) => ({
        channel_id: String(10 * m + i + 1),
        events: [`${module}.all`],
        notify_url: `${receiver.origin}/${module}/${i}`,
        notify_on_related_action: false,
        return_affected_field_values: true,
        channel_expiry: expiry,
      })),
    ),
  ]);
  if (status !== 201) throw new Error(`The channels were answered with ${status}`);

  let isWriting = true;
  let isEnding = false;
  let busy = 0;

  /** With records of its own. */
  async function work(module: string): Promise<void> {
    const ids: string[] = [];
    while (!isEnding) {
      if (!isWriting) {
        await delay(10);
        continue;
      }
      busy += 1;
      const at = Math.floor(Math.random() * ids.length);
      if (ids.length < 10) ids.push(...((await client.insert(module, 2)) ?? []));
      // One that was lost is not found again.
      else if (!(await client.update(module, [ids[at] as string]))) ids.splice(at, 1);
      busy -= 1;
    }
  }
  const writing = Array.from({ length: writers }, (_, i) => work(MODULES[i % MODULES.length] as string));

  return {
    nodes,
    client,
    receiver,
    async pause() {
      isWriting = false;
      while (busy > 0) await delay(10);
    },
    resume() {
      isWriting = true;
    },
    answeredAt: () => answeredAt,
    async close() {
      isEnding = true;
      await Promise.all(writing);
      await client.close();
      await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
      await receiver.close();
      for (const dataDir of dataDirs) await removeData(dataDir);
    },
  };
}

/** Each call to the next one. */
function lineToAll(lines: readonly Line[]): Line {
  let next = 0;
  return {
    call(...asked) {
      next += 1;
      return (lines[next % lines.length] as Line).call(...asked);
    },
    async close() {
      await Promise.all(lines.map(({ close }) => close()));
    },
  };
}
