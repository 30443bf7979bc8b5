import { mkdtempSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BUCKETS, bucketOf } from '../../src/domain/bucket.ts';
import type { ClusterPolicy } from '../../src/domain/cluster-policy.ts';
import { AppError } from '../../src/domain/error.ts';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { createMonotonic } from '../../src/monotonic.ts';
import type { ClusterStore, NewsStore } from '../../src/storage/store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { dataFlags, removeData, rowsIn } from '../support/test-data.ts';
import { type Stage, type StageOptions, setStage } from './stage.ts';

const POLICY: ClusterPolicy = {
  lease: 60_000,
  renewEvery: 200,
  leftForAttempt: 500,
  pollSoonest: 5,
  pollLatest: 20,
  newsAge: 10_000,
};
/** Short enough to wait for its end. */
const MORTAL: ClusterPolicy = { ...POLICY, lease: 1500, renewEvery: 100 };

const ORG = '3652397' as OrgId;

const unavailable = () => new AppError('SERVICE_UNAVAILABLE', 'The store cannot be reached right now');

interface Node extends Stage {
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
function together(): Together {
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

async function receiver(behaviour = ok): Promise<Receiver> {
  const started = await startReceiver(behaviour);
  onTestFinished(() => started.close());
  return started;
}

const change = async (dataDir: string, text: string) =>
  withClient((await dataFlags(dataDir)).databaseUrl ?? '', (client) => client.query(text));

/** Buckets. */
async function ownedBy({ dataDir, id }: Node): Promise<number[]> {
  const rows = await rowsIn<{ bucket: number }>(dataDir, `SELECT bucket FROM bucket WHERE node = '${id}'`);
  return rows.map(({ bucket }) => Number(bucket));
}

let opened = 0;
/** A channel of the node's own, or not. */
async function openFor(node: Node, receiver: Receiver, owner: Node): Promise<{ id: string; generation: Generation }> {
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
async function othersTurns(): Promise<void> {
  const { origin } = await receiver();
  for (let i = 0; i < 20; i += 1) await (await fetch(origin, { method: 'POST', body: '{}' })).text();
}

const sequences = ({ received }: Receiver): number[] =>
  received.map(({ headers }) => Number(headers['watchbell-sequence']));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const idle = async (...nodes: readonly Node[]) => {
  for (const node of nodes) await node.delivery.idle();
};
const attempts = (node: Node): number => node.log.filter(({ message }) => message.startsWith('notification')).length;

describe('nodes on one database', () => {
  test('a node that is alone sends for all channels', async () => {
    const { start, shared } = together();
    const a = await start('a');
    const well = await receiver();
    for (const id of ['1', '2', '3', '4']) await a.open(id, well.origin);
    await a.change(1);
    await a.delivery.idle();
    expect(well.received).toHaveLength(4);
    await shared(a);
  });

  test('each has its part soon, and what either commits is sent once, in order, by whose it is', async () => {
    const { start, shared } = together();
    const a = await start('a');
    const b = await start('b');
    await shared(a, b);
    const [ofA, ofB] = [await receiver(), await receiver()];
    await openFor(a, ofA, a);
    await openFor(a, ofB, b);
    for (let round = 0; round < 20; round += 1) await (round % 2 === 0 ? a : b).change(1);
    await idle(a, b);
    expect(sequences(ofA)).toEqual(upTo(20));
    expect(sequences(ofB)).toEqual(upTo(20));
    expect([attempts(a), attempts(b)]).toEqual([20, 20]);
  });

  test('many commits of both at once about the same records come in order, without a gap or a repeat', async () => {
    const { start, shared } = together();
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    await shared(a, b, c);
    const receivers = await Promise.all([a, b, c].map(() => receiver()));
    for (const [i, owner] of [a, b, c].entries()) await openFor(a, receivers[i]!, owner);
    await Promise.all([a, b, c].flatMap((node) => upTo(40).map((n) => node.change(n % 3))));
    await idle(a, b, c);
    for (const one of receivers) {
      expect(sequences(one).sort((x, y) => x - y)).toEqual(upTo(120));
      for (const record of [0, 1, 2]) {
        const about = one.received
          .filter(({ body }) => Number(body.ids[0]?.slice(-3)) === record)
          .map(({ headers }) => Number(headers['watchbell-sequence']));
        expect(about).toEqual([...about].sort((x, y) => x - y));
      }
    }
  });

  describe('that learn late of what another one committed', () => {
    /** A channel of the node that learns late. */
    async function late() {
      const { start, shared } = together();
      let isHeldUp = false;
      let letGo = (): void => undefined;
      const released = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const a = await start('a');
      const b = await start('b', POLICY, {
        news: (news) => ({
          ...news,
          async look(seen) {
            if (isHeldUp) await released;
            return news.look(seen);
          },
        }),
      });
      await shared(a, b);
      const well = await receiver();
      const channel = await openFor(a, well, b);
      await idle(b);
      isHeldUp = true;
      return { a, b, well, channel, letGo };
    }

    test('send it before what they commit themselves', async () => {
      const { a, b, well, letGo } = await late();
      await a.change(1);
      await b.change(1);
      await well.first(2);
      letGo();
      await idle(b);
      expect(sequences(well)).toEqual([1, 2]);
    });

    test('send it though nothing that they commit themselves is for its channel', async () => {
      const { a, b, well, letGo } = await late();
      await a.change(1);
      await b.open('999', 'http://127.0.0.1:9/elsewhere');
      letGo();
      await idle(b);
      expect(sequences(well)).toEqual([1]);
    });

    test('sign as that one says for an organisation that they did not know before', async () => {
      const { a, b, well, letGo } = await late();
      const org = '9100000' as OrgId;
      await a.store.accounts.addOrg({ id: org, name: 'New', timeZone: 'Asia/Kolkata' }, b.clock.now());
      let generation = 'g-new' as Generation;
      for (let i = 0; !(await ownedBy(b)).includes(bucketOf(generation)); i += 1)
        generation = `g-new-${i}` as Generation;
      await b.open('1', well.origin, { generation }, org);
      await b.changeIn(org, 1);
      await well.first(1);
      await a.signatures.renew({ org }, 0);
      letGo();
      await idle(b);
      await b.changeIn(org, 1);
      await idle(b);
      expect(well.received.map(({ headers }) => 'webhook-signature' in headers)).toEqual([false, true]);
    });

    test('leave a channel as that one made it, though they save others meanwhile', async () => {
      const { a, b, well, channel, letGo } = await late();
      const moved = await receiver();
      await a.open(channel.id, `${moved.origin}/moved`);
      await b.open('999', 'http://127.0.0.1:9/elsewhere');
      letGo();
      await idle(b);
      await b.change(1);
      await idle(b);
      expect([well.received.length, moved.received.length]).toEqual([0, 1]);
    });
  });

  test('organisations that are changed all the time keep no other one from being noticed', async () => {
    const { start, shared, clock } = together();
    const a = await start('a');
    const busy = Array.from({ length: 8 }, (_, i) => `900000${i}` as OrgId);
    let isBusy = false;
    let looks = 0;
    const b = await start('b', POLICY, {
      news: (news) => ({
        ...news,
        async look(seen) {
          const found = await news.look(seen);
          looks += 1;
          return found;
        },
        async numbered(org, ...asked) {
          const found = await news.numbered(org, ...asked);
          if (!isBusy || !busy.includes(org)) return found;
          // It is behind again before what it was behind by is told.
          await a.changeIn(org, 1);
          const before = looks;
          await vi.waitFor(() => expect(looks).toBeGreaterThan(before + 1), { interval: 2 });
          return found;
        },
      }),
    });
    for (const org of busy) {
      await a.store.accounts.addOrg({ id: org, name: 'Busy', timeZone: 'Asia/Kolkata' }, clock.now());
    }
    await shared(a, b);
    const well = await receiver();
    await openFor(a, well, b);
    await idle(a, b);
    isBusy = true;
    for (const org of busy) await a.changeIn(org, 1);
    await a.change(1);
    await well.first(1);
    isBusy = false;
    await idle(b);
  });

  test('numbers that another one gives under a new epoch of the store are told as such', async () => {
    const { start, shared, dataDir } = together();
    const [a, b] = [await start('a'), await start('b')];
    await shared(a, b);
    const well = await receiver();
    const { generation } = await openFor(a, well, b);
    await a.change(1);
    await idle(b);
    // As after a failover that may have lost numbers.
    await change(dataDir, `INSERT INTO meta (name, value) VALUES ('epoch', '{"number":1,"label":"anew"}')`);
    await a.change(1);
    await a.change(2);
    await idle(b);
    expect(
      well.received.map(({ headers }) => [headers['watchbell-generation'], headers['watchbell-sequence']]),
    ).toEqual([
      [generation, '1'],
      [`${generation}-anew`, '1'],
      [`${generation}-anew`, '2'],
    ]);
    expect(attempts(b)).toBe(3);
  });

  test('what is owed by another history is read before anything newer is sent', async () => {
    const { start, shared, dataDir } = together();
    let isHeldUp = false;
    let isAsked = false;
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const b = await start('b', POLICY, {
      between: (store) => ({
        ...store,
        async lanes(org) {
          const found = await store.lanes(org);
          isAsked = isHeldUp;
          if (isHeldUp) await answered;
          return found;
        },
      }),
    });
    await shared(b);
    const well = await receiver();
    const { generation } = await openFor(b, well, b);
    for (const record of [1, 2, 3]) await b.change(record);
    await idle(b);
    isHeldUp = true;
    // As of a moment in which the second was not settled yet and the third not made.
    await change(
      dataDir,
      `BEGIN;
      INSERT INTO owed (org_id, generation, number, change_number, attempts_made)
        SELECT org_id, generation, number, change_number, 0 FROM notification WHERE generation = '${generation}' AND number = 2;
      DELETE FROM notification WHERE generation = '${generation}' AND number = 3;
      DELETE FROM record_change WHERE org_id = '${ORG}' AND number = (SELECT last_change FROM org WHERE id = '${ORG}');
      UPDATE channel SET last_number = 2 WHERE generation = '${generation}';
      UPDATE org SET last_change = last_change - 1 WHERE id = '${ORG}';
      COMMIT`,
    );
    await vi.waitFor(() => expect(isAsked).toBe(true));
    await b.change(3);
    await well.first(4);
    answer();
    await idle(b);
    expect(sequences(well).slice(0, 3)).toEqual([1, 2, 3]);
    expect(sequences(well).slice(3).sort()).toEqual([2, 3]);
  });

  test('a node that stops gives all back, and the other goes on where it was, in order, repeating nothing', async () => {
    const { start, shared } = together();
    const [a, b] = [await start('a'), await start('b')];
    await shared(a, b);
    const answers: ServerResponse[] = [];
    const slow = await receiver((_request, response) => answers.push(response));
    await openFor(a, slow, b);
    await b.change(1);
    await slow.first(1);
    const ended = b.end(10_000);
    await a.change(1);
    // All but what has something in the air is the other's at once.
    await vi.waitFor(async () => expect(await ownedBy(b)).toHaveLength(1));
    expect(slow.received).toHaveLength(1);
    slow.behave(ok);
    answers[0]?.end();
    await ended;
    await shared(a);
    await idle(a);
    expect(sequences(slow)).toEqual([1, 2]);
    expect([attempts(a), attempts(b)]).toEqual([1, 1]);
  });

  test('what an organisation owes is found though it was suspended when that was read, and resumed before it was known', async () => {
    const { start, shared, clock, dataDir } = together();
    let isHeldUp = false;
    let reads = 0;
    let underWay = 0;
    let letGo = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const a = await start('a');
    const b = await start('b', POLICY, {
      between: (store) => ({
        ...store,
        async lanes(...asked) {
          if (!isHeldUp) return store.lanes(...asked);
          underWay += 1;
          await change(dataDir, `UPDATE org SET suspended_at = 1 WHERE id = '${ORG}'`);
          const found = await store.lanes(...asked);
          await change(dataDir, `UPDATE org SET suspended_at = NULL WHERE id = '${ORG}'`);
          underWay -= 1;
          reads += 1;
          return found;
        },
      }),
      news: (news) => ({
        ...news,
        async look(seen) {
          if (isHeldUp) await released;
          return news.look(seen);
        },
      }),
    });
    await shared(a, b);
    const down = await receiver(failing);
    await openFor(a, down, a);
    await a.change(1);
    await down.first(1);
    await vi.waitFor(() => expect(a.delivery.counts().waiting).toBe(1));
    await idle(b);
    isHeldUp = true;
    await a.end();
    await shared(b);
    await vi.waitFor(() => expect([reads > 0, underWay]).toEqual([true, 0]));
    letGo();
    await idle(b);
    down.behave(ok);
    clock.advance(60_000);
    await idle(b);
    expect(sequences(down)).toEqual([1, 1]);
  });

  test('buckets that come one by one are looked through for what is owed together', async () => {
    const { start, shared } = together();
    const a = await start('a');
    let reads = 0;
    let isHeldUp = false;
    let letGo = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const b = await start('b', POLICY, {
      between: (store) => ({
        ...store,
        async lanes(...asked) {
          reads += 1;
          const found = await store.lanes(...asked);
          if (isHeldUp) await released;
          return found;
        },
      }),
    });
    await shared(a, b);
    const answers: ServerResponse[] = [];
    const slow = await receiver((_request, response) => answers.push(response));
    for (let i = 0; i < 5; i += 1) await openFor(a, slow, a);
    await a.change(1);
    await slow.first(5);
    await idle(b);
    isHeldUp = true;
    reads = 0;
    const ended = a.end(10_000);
    const inTheAir = slow.received.map(({ headers }) => String(headers['watchbell-generation']) as Generation);
    for (const answer of answers) {
      answer.end();
      inTheAir.shift();
      const left = new Set(inTheAir.map(bucketOf)).size;
      await vi.waitFor(async () => expect(await ownedBy(b)).toHaveLength(BUCKETS - left));
    }
    await ended;
    slow.behave(ok);
    await b.change(1);
    await slow.first(10);
    letGo();
    await idle(b);
    expect(reads).toBe(2);
    expect(sequences(slow).sort()).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  });

  test('what has an attempt in the air is handed to a node that joins only after it landed and was saved', async () => {
    const { start, shared } = together();
    const a = await start('a');
    const answers: ServerResponse[] = [];
    const slow = await receiver((_request, response) => answers.push(response));
    const channels = [];
    for (let i = 0; i < 16; i += 1) channels.push(await openFor(a, slow, a));
    await a.change(1);
    await slow.first(16);
    const b = await start('b');
    // Buckets without attempts in the air are handed over meanwhile.
    await vi.waitFor(async () => expect((await ownedBy(b)).length).toBeGreaterThan(10));
    const inTheAir = new Set(channels.map(({ generation }) => bucketOf(generation)));
    expect((await ownedBy(b)).filter((bucket) => inTheAir.has(bucket))).toEqual([]);
    await a.change(1);
    slow.behave(ok);
    for (const answer of answers) answer.end();
    await shared(a, b);
    await idle(a, b);
    expect(sequences(slow)).toHaveLength(32);
    expect(attempts(a) + attempts(b)).toBe(32);
    expect(attempts(b)).toBeGreaterThan(0);
  });
});

describe('a node that is cut off from the database', () => {
  test('loses its part when its lease is over; what it sent and could not save comes again, with the same id', async () => {
    const { start, shared } = together();
    const [a, b] = [await start('a', MORTAL), await start('b', MORTAL)];
    await shared(a, b);
    const well = await receiver();
    await openFor(a, well, b);
    await b.delivery.idle();
    b.cutOff(true);
    await a.change(1);
    // It was told of nothing, so the one that takes over sends it.
    await well.first(1);
    await shared(a);
    await idle(a);
    expect(sequences(well)).toEqual([1]);
    b.cutOff(false);
    await shared(a, b);
  });

  test('saves nothing of what landed after others took over', async () => {
    const { start, shared } = together();
    const [a, b] = [await start('a', MORTAL), await start('b', MORTAL)];
    await shared(a, b);
    const answers: ServerResponse[] = [];
    const slow = await receiver((_request, response) => answers.push(response));
    const { generation } = await openFor(a, slow, b);
    await b.change(1);
    await slow.first(1);
    b.cutOff(true);
    await slow.first(2);
    const [first, second] = slow.received;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.headers['watchbell-attempt']).toBe(first?.headers['watchbell-attempt']);
    // The first one's outcome is a failure that comes late; the second one's counts.
    answers[1]?.writeHead(200).end();
    await idle(a);
    answers[0]?.writeHead(500).end();
    await vi.waitFor(() => expect(attempts(b)).toBe(1));
    b.cutOff(false);
    await shared(a, b);
    await idle(a, b);
    const rows = await rowsIn<{ outcome: string }>(
      a.dataDir,
      `SELECT outcome FROM attempt WHERE generation = '${generation}'`,
    );
    expect(rows.map(({ outcome }) => JSON.parse(outcome))).toEqual([{ kind: 'delivered', status: 200 }]);
    expect(sequences(slow)).toEqual([1, 1]);
  });

  test('lets go of a channel as soon as it is told that nothing of it is saved', async () => {
    const { start, shared } = together();
    const [a, b] = [await start('a', MORTAL), await start('b', MORTAL)];
    await shared(a, b);
    const answers: ServerResponse[] = [];
    const slow = await receiver((_request, response) => answers.push(response));
    await openFor(a, slow, b);
    await b.change(1);
    await slow.first(1);
    b.cutOff('leases');
    await slow.first(2);
    answers[0]?.writeHead(500).end();
    await vi.waitFor(() => expect(b.delivery.counts()).toMatchObject({ lanes: 0, unsettled: 0, waiting: 0 }));
    answers[1]?.end();
    await idle(a);
    expect([attempts(a), attempts(b)]).toEqual([1, 1]);
    expect(sequences(slow)).toEqual([1, 1]);
  });

  test('starts no attempt when too little is left of its lease, and goes on when the database answers', async () => {
    const { start } = together();
    const a = await start('a', { ...POLICY, lease: 1000, leftForAttempt: 500, renewEvery: 100 });
    const well = await receiver();
    await a.open('1', well.origin);
    await a.delivery.idle();
    a.cutOff(true);
    a.freeze(600);
    await a.change(1);
    await a.change(2);
    await othersTurns();
    expect(well.received).toEqual([]);
    a.cutOff(false);
    await well.first(2);
  });

  test('starts no attempt when it does not know what others committed, and goes on when it does', async () => {
    const { start } = together();
    const a = await start('a', { ...POLICY, newsAge: 1000 });
    const well = await receiver();
    await a.open('1', well.origin);
    await a.delivery.idle();
    a.cutOff(true);
    a.freeze(1100);
    await a.change(1);
    await othersTurns();
    expect(well.received).toEqual([]);
    a.cutOff(false);
    await well.first(1);
  });
});

describe('a node that stood still beyond its lease', () => {
  test('sends nothing more for what others have taken over, and is a node again', async () => {
    const { start, shared, clock } = together();
    const [a, b] = [await start('a', MORTAL), await start('b', MORTAL)];
    await shared(a, b);
    const down = await receiver(failing);
    await openFor(a, down, b);
    await b.change(1);
    await vi.waitFor(() => expect(b.delivery.counts().waiting).toBe(1));
    b.cutOff(true);
    await shared(a);
    await vi.waitFor(() => expect(a.delivery.counts().waiting).toBe(1));
    b.freeze(60_000);
    // Its retry is due in the turn in which it goes on, before it can ask whose the channel is.
    down.behave(ok);
    clock.advance(5_000);
    await down.first(2);
    b.cutOff(false);
    await shared(a, b);
    await idle(a, b);
    expect(down.received.map(({ headers }) => headers['watchbell-attempt'])).toEqual(['1', '2']);
    expect([attempts(a), attempts(b)]).toEqual([1, 1]);
  });
});

describe('what one node makes of a channel', () => {
  async function waitingFor(owner: 'b') {
    const { start, shared, clock } = together();
    const [a, b] = [await start('a'), await start(owner)];
    await shared(a, b);
    const down = await receiver(failing);
    const channel = await openFor(a, down, b);
    await a.change(1);
    await down.first(1);
    await vi.waitFor(() => expect(b.delivery.counts().waiting).toBe(1));
    return { a, b, clock, down, channel };
  }

  test('deleted: the other stops', async () => {
    const { a, b, clock, down, channel } = await waitingFor('b');
    await a.remove(channel.id);
    await idle(b);
    expect(b.delivery.counts().lanes).toBe(0);
    clock.advance(60_000);
    await idle(b);
    expect(down.received).toHaveLength(1);
  });

  test('deleted, and changes before that are learned of with it: the other stops', async () => {
    const { start, shared, clock } = together();
    let isHeldUp = false;
    let letGo = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const a = await start('a');
    const b = await start('b', POLICY, {
      news: (news) => ({
        ...news,
        async look(seen) {
          if (isHeldUp) await released;
          return news.look(seen);
        },
      }),
    });
    await shared(a, b);
    const down = await receiver(failing);
    const channel = await openFor(a, down, b);
    await a.change(1);
    await down.first(1);
    await vi.waitFor(() => expect(b.delivery.counts().waiting).toBe(1));
    isHeldUp = true;
    await a.change(1);
    await a.remove(channel.id);
    letGo();
    await idle(b);
    expect(b.delivery.counts().lanes).toBe(0);
    clock.advance(60_000);
    await idle(b);
    expect(down.received).toHaveLength(1);
  });

  test('sent elsewhere: the other sends there at once what waits', async () => {
    const { a, b, down, channel } = await waitingFor('b');
    const mended = await receiver();
    await a.open(channel.id, `${mended.origin}/new`);
    await mended.first(1);
    await idle(b);
    expect(mended.received.map(({ target }) => target)).toEqual(['/new']);
    expect(down.received).toHaveLength(1);
  });

  test('suspended and resumed: the other rests, and goes on', async () => {
    const { a, b, clock, down, channel } = await waitingFor('b');
    await a.control.suspend(ORG, channel.generation);
    await idle(b);
    expect(b.delivery.counts().lanes).toBe(0);
    clock.advance(60_000);
    await a.change(2);
    await idle(b);
    expect(down.received).toHaveLength(1);
    down.behave(ok);
    await a.control.resume(ORG, channel.generation, 'backlog');
    await idle(b);
    expect(sequences(down)).toEqual([1, 1, 2]);
  });

  test('suspended, and resumed by its owner: whoever has it next sends', async () => {
    const { start, shared } = together();
    const [a, b] = [await start('a'), await start('b')];
    await shared(a, b);
    const well = await receiver();
    const { generation } = await openFor(a, well, b);
    await a.change(1);
    await idle(a, b);
    await a.control.suspend(ORG, generation);
    await idle(a, b);
    await b.control.resume(ORG, generation, 'backlog');
    await idle(a, b);
    await b.end();
    await shared(a);
    await a.change(1);
    await idle(a);
    expect(sequences(well)).toEqual([1, 2]);
  });

  test('suspended, and resumed while its next owner looks it up: what it owed before is sent first', async () => {
    const { start, shared } = together();
    const a = await start('a');
    const down = await receiver(failing);
    const { generation } = await openFor(a, down, a);
    await a.change(1);
    await down.first(1);
    await vi.waitFor(() => expect(a.delivery.counts().waiting).toBe(1));
    await a.control.suspend(ORG, generation);
    await idle(a);
    await a.end();
    let isAsked = false;
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const b = await start('b', POLICY, {
      between: (store) => ({
        ...store,
        async channel(...asked) {
          const found = await store.channel(...asked);
          isAsked = true;
          await answered;
          return found;
        },
      }),
    });
    await shared(b);
    await idle(b);
    down.behave(ok);
    await b.change(1);
    await vi.waitFor(() => expect(isAsked).toBe(true));
    await b.control.resume(ORG, generation, 'backlog');
    answer();
    await idle(b);
    expect(sequences(down)).toEqual([1, 1, 2]);
  });

  test('signed: the other signs from the next attempt on', async () => {
    const { a, b, clock, down } = await waitingFor('b');
    down.behave(ok);
    await a.signatures.renew({ org: ORG }, 0);
    await idle(b);
    clock.advance(60_000);
    await down.first(2);
    expect(down.received.map(({ headers }) => 'webhook-signature' in headers)).toEqual([false, true]);
  });

  test('no attempt starts while a change of a channel is known of and not read', async () => {
    const { start, shared, clock } = together();
    let isAsked = false;
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let isHeldUp = false;
    const a = await start('a');
    const b = await start('b', POLICY, {
      news: (news) => ({
        ...news,
        async revised(...asked) {
          const found = await news.revised(...asked);
          isAsked = isHeldUp;
          if (isHeldUp) await answered;
          return found;
        },
      }),
    });
    await shared(a, b);
    const [down, ofA] = [await receiver(failing), await receiver()];
    const channel = await openFor(a, down, b);
    await openFor(a, ofA, a);
    await a.change(1);
    await down.first(1);
    await vi.waitFor(() => expect(b.delivery.counts().waiting).toBe(1));
    isHeldUp = true;
    await a.remove(channel.id);
    await vi.waitFor(() => expect(isAsked).toBe(true));
    clock.advance(60_000);
    await a.change(2);
    await ofA.first(2);
    await othersTurns();
    expect(down.received).toHaveLength(1);
    expect(b.delivery.counts().lanes).toBe(1);
    answer();
    await idle(b);
    expect(b.delivery.counts().lanes).toBe(0);
    expect(down.received).toHaveLength(1);
  });

  test('deleted: what the other saved of it before, and is told of late, does not bring it back', async () => {
    const { start, shared } = together();
    let heldUp: Generation | undefined;
    let isAsked = false;
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const a = await start('a');
    const b = await start('b', POLICY, {
      between: (store) => ({
        ...store,
        async channel(org, generation) {
          const found = await store.channel(org, generation);
          if (generation !== heldUp) return found;
          isAsked = true;
          await answered;
          return found;
        },
      }),
    });
    await shared(a, b);
    const [down, well] = [await receiver(failing), await receiver()];
    const [gone, other] = [await openFor(a, down, b), await openFor(a, well, b)];
    await a.change(1);
    await idle(b);
    heldUp = other.generation;
    const { committed } = b.delivery;
    const tellings: (() => void)[] = [];
    Object.assign(b.delivery, {
      committed: (...told: Parameters<typeof committed>) => void tellings.push(() => committed(...told)),
    });
    await b.open(gone.id, `${down.origin}/moved`);
    await a.remove(gone.id);
    await a.open(other.id, `${well.origin}/moved`);
    await vi.waitFor(() => expect(isAsked).toBe(true));
    // It may have looked between the two commits, and then has sent to where the channel was moved.
    await vi.waitFor(() => expect(b.delivery.counts().inFlight).toBe(0));
    const before = down.received.length;
    for (const tell of tellings) tell();
    answer();
    await idle(b);
    expect(b.delivery.counts().lanes).toBe(0);
    expect(down.received).toHaveLength(before);
  });
});
