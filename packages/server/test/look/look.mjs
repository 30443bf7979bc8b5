// npm run look -- --notifications 10000000 --engine both: how long each page of what operators look for takes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { readCounts } from '../volume/arguments.mjs';
import { quantile } from '../volume/figures.mjs';
import { startServer } from '../volume/server.mjs';
import { openEngine } from './engines.mjs';
import { filtersOf, misfitOf } from './filters.mjs';
import { MODULES, planOf, seed } from './seed.mjs';

const { values } = parseArgs({
  options: {
    notifications: { type: 'string', default: '10000000' },
    engine: { type: 'string', default: 'both' },
    walks: { type: 'string', default: '8' },
    pages: { type: 'string', default: '25' },
    limit: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
  },
});
const { engine: wanted, ...counts } = values;
const { notifications, walks, pages, limit, seed: first } = readCounts(counts);
const ENGINES = { both: ['sqlite', 'postgres'], sqlite: ['sqlite'], postgres: ['postgres'] }[wanted];
if (!ENGINES) {
  process.stderr.write('--engine must be sqlite, postgres or both\n');
  process.exit(2);
}
const ORGS = '/_watchbell/v1/orgs/3652397';
const EVERY_MS = 15_000;

const say = (text) => process.stdout.write(`${text}\n`);
const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const cell = (value) => value.toFixed(1).padStart(8);

/** The same on each run. */
function randomFrom(start) {
  let state = start;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

async function operator(base) {
  const pool = new Pool(base, { connections: 1 });
  return {
    async call(method, path) {
      const began = performance.now();
      const response = await pool.request({ method, path, headers: { authorization: 'Bearer dev-admin' } });
      const text = await response.body.text();
      const ms = performance.now() - began;
      if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
      return { ms, body: JSON.parse(text) };
    },
    close: () => pool.destroy(),
  };
}

/** Channels of each module, by their generations; the last of leads is suspended. */
async function openChannels(server) {
  const channel_expiry = `${new Date(Date.now() + 6 * 86_400_000).toISOString().slice(0, 19)}Z`;
  let id = 1000;
  for (const { name, channels } of MODULES) {
    for (let i = 0; i < channels; i += 1) {
      id += 1;
      const entry = {
        channel_id: String(id),
        events: [`${name}.all`],
        notify_url: 'http://127.0.0.1:9/',
        channel_expiry,
      };
      const { status } = await server.call('POST', '/actions/watch', { watch: [entry] });
      if (status !== 201) throw new Error(`a channel was not opened: ${status}`);
    }
  }
  const { call, close } = await operator(server.base);
  const { body } = await call('GET', `${ORGS}/channels?per_page=200`);
  const ours = body.channels.filter(({ channel_id }) => Number(channel_id) > 1000 && Number(channel_id) <= id);
  const generations = Object.fromEntries(
    MODULES.map(({ name }) => [
      name,
      ours
        .filter(({ modules }) => modules.includes(name))
        .map(({ generation }) => generation)
        .sort(),
    ]),
  );
  await call('POST', `${ORGS}/channels/${generations.Leads.at(-1)}/suspend`);
  await close();
  return { generations, user: ours[0].user };
}

/** Goes from page to page; answers how long each took, and what is wrong with what was found. */
async function walk(call, kind, query) {
  const times = [];
  const seen = new Set();
  let empty = 0;
  let wrong;
  for (let cursor, page = 0; page < pages; page += 1) {
    const search = new URLSearchParams({ ...query, limit: String(limit), ...(cursor && { cursor }) });
    const { ms, body } = await call('GET', `${ORGS}/${kind}?${search}`);
    times.push(ms);
    const found = body[kind];
    if (found.length === 0) empty += 1;
    for (const one of found) {
      const key = `${one.channel_generation} ${one.number} ${kind === 'attempts' ? one.attempt : ''}`;
      if (seen.has(key)) wrong ??= `${key} came twice`;
      seen.add(key);
      if (kind === 'notifications') wrong ??= misfitOf(query, one);
    }
    if (body.next === null) break;
    cursor = body.next;
  }
  return { times, empty, found: seen.size, wrong };
}

function line(name, times, found, empty) {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(times, share));
  say(
    `${name.padEnd(48)}${String(times.length).padStart(6)} ${cell(p50)} ${cell(p99)} ${cell(max)} ${String(found).padStart(8)} ${String(empty).padStart(6)}`,
  );
}

async function lookAt(call, context) {
  const all = [];
  const wrong = [];
  say(`${'filter'.padEnd(48)} pages  p50, ms  p99, ms  max, ms    found  empty`);
  for (const [kind, filters] of Object.entries(filtersOf(context))) {
    for (const [name, make] of filters) {
      const results = [];
      for (let i = 0; i < walks; i += 1) results.push(await walk(call, kind, make()));
      const times = results.flatMap((result) => result.times);
      const sum = (of) => results.reduce((total, result) => total + of(result), 0);
      line(
        `${kind}: ${name}`,
        times,
        sum(({ found }) => found),
        sum(({ empty }) => empty),
      );
      wrong.push(...results.flatMap((result) => result.wrong ?? []));
      all.push(...times);
    }
  }
  const { generations, plan, random } = context;
  const shown = [];
  for (let i = 0; i < walks * pages; i += 1) {
    const [generation] = generations.Leads;
    const number = 1 + Math.floor(random() * plan.cycles * 5);
    const { ms, body } = await call('GET', `${ORGS}/channels/${generation}/notifications/${number}`);
    shown.push(ms, (await call('GET', `${ORGS}/notifications/${body.id}`)).ms);
  }
  line('one, by its number and by its id', shown, shown.length, 0);
  all.push(...shown);
  line('all', all, 0, 0);
  return wrong;
}

async function round(name) {
  const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-look-'));
  const engine = await openEngine(name, dataDir);
  let server;
  try {
    server = await startServer(dataDir, engine.flags);
    const { generations, user } = await openChannels(server);
    await server.stop();
    server = undefined;
    const plan = planOf(notifications);
    const began = performance.now();
    let told = began;
    await seed(engine, plan, generations, (rows) => {
      if (performance.now() - told < EVERY_MS) return;
      told = performance.now();
      say(`${engine.name}: ${rows} rows looked at`);
    });
    const took = Math.round((performance.now() - began) / 1000);
    say(
      `${engine.name}: ${plan.notifications} notifications of ${plan.changes} changes written in ${took} s, ${gib(await engine.bytes())}`,
    );
    const before = await engine.scans();
    server = await startServer(dataDir, engine.flags);
    const { call, close } = await operator(server.base);
    const wrong = await lookAt(call, { plan, generations, user, random: randomFrom(first) });
    await close();
    await server.stop();
    server = undefined;
    for (const text of wrong.slice(0, 5)) say(`wrong: ${text}`);
    const after = await engine.scans();
    const scanned = [...(after ?? [])].filter(([table, count]) => count > (before?.get(table) ?? 0));
    if (after) say(`read as a whole: ${scanned.map(([table]) => table).join(', ') || 'no table'}`);
    return wrong.length === 0 && scanned.length === 0;
  } finally {
    await server?.stop();
    await engine.end();
    await rm(dataDir, { recursive: true, force: true });
  }
}

let isWell = true;
for (const name of ENGINES) isWell = (await round(name)) && isWell;
process.exitCode = isWell ? 0 : 1;
