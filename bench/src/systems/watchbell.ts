import { pace } from '../apps/pace.ts';
import { eventOf, MODULE, markerOf } from '../event.ts';
import { type CountedDatabase, startCountedDatabase } from '../services/counted-postgres.ts';
import { type Database, startDatabase } from '../services/postgres.ts';
import { usageOfTree } from '../services/usage.ts';
import type { Moments, Running, Serial, Setting, Shape, System } from '../system.ts';
import { type CommitMoments, commitMoments } from '../watchbell/commit-moments.ts';
import { addContacts, openChannels, succeed } from '../watchbell/records.ts';
import { type Call, type Session, setUp, startWatchbell } from '../watchbell/server.ts';

/** As many connections to the sink as all others have; else the server is as it comes. */
const FLIGHTS = ['--channel-flights', '50', '--origin-flights', '50'];
/** The most that a call takes; each change is of one record and makes a notification for each channel. */
const CHANGES_PER_CALL = 100;
/** The most that the changes of a call may come to. */
const OWED_PER_CALL = 20_000;
const CALLERS = 4;
/** Edited in turns at a steady rate, so that none is edited again before it was sent. */
const RECORDS = 1000;
const DESCRIPTION_LENGTH = 250;

/** Of the module, which no event changes. */
export const UNCHANGED_FIELD = 'Carrier';

export interface WatchbellSystem {
  readonly name: string;
  readonly engine: 'embedded' | 'postgres';
  /** On one PostgreSQL, which is then asked what it was asked. */
  readonly nodes?: number;
  /** How its channels are opened; `openChannels` with values when left out. */
  readonly open?: (call: Call, urls: readonly string[], modules: readonly string[]) => Promise<void>;
}

/** The production server behind HTTP, as an operator starts it. */
export const createWatchbell = ({ name, engine, nodes, open = openPlain }: WatchbellSystem): System => ({
  name,
  durability: 'each commit is on disk',
  async start(setting) {
    const start = nodes === undefined ? startDatabase : startCountedDatabase;
    const database = engine === 'postgres' ? await start() : undefined;
    try {
      return await startOn(setting, open, database, nodes);
    } catch (error) {
      await database?.close();
      throw error;
    }
  },
});

export const watchbell = createWatchbell({ name: 'watchbell', engine: 'embedded' });
export const watchbellPostgres = createWatchbell({ name: 'watchbell-postgres', engine: 'postgres' });

async function startOn(
  { dir, shape, profileDir }: Setting,
  open: NonNullable<WatchbellSystem['open']>,
  database: Database | CountedDatabase | undefined,
  nodes = 1,
): Promise<Running> {
  const store = { dir, ...(database && { databaseUrl: database.url }) };
  const credentials = setUp(store);
  const moments = commitMoments(dir);
  const profiling = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const nodeFlags = [...moments.nodeFlags, ...profiling];
  const server = await startWatchbell({ ...store, flags: FLIGHTS, nodeFlags });
  const servers = [server];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((one) => one.stop()));
    await database?.close();
  };
  try {
    while (servers.length < nodes) {
      servers.push(await startWatchbell({ ...store, flags: FLIGHTS, name: `watchbell-${servers.length + 1}` }));
    }
    if (database && 'isShared' in database) await database.isShared(nodes);
    const operates = servers.map((one) => one.administer(credentials.admin_token));
    const operate = server.administer(credentials.admin_token);
    const { orgs } = (await succeed(operate('GET', '/orgs'))) as { readonly orgs: readonly { readonly id: string }[] };
    const org = `/orgs/${orgs[0]?.id}`;
    const modules = modulesFor(shape);
    for (const module of modules) await succeed(operate('POST', `${org}/modules`, moduleOf(module)));
    const session = await server.signIn(credentials);
    await open(session.call, shape.urls, modules);
    let contacts: Promise<readonly string[]> | undefined;
    return {
      take: (from, events) => tell(operates, `${org}/changes`, { from, events }, shape),
      async steady(from, perSecond, seconds) {
        contacts ??= watchedContacts(session, shape);
        return edit(session, await contacts, moments, { from, perSecond, seconds });
      },
      async usage() {
        const all = servers.map(({ pid }) => usageOfTree(pid));
        const used = database?.usage();
        return {
          cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
          databaseCpu: used?.cpu ?? 0,
          residentBytes: all.reduce((sum, { residentBytes }) => sum + residentBytes, used?.residentBytes ?? 0),
          ...(database && 'counts' in database && { counts: await database.counts() }),
        };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One for all channels, or one for each when an event goes to one of them only. */
const modulesFor = ({ urls, to }: Shape): string[] =>
  to === 'each' || urls.length === 1 ? [MODULE] : urls.map((_, i) => `${MODULE}_${i}`);

const moduleOf = (module: string) => ({
  api_name: module,
  singular: module,
  plural: module,
  external: true,
  fields: [
    { api_name: 'Stage', type: 'text' },
    { api_name: 'Total', type: 'integer' },
    { api_name: 'Note', type: 'textarea' },
    { api_name: UNCHANGED_FIELD, type: 'text' },
  ],
});

async function openPlain(call: Call, urls: readonly string[], modules: readonly string[]): Promise<void> {
  if (modules.length === 1) return openChannels(call, urls, { events: `${modules[0]}.edit` });
  for (const [i, module] of modules.entries()) {
    await openChannels(call, urls.slice(i, i + 1), { events: `${module}.edit`, from: i + 1 });
  }
}

interface Range {
  readonly from: Serial;
  readonly events: number;
}

/** Each event is a change of one record; several callers, dealt to the nodes, go on when they are answered. */
async function tell(operates: readonly Call[], path: string, { from, events }: Range, shape: Shape): Promise<void> {
  const modules = modulesFor(shape);
  const owed = shape.to === 'each' ? shape.urls.length : 1;
  const perCall = Math.max(1, Math.min(CHANGES_PER_CALL, Math.floor(OWED_PER_CALL / owed)));
  const end = from + events;
  let next = from;
  await Promise.all(
    Array.from({ length: Math.max(CALLERS, operates.length * 2) }, async (_, caller) => {
      const operate = operates[caller % operates.length];
      if (operate === undefined) return;
      while (next < end) {
        const first = next;
        next = Math.min(end, first + perCall);
        const changes = Array.from({ length: next - first }, (_, i) => ({
          module: modules[(first + i) % modules.length],
          operation: 'update',
          records: [eventOf(first + i)],
        }));
        await succeed(operate('POST', path, { changes }));
      }
    }),
  );
}

interface SteadyRate {
  readonly from: Serial;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Contacts, and channels that are told when they are edited. */
async function watchedContacts({ call }: Session, { urls }: Shape): Promise<readonly string[]> {
  const ids = await addContacts(call, RECORDS);
  await openChannels(call, urls, { events: 'Contacts.edit', from: 1_000_001 });
  return ids;
}

/** Each event is a PUT of one contact that says its marker in the description. */
async function edit(
  { call }: Session,
  ids: readonly string[],
  moments: CommitMoments,
  { from, perSecond, seconds }: SteadyRate,
): Promise<Moments> {
  await moments.read();
  const idOf = (nth: number): string => ids[nth % RECORDS] ?? '';
  const paced = await pace(perSecond, seconds, async (nth) => {
    const Description = `${markerOf(from + nth)} `.padEnd(DESCRIPTION_LENGTH, 'and so on, ');
    await succeed(call('PUT', `/Contacts/${idOf(nth)}`, { data: [{ Description }] }));
  });
  // The commits of one contact come in the order of its edits.
  const edits = new Map(ids.map((id) => [id, 0]));
  const nthOf = new Map(ids.map((id, i) => [id, i]));
  const durable = new Float64Array(paced.durable.length).fill(Number.NaN);
  for (const { at, id } of await moments.read()) {
    const turn = edits.get(id);
    const first = nthOf.get(id);
    if (turn === undefined || first === undefined) continue;
    durable[first + turn * RECORDS] = at;
    edits.set(id, turn + 1);
  }
  return { handedIn: paced.handedIn, durable };
}
