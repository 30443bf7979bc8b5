import { mkdtempSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Request } from '../../src/storage/engines/sqlite-message.ts';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { type Behaviour, type Receiver, startReceiver } from '../support/receiver.ts';
import { readLog } from '../support/store-log.ts';

// What a notification costs in the embedded store and on the wire, in counts that no machine's speed changes. A bound
// that is lowered stays so.

/** So many, so that each of a hundred notifications at once is in the air: an origin gets at most 32. */
const RECEIVERS = 4;
/** Of each module. */
const CHANNELS = { Ones: 1, Hundreds: 100 } as const;
type Module = keyof typeof CHANNELS;
/** Most notifications of one channel in the air. */
const FLIGHTS = 16;

const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-counts-'));
const posted = vi.spyOn(Worker.prototype, 'postMessage');
let app: LiveApp;
let receivers: readonly Receiver[];
let serial = 0;

beforeAll(async () => {
  app = await startLiveApp({ dataDir });
  receivers = await Promise.all(Array.from({ length: RECEIVERS }, () => startReceiver(hold)));
  const operate = operatorOf(app.base);
  for (const module of ['Ones', 'Hundreds'] as const) {
    const fields = [{ api_name: 'Text', type: 'text' }];
    const added = { api_name: module, singular: module, plural: module, external: true, fields };
    expect((await operate('POST', '/orgs/3652397/modules', added)).status).toBe(201);
    const watch = Array.from({ length: CHANNELS[module] }, (_, i) => ({
      channel_id: String(CHANNELS[module] + i),
      events: [`${module}.edit`],
      notify_url: `${receivers[i % RECEIVERS]?.origin}/${module}`,
      return_affected_field_values: true,
    }));
    expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
  }
  // The first ones find out how a channel stands and how many it bears at once.
  for (const module of ['Ones', 'Hundreds'] as const) for (let i = 0; i < 20; i += 1) await costOf(module, 1);
  together = 1;
  await costOf('Ones', 100);
});
afterAll(async () => {
  await app.stop();
  for (const receiver of receivers) await receiver.close();
});

/** So many are kept waiting and answered in one turn, as long as that many are to come. */
let together = 1;
let left = 0;
let bytes = 0;
let held: ServerResponse[] = [];
const read = new WeakMap<Socket, number>();

const hold: Behaviour = ({ socket }, response) => {
  bytes += socket.bytesRead - (read.get(socket) ?? 0);
  read.set(socket, socket.bytesRead);
  held.push(response);
  if (held.length < Math.min(together, left)) return;
  left -= held.length;
  for (const waiting of held) waiting.end();
  held = [];
};

interface Cost {
  /** Messages to the storage thread, each with its answer. */
  readonly loads: number;
  readonly saves: number;
  readonly statements: number;
  /** How often these are carried out in all. */
  readonly rows: number;
  readonly messageBytes: number;
  readonly commits: number;
  /** That were written to the log, whole. */
  readonly pages: number;
  readonly postBytes: number;
}

/** Of so many changes in one call, from the call to the saved deliveries. */
async function costOf(module: Module, count: number): Promise<Cost> {
  const changes = Array.from({ length: count }, () => {
    serial += 1;
    const values = { Text: 'An edit, as it would come from elsewhere, with some text' };
    return { module, operation: 'update', records: [{ id: `r-${serial + 1000}`, fields: ['Text'], values }] };
  });
  left = count * CHANNELS[module];
  bytes = 0;
  posted.mockClear();
  const before = readLog(dataDir);
  expect((await app.owner.call('POST', '/_watchbell/v1/changes', { changes })).status).toBe(200);
  await app.app.idle();
  const after = readLog(dataDir);
  expect(left).toBe(0);
  // It was begun anew in between: what it held is not there any more.
  if (after.salt !== before.salt) return costOf(module, count);
  const all = posted.mock.calls.flatMap(([requests], i) =>
    (requests as Exclude<Request, { kind: 'close' }>[]).map((message) => ({
      thread: posted.mock.contexts[i],
      message,
    })),
  );
  // The other thread only reads, for answers.
  const { thread } = all.find(({ message }) => message.kind === 'write') ?? {};
  const messages = all.filter((one) => one.thread === thread).map(({ message }) => message);
  const commands = messages.flatMap((message) => message.commands);
  return {
    loads: messages.filter(({ kind }) => kind === 'query').length,
    saves: messages.filter(({ kind }) => kind === 'write').length,
    statements: commands.length,
    rows: commands.reduce((sum, { times }) => sum + times, 0),
    messageBytes: messages.reduce((sum, message) => sum + serialize(message).length, 0),
    commits: after.commits - before.commits,
    pages: after.pages - before.pages,
    postBytes: bytes,
  };
}

/** Measured so many times: each must keep to the bounds. */
const TIMES = 6;

async function costsOf(module: Module, count: number, atOnce: number): Promise<Cost[]> {
  together = atOnce;
  const costs: Cost[] = [];
  for (let i = 0; i < TIMES; i += 1) costs.push(await costOf(module, count));
  const notifications = count * CHANNELS[module];
  const range = (name: keyof Cost) => {
    const values = costs.map((cost) => cost[name] / notifications).sort((a, b) => a - b);
    return `${name} ${Number(values[0]?.toFixed(2))}–${Number(values.at(-1)?.toFixed(2))}`;
  };
  const names = ['saves', 'statements', 'rows', 'messageBytes', 'commits', 'pages', 'postBytes'] as const;
  process.stdout.write(
    `${count} changes, ${CHANNELS[module]} channels, a notification: ${names.map(range).join(', ')}\n`,
  );
  return costs;
}

test('one change to one channel is one load, a commit for it and a commit for its delivery', async () => {
  for (const cost of await costsOf('Ones', 1, 1)) {
    const { messageBytes, pages, postBytes, ...counts } = cost;
    expect(counts).toEqual({ loads: 1, saves: 2, statements: 10, rows: 11, commits: 2 });
    expect(messageBytes).toBeLessThan(3300);
    expect(pages).toBeLessThan(22);
    expect(postBytes).toBeLessThan(700);
  }
});

test('a hundred changes in one call are one commit, and what is answered at once is saved at once', async () => {
  for (const cost of await costsOf('Ones', 100, FLIGHTS)) {
    expect(cost.loads).toBe(1);
    // One of the changes; the outcomes come in waves of as many as are in the air.
    expect(cost.saves).toBeLessThan(1 + 2.5 * Math.ceil(100 / FLIGHTS));
    expect(cost.commits).toBe(cost.saves);
    expect(cost.statements).toBe(7 + 3 * (cost.saves - 1));
    expect(cost.rows).toBeLessThan(640);
    expect(cost.messageBytes).toBeLessThan(76_000);
    expect(cost.pages).toBeLessThan(150);
    expect(cost.postBytes).toBeLessThan(70_000);
  }
});

test('one change to a hundred channels is one commit, and what is answered at once is saved at once', async () => {
  for (const cost of await costsOf('Hundreds', 1, 100)) {
    expect(cost.loads).toBe(1);
    expect(cost.saves).toBeLessThan(1 + 6);
    expect(cost.commits).toBe(cost.saves);
    expect(cost.statements).toBe(7 + 3 * (cost.saves - 1));
    expect(cost.rows).toBe(605);
    expect(cost.messageBytes).toBeLessThan(51_000);
    expect(cost.pages).toBeLessThan(340);
    expect(cost.postBytes).toBeLessThan(71_000);
  }
});
