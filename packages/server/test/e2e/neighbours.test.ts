import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import {
  type Behaviour,
  hanging,
  ok,
  type Received,
  type Receiver,
  resetting,
  startReceiver,
} from '../support/receiver.ts';

const CHANNELS = 1000;
const PER_CALL = 100;
/** Of the well organisation. */
const WELL_CHANNELS = 4;
const RECORDS = 5;
const EDITS = 40;
/** Requests at once of one organisation to receivers that never succeeded, as set by default. */
const UNPROVEN_FLIGHTS = 64;
/** Enough of them to hold all that receivers without a success may hold together, of whatever organisation. */
const SILENT = 5;

const gone: Behaviour = (_request, response) => response.writeHead(404).end();
/** Hosts are those of both organisations: what they do is in the path. */
const shared: Behaviour = (request, response) => {
  const [, kind = ''] = (request.url ?? '').split('/');
  const behaviours: Readonly<Record<string, Behaviour>> = { well: ok, hangs: hanging, resets: resetting };
  (behaviours[kind] ?? gone)(request, response);
};

let app: LiveApp;
let well: Caller;
let failing: Receiver;
let silent: readonly Receiver[];
let dead: string;

beforeEach(async () => {
  // No exchange is ended by its deadline while the test lasts: what hangs stays in the air.
  const flags = { circuits: 'on', suspendAfterHours: '24', attemptTimeout: '60' };
  // A lease has to outlast attempts.
  app = await startLiveApp({ flags: { ...flags, ...(inject('engine') === 'postgres' && { leaseSeconds: '120' }) } });
  well = await app.stranger();
  failing = await startReceiver(shared);
  silent = await Promise.all(Array.from({ length: SILENT }, () => startReceiver(shared)));
  dead = await closedOrigin();
});

afterEach(async () => {
  await Promise.all([failing, ...silent].map((receiver) => receiver.close()));
  await app.stop();
});

/** An origin where nothing listens. */
async function closedOrigin(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

async function open(caller: Caller, urls: readonly string[]): Promise<void> {
  for (let i = 0; i < urls.length; i += PER_CALL) {
    const watch = urls.slice(i, i + PER_CALL).map((notify_url, k) => ({
      channel_id: String(i + k + 1),
      events: ['Leads.all'],
      notify_url,
      notify_on_related_action: false,
    }));
    expect((await caller.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
  }
}

/** In turns: no listener, never an answer, and on the host that fails some 404 among many resets. */
function badUrl(i: number): string {
  const turn = i % 4;
  if (turn === 0) return `${dead}/${i}`;
  if (turn === 1) return `${silent[i % SILENT]?.origin}/hangs/${i}`;
  return `${failing.origin}/${i % 25 === 0 ? 'gone' : 'resets'}/${i}`;
}

/** On hosts of the other's: those of odd numbers on one that fails, the others on one that hangs. */
const wellUrl = (channel: number): string => `${(channel % 2 === 1 ? failing : silent[0])?.origin}/well/${channel}`;

async function create(caller: Caller, count: number): Promise<string[]> {
  const data = Array.from({ length: count }, (_, i) => ({ Last_Name: `L${i}`, Company: 'C' }));
  const { status, body } = await caller.call('POST', '/crm/v8/Leads', { data });
  expect(status).toBe(201);
  return data.map((_, i) => at(body, 'data', i, 'details', 'id'));
}

async function edit(caller: Caller, id: string, n: number): Promise<void> {
  const { status } = await caller.call('PUT', `/crm/v8/Leads/${id}`, { data: [{ Description: `Edit ${n}` }] });
  expect(status).toBe(200);
}

const PATIENTLY = { timeout: 30_000 };

/** Edits of its records in turns, some at once. */
async function editAll(caller: Caller, ids: readonly string[]): Promise<void> {
  for (let n = 0; n < EDITS; n += 1) await Promise.all(ids.map((id) => edit(caller, id, n)));
}

const cameTo = (path: string): readonly Received[] =>
  [failing, ...silent].flatMap(({ received }) => received.filter(({ target }) => target.startsWith(path)));
const cameWell = () => cameTo('/well/');
const inTheAir = () => cameTo('/hangs/').length;
const numberOf = ({ headers }: Received): number => Number(headers['watchbell-sequence']);

/** What is not as if there were no neighbours, of so many notifications a channel. */
function faults(count: number): string[] {
  const all = cameWell();
  const found = all
    .filter(({ headers }) => headers['watchbell-attempt'] !== '1')
    .map(({ target, headers }) => `${target} needed attempt ${headers['watchbell-attempt']}`);
  for (let channel = 1; channel <= WELL_CHANNELS; channel += 1) {
    const came = all.filter(({ target }) => target === `/well/${channel}`);
    const numbers = came.map(numberOf).sort((a, b) => a - b);
    const expected = Array.from({ length: count }, (_, i) => i + 1);
    if (numbers.join() !== expected.join()) found.push(`channel ${channel} got ${numbers.join()}`);
    const last = new Map<string, number>();
    for (const one of came) {
      for (const id of one.body.ids) {
        const before = last.get(id) ?? 0;
        if (numberOf(one) < before) found.push(`channel ${channel}: ${numberOf(one)} came after ${before}`);
        last.set(id, numberOf(one));
      }
    }
  }
  return found;
}

async function gauge(name: string): Promise<number> {
  const response = await fetch(`${app.base}/metrics`, { headers: { authorization: 'Bearer dev-admin' } });
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(await response.text()) ?? [];
  return Number(value);
}

test('1,000 channels at dead, hanging and failing receivers, some on its own hosts, change nothing for another organisation', async () => {
  await open(
    app.owner,
    Array.from({ length: CHANNELS }, (_, i) => badUrl(i)),
  );
  const theirs = await create(app.owner, 3);
  for (const id of theirs) await edit(app.owner, id, 0);
  // The neighbours' circuits open, one of them for a host that is well; what hangs holds what it may, and no more.
  await expect.poll(() => gauge('watchbell_circuits_open'), PATIENTLY).toBe(2);
  await expect.poll(inTheAir, PATIENTLY).toBe(UNPROVEN_FLIGHTS);

  // With all that in place an organisation begins that never sent anything before.
  await open(
    well,
    Array.from({ length: WELL_CHANNELS }, (_, i) => wellUrl(i + 1)),
  );
  const ids = await create(well, RECORDS);
  await editAll(well, ids);
  const first = 1 + RECORDS * EDITS;
  await expect.poll(() => cameWell().length, PATIENTLY).toBe(WELL_CHANNELS * first);
  expect(faults(first)).toEqual([]);

  // And goes on while more of it comes every moment.
  await Promise.all([...theirs.map((id) => edit(app.owner, id, 1)), editAll(well, ids)]);
  const second = first + RECORDS * EDITS;
  await expect.poll(() => cameWell().length, PATIENTLY).toBe(WELL_CHANNELS * second);
  expect(faults(second)).toEqual([]);
  expect(await gauge('watchbell_circuits_open')).toBe(2);
  // Not one of those that hang was given up to make room.
  expect(inTheAir()).toBe(UNPROVEN_FLIGHTS);
}, 120_000);
