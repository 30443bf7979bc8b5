import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Pool } from 'undici';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Came, faultsOf, jsonOf, refusedFaults } from './answers.ts';
import { depthOf, meaning, mutate, toText } from './json-tree.ts';
import { expectList, listFaults } from './listing.ts';
import { type ModelUser, remove, write } from './model.ts';
import { type Actor, type CallPlan, calls } from './requests.ts';
import { type SocketPlan, sockets, tryOnSocket } from './sockets.ts';
import { bodyOf, type ClockMove, clockMoves, describe, openSome, type Step } from './steps.ts';
import { CHANNEL_IDS, USERS, type UserName, VERSIONS, type WatchCall, watchCalls } from './watch-calls.ts';
import { materialise, watchFaults } from './watch-check.ts';
import { DENIED, makeVictim, readNames, readOperations, readWorld, type Victim } from './world.ts';

/** How long an answer may take. Generous: only what hangs shall fail. */
const PATIENCE_MS = 20_000;
const MAX_BODY = 1_048_576;
/** Requests of one session at most; each session starts without channels. */
const SESSION = 60;
const SESSIONS_PER_CHUNK = 8;
/** Tries to find a smaller counterexample. */
const MAX_SHRINKS = 300;

export interface FuzzRun {
  readonly requests: number;
  /** By route and class of status, as `2xx`. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly sessions: number;
  readonly clockMoves: number;
  /** Channels that listings were held against, in all. */
  readonly channelsCompared: number;
}

/** Sends at least `requests` made-up requests to a real server. Rejects with the smallest failing session found. */
export async function fuzzRun(requests: number, seed: number, say: (line: string) => void): Promise<FuzzRun> {
  const receiver = createServer((request, response) => {
    request.resume();
    response.end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  let app = await startLiveApp();
  try {
    const bench = await openBench(app, `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`);
    for (let chunk = 0; bench.sent() < requests; chunk += 1) {
      await bench.chunk(seed + chunk);
      if (chunk % 10 === 9) say(`${bench.sent()} of ${requests} requests`);
    }
    app = await app.restart();
    await bench.compareAll(app.base);
    await bench.close();
    return bench.result();
  } finally {
    await app.stop();
    receiver.close();
    receiver.closeAllConnections();
  }
}

async function openBench(app: LiveApp, receiver: string) {
  const { clock } = app;
  const callers = {
    owner: app.owner,
    colleague: await app.colleague({ deniedModules: DENIED }),
    stranger: await app.stranger(),
  };
  const reader = await app.colleague({ scopes: ['ZohoCRM.notifications.READ'] });
  const operations = await readOperations(app);
  const namesOf = (name: UserName) => readNames(async (path) => (await callers[name].call('GET', path)).body);
  const ownNames = await namesOf('owner');
  const names = { owner: ownNames, colleague: ownNames, stranger: await namesOf('stranger') };
  let pool = new Pool(app.base, { connections: 8 });
  let victim: Victim | undefined;
  let users = new Map<UserName, ModelUser>();
  const counts = new Map<string, Map<string, number>>();
  const total = { sent: 0, sessions: 0, clockMoves: 0, channelsCompared: 0 };

  function count(route: string, status: number | string): void {
    total.sent += 1;
    const group = typeof status === 'number' ? `${Math.floor(status / 100)}xx` : status;
    const of = counts.get(route) ?? new Map<string, number>();
    counts.set(route, of.set(group, (of.get(group) ?? 0) + 1));
  }

  async function send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string | Buffer,
  ): Promise<Came> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    // undici names the methods it knows; the server is asked for others, too.
    const answer = await pool.request({
      method: method as 'GET',
      path,
      headers,
      signal,
      ...(body !== undefined && { body }),
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    return { method, path, status: answer.statusCode, headers: answer.headers, body: bytes };
  }

  const tokenOf = (name: UserName) => `Zoho-oauthtoken ${callers[name].accessToken}`;

  async function watch({ user: name, version, act }: WatchCall): Promise<string[]> {
    const user = users.get(name);
    if (!user) throw new Error(`no model of ${name}`);
    const url = `/crm/${version}/actions/watch`;
    const headers: Record<string, string> = { authorization: tokenOf(name) };
    const now = clock.now();
    if (act.method === 'GET') {
      const query = new URLSearchParams(act.query).toString();
      const came = await send('GET', query === '' ? url : `${url}?${query}`, headers);
      count(`GET /crm/{version}/actions/watch`, came.status);
      const expected = expectList(user, act.query, now);
      if ('refusal' in expected) return [...faultsOf(came), ...refusedFaults(expected.refusal, came)];
      total.channelsCompared += expected.channels.size;
      return [...faultsOf(came), ...listFaults(expected, version, came.status, jsonOf(came))];
    }
    if (act.method === 'DELETE') {
      const query = act.ids === undefined ? '' : `?channel_ids=${encodeURIComponent(act.ids)}`;
      const expected = remove(user, version, act.ids, now);
      const came = await send('DELETE', url + query, headers);
      count(`DELETE /crm/{version}/actions/watch`, came.status);
      return [...faultsOf(came), ...watchFaults(expected, version, came.status, jsonOf(came))];
    }
    const { method, type, broken } = act;
    const tree = act.mutations.reduce(mutate, materialise(act.body, now, receiver));
    const text = toText(tree);
    const isSound = broken === 'not' && depthOf(meaning(tree)) <= 64;
    const bytes = {
      not: Buffer.from(text),
      cut: Buffer.from(text.slice(0, -1)),
      empty: Buffer.alloc(0),
      'no UTF-8': Buffer.concat([Buffer.from(text), Buffer.from([0xff])]),
    }[broken];
    const came = await send(method, url, { ...headers, ...(type !== undefined && { 'content-type': type }) }, bytes);
    count(`${method} /crm/{version}/actions/watch`, came.status);
    if (bytes.length > MAX_BODY) return [...faultsOf(came), ...refusedFaults('REQUEST_ENTITY_TOO_LARGE', came)];
    const expected = write(user, method, version, isSound ? meaning(tree) : undefined, now);
    return [...faultsOf(came), ...watchFaults(expected, version, came.status, jsonOf(came))];
  }

  async function call(plan: CallPlan): Promise<string[]> {
    const { method, path, query, route } = plan;
    const authorization = authorizationOf(plan.actor, plan.wrong);
    const { bytes, type } = bodyOf(plan.body);
    const headers = {
      ...(type !== undefined && { 'content-type': type }),
      ...plan.headers,
      ...(authorization !== undefined && { authorization }),
    };
    const came = await send(method, query === '' ? path : `${path}?${query}`, headers, bytes);
    count(`${method} ${route}`, came.status);
    return faultsOf(came);
  }

  function authorizationOf(actor: Actor, wrong: string): string | undefined {
    switch (actor) {
      case 'nobody':
        return undefined;
      case 'wrong':
        return wrong;
      case 'operator':
        return 'Bearer dev-admin';
      case 'reader':
        return `Zoho-oauthtoken ${reader.accessToken}`;
      case 'victim':
        return `Zoho-oauthtoken ${victim?.accessToken}`;
      default:
        return tokenOf(actor);
    }
  }

  async function step(one: Exclude<Step, { kind: 'clock' }>): Promise<void> {
    const faults = await (one.kind === 'watch' ? watch(one) : one.kind === 'call' ? call(one) : trySocket(one)).catch(
      (error: unknown) => [String(error)],
    );
    if (faults.length > 0) throw new Error(`${faults.join('\n')}\nanswered to ${describe(one)}`);
  }

  async function trySocket(plan: SocketPlan): Promise<string[]> {
    count('(bare connections)', 'sent');
    return tryOnSocket(app.base, plan, PATIENCE_MS);
  }

  /** Calls of one actor follow each other; those of several go side by side. The clock moves while none is under way. */
  async function session(steps: readonly Step[]): Promise<void> {
    total.sessions += 1;
    await reset();
    for (const user of USERS) await step(openSome(user));
    let lanes = new Map<string, Promise<void>>();
    const all = async () => {
      // All of them to their ends: nothing of this session may meet the next one.
      const ends = await Promise.allSettled(lanes.values());
      lanes = new Map();
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    };
    for (const one of steps) {
      if (one.kind === 'clock') {
        await all();
        moveClock(one.by);
        total.clockMoves += 1;
      } else {
        const lane = one.kind === 'watch' ? one.user : one.kind === 'call' ? one.actor : 'socket';
        const next = (lanes.get(lane) ?? Promise.resolve()).then(() => step(one));
        next.catch(() => undefined);
        lanes.set(lane, next);
      }
    }
    await all();
    await compare('v8');
    await compare(VERSIONS[total.sessions % VERSIONS.length] ?? 'v2');
  }

  function moveClock(by: ClockMove['by']): void {
    if (typeof by === 'number') {
      clock.advance(by);
      return;
    }
    const ends = [...users.values()].flatMap(({ channels }) =>
      [...channels.values()].map(({ expiresAt }) => expiresAt),
    );
    const next = Math.min(...ends.filter((end) => end > clock.now()));
    if (Number.isFinite(next)) clock.set(by === 'to the end' ? next : next - 1);
  }

  /** The channels of all users gone, on both sides. */
  async function reset(): Promise<void> {
    for (const name of USERS) {
      const path = `/crm/v8/actions/watch?channel_ids=${encodeURIComponent(CHANNEL_IDS.join())}`;
      await send('DELETE', path, { authorization: tokenOf(name) });
      // Ids beside the known ones come from odd values.
      const left = await send('GET', '/crm/v8/actions/watch', { authorization: tokenOf(name) });
      const rows: { channel_id: string }[] = left.status === 200 ? jsonOf(left).watch : [];
      for (const { channel_id: id } of rows) {
        await send('DELETE', `/crm/v8/actions/watch?channel_ids=${id}`, { authorization: tokenOf(name) });
      }
    }
    users = new Map(
      USERS.map((name) => {
        const denied = name === 'colleague' ? DENIED : [];
        const modules = new Set([...names[name].modules.keys()].filter((module) => !denied.includes(module)));
        return [name, { names: names[name], modules, channels: new Map() }];
      }),
    );
  }

  async function compare(version: string): Promise<void> {
    for (const name of USERS) {
      const act = { method: 'GET' as const, query: {} };
      await step({ kind: 'watch', user: name, version, act });
    }
  }

  return {
    sent: () => total.sent,
    async chunk(seed: number): Promise<void> {
      victim = await makeVictim(app);
      const world = await readWorld(app, operations, victim);
      const steps: fc.Arbitrary<Step> = fc.oneof(
        { weight: 20, arbitrary: watchCalls(world, ownNames) },
        { weight: 30, arbitrary: calls(world) },
        { weight: 1, arbitrary: sockets },
        { weight: 3, arbitrary: clockMoves },
      );
      let failures = 0;
      const property = fc.asyncProperty(
        fc.array(steps, { minLength: 1, maxLength: SESSION, size: 'max' }),
        async (list) => {
          if (failures > MAX_SHRINKS) return;
          try {
            await session(list);
          } catch (error) {
            failures += 1;
            throw error;
          }
        },
      );
      try {
        await fc.assert(property, { seed, numRuns: SESSIONS_PER_CHUNK });
      } catch (error) {
        throw new Error(`${errorText(error)}\nAgain: npm run test:fuzz -- --seed ${seed} --requests 1`);
      }
    },
    /** In every version, at another address: the server was started anew. */
    async compareAll(base: string): Promise<void> {
      await pool.close();
      pool = new Pool(base, { connections: 8 });
      for (const version of VERSIONS) await compare(version);
    },
    close: () => pool.close(),
    result: (): FuzzRun => ({ ...total, requests: total.sent, counts }),
  };
}

/** What went wrong, and with what: the library tells the former as the cause only. */
const errorText = (error: unknown): string =>
  error instanceof Error
    ? `${error.cause instanceof Error ? error.cause.message : ''}\n${error.message}`
    : String(error);
