import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BUCKETS, bucketOf } from '../../src/domain/bucket.ts';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import type { ClusterStore, Settlement, Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';

const KEY = new Uint8Array(32).fill(7);
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const ORG = '3652397' as OrgId;
const LEASE_MS = 60_000;
const ALL = Array.from({ length: BUCKETS }, (_, bucket) => bucket);

let database: TestDatabase;
let store: Store;
let cluster: ClusterStore;

beforeAll(async () => {
  database = await createDatabase();
  store = await createPostgresStore({ url: database.url, secretKey: KEY, logger: silent, time: 'injected' });
  if (!store.cluster) throw new Error('A store on PostgreSQL is shared');
  cluster = store.cluster;
  await store.accounts.addOrg({ id: ORG, name: 'Sample', timeZone: 'UTC' }, 0);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(() =>
  ask('UPDATE bucket SET node = NULL, epoch = epoch + 1; DELETE FROM node; DELETE FROM owed; DELETE FROM attempt'),
);

const ask = (text: string) => withClient(database.url, (client) => client.query(text));
/** As if so much time had gone by for the node. */
const age = (node: string, ms: number) => ask(`UPDATE node SET lease_until = lease_until - ${ms} WHERE id = '${node}'`);
/** A statement with what it takes to be run, but not what ends its transaction. */
function sendBeginning(client: pg.Client, text: string): void {
  client.query({
    submit(connection: pg.Connection) {
      connection.parse({ text, name: '', types: [] }, true);
      connection.bind({}, true);
      connection.execute({}, true);
      connection.flush();
    },
    handleDataRow() {},
    handleCommandComplete() {},
    handleError() {},
  } as pg.Submittable);
}
/** Resolves when somebody waits for a lock. */
async function waitForLock(): Promise<void> {
  for (;;) {
    const { rows } = await ask(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
    if (rows.length > 0) return;
  }
}
const owners = async (): Promise<(string | undefined)[]> =>
  (await cluster.leases.renew('onlooker', LEASE_MS, true)).buckets.map(({ node }) => node);
const numbers = (buckets: readonly { readonly bucket: number }[]): number[] =>
  buckets.map(({ bucket }) => bucket).sort((a, b) => a - b);

describe('leases', () => {
  test('a node is registered for so long by the time of the database, and sees how all stand', async () => {
    const state = await cluster.leases.renew('a', LEASE_MS, false);
    expect(state.now).toBeGreaterThan(Date.UTC(2026, 0, 1));
    expect(state.nodes).toEqual([{ id: 'a', leaseUntil: expect.any(Number), isLeaving: false }]);
    expect(state.nodes[0]?.leaseUntil).toBeGreaterThan(state.now + LEASE_MS - 1000);
    expect(state.nodes[0]?.leaseUntil).toBeLessThanOrEqual(state.now + LEASE_MS);
    expect(numbers(state.buckets)).toEqual(ALL);
    expect(state.buckets.every(({ node }) => node === undefined)).toBe(true);
  });

  test('what is free is claimed, each time under a higher epoch', async () => {
    await cluster.leases.renew('a', LEASE_MS, false);
    const first = await cluster.leases.claim('a', [3, 5]);
    expect(numbers(first)).toEqual([3, 5]);
    await cluster.leases.release('a', first);
    const again = await cluster.leases.claim('a', [3]);
    expect(again[0]?.epoch).toBeGreaterThan(first.find(({ bucket }) => bucket === 3)?.epoch ?? Infinity);
  });

  test('what another node owns is not claimed before its lease is over', async () => {
    await cluster.leases.renew('a', LEASE_MS, false);
    await cluster.leases.renew('b', LEASE_MS, false);
    await cluster.leases.claim('a', [1, 2]);
    expect(numbers(await cluster.leases.claim('b', [1, 2, 3]))).toEqual([3]);
    await age('a', LEASE_MS + 1);
    expect(numbers(await cluster.leases.claim('b', [1, 2, 3]))).toEqual([1, 2]);
  });

  test('a node whose own lease is over, or that is leaving, or unknown, claims nothing', async () => {
    await cluster.leases.renew('a', LEASE_MS, false);
    await age('a', LEASE_MS + 1);
    expect(await cluster.leases.claim('a', ALL)).toEqual([]);
    await cluster.leases.renew('a', LEASE_MS, true);
    expect(await cluster.leases.claim('a', ALL)).toEqual([]);
    expect(await cluster.leases.claim('b', ALL)).toEqual([]);
  });

  test('buckets are taken over from a node that was cut off while it sent a batch', async () => {
    const options = { url: database.url, secretKey: KEY, logger: silent, time: 'injected' } as const;
    const impatient = await createPostgresStore({ ...options, timeouts: { idleInTransaction: 1000, lock: 100 } });
    onTestFinished(() => impatient.close());
    const { leases } = impatient.cluster ?? cluster;
    const cutOff = new pg.Client({ connectionString: `${database.url}?application_name=watchbell` });
    cutOff.on('error', () => undefined);
    const ended = new Promise<void>((resolve) => cutOff.once('end', resolve));
    await cutOff.connect();
    // The end of the batch never comes.
    sendBeginning(cutOff, 'SELECT pg_advisory_xact_lock_shared(7748327002)');
    await expect.poll(() => ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).toMatchObject({ rowCount: 1 });
    await leases.renew('a', LEASE_MS, false);
    await expect(leases.claim('a', [1])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    const claim = async () => {
      await leases.renew('a', LEASE_MS, false);
      return leases.claim('a', [1]).catch(() => []);
    };
    await expect.poll(claim, { timeout: 20_000 }).toMatchObject([{ bucket: 1, node: 'a' }]);
    await ended;
  });

  test('of nodes that claim at once each bucket goes to one', async () => {
    const nodes = ['a', 'b', 'c', 'd'];
    for (const node of nodes) await cluster.leases.renew(node, LEASE_MS, false);
    const got = await Promise.all(nodes.map((node) => cluster.leases.claim(node, ALL)));
    expect(numbers(got.flat())).toEqual(ALL);
    const told = new Map(got.flat().map(({ bucket, node }) => [bucket, node]));
    expect(await owners()).toEqual(ALL.map((bucket) => told.get(bucket)));
  });

  test('only what is still its own is given back', async () => {
    await cluster.leases.renew('a', LEASE_MS, false);
    const old = await cluster.leases.claim('a', [7]);
    await age('a', LEASE_MS + 1);
    await cluster.leases.renew('b', LEASE_MS, false);
    await cluster.leases.claim('b', [7]);
    await cluster.leases.release('a', old);
    expect((await owners())[7]).toBe('b');
  });

  test('a node that leaves owns nothing and is gone', async () => {
    await cluster.leases.renew('a', LEASE_MS, false);
    await cluster.leases.claim('a', ALL);
    await cluster.leases.leave('a');
    const { nodes, buckets } = await cluster.leases.renew('b', LEASE_MS, false);
    expect(nodes.map(({ id }) => id)).toEqual(['b']);
    expect(buckets.every(({ node }) => node === undefined)).toBe(true);
  });

  test('who renews while another claims is told what that one took', async () => {
    await cluster.leases.renew('a', LEASE_MS, false);
    await cluster.leases.claim('a', [9]);
    await withClient(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT pg_advisory_xact_lock(7748327002)');
      await client.query(`UPDATE bucket SET node = 'b', epoch = epoch + 1 WHERE bucket = 9`);
      const renewal = cluster.leases.renew('a', LEASE_MS, false);
      await Promise.race([waitForLock(), renewal]);
      await client.query('COMMIT');
      expect((await renewal).buckets[9]?.node).toBe('b');
    });
  });

  test('rows of nodes that are long dead are removed', async () => {
    await cluster.leases.renew('a', LEASE_MS, false);
    await age('a', 2 * 3_600_000);
    expect((await cluster.leases.renew('b', LEASE_MS, false)).nodes.map(({ id }) => id)).toEqual(['b']);
  });
});

/** A generation of each bucket. */
const generationIn = (bucket: number): Generation => {
  for (let i = 0; ; i += 1) if (bucketOf(`g${i}` as Generation) === bucket) return `g${i}` as Generation;
};

function settlement(bucket: number, epoch: number | undefined, number = 1): Settlement {
  return {
    org: ORG,
    generation: generationIn(bucket),
    number,
    attempt: { attempt: 1, at: 1, durationMs: 1, outcome: { kind: 'delivered', status: 200 } },
    state: 'delivered',
    ...(epoch !== undefined && { epoch }),
  };
}
const saved = async (): Promise<string[]> =>
  (await ask('SELECT generation FROM attempt ORDER BY generation')).rows.map(({ generation }) => generation);

describe('outcomes', () => {
  async function ownersOf(node: string, buckets: readonly number[]): Promise<Map<number, number>> {
    await cluster.leases.renew(node, LEASE_MS, false);
    const got = await cluster.leases.claim(node, buckets);
    return new Map(got.map(({ bucket, epoch }) => [bucket, epoch]));
  }

  test('are saved under the lease under which they were made', async () => {
    const epochs = await ownersOf('a', [1, 2]);
    expect(await store.delivery.settle([settlement(1, epochs.get(1)), settlement(2, epochs.get(2))])).toEqual([]);
    expect(await saved()).toEqual([generationIn(1), generationIn(2)].sort());
  });

  test('are refused when another node has taken over, and the others are saved', async () => {
    const epochs = await ownersOf('a', [1, 2, 3]);
    await age('a', LEASE_MS + 1);
    await ownersOf('b', [2]);
    const all = [1, 2, 3].map((bucket) => settlement(bucket, epochs.get(bucket)));
    expect(await store.delivery.settle(all)).toEqual([all[1]]);
    expect(await saved()).toEqual([generationIn(1), generationIn(3)].sort());
  });

  test('are refused when the bucket was given back, and also when it came back', async () => {
    const epochs = await ownersOf('a', [1]);
    await cluster.leases.release('a', [{ bucket: 1, epoch: epochs.get(1) ?? 0 }]);
    const late = settlement(1, epochs.get(1));
    expect(await store.delivery.settle([late])).toEqual([late]);
    await ownersOf('a', [1]);
    expect(await store.delivery.settle([late])).toEqual([late]);
    expect(await saved()).toEqual([]);
  });

  test('are saved or refused as a whole, however close a change of owners comes', async () => {
    for (let round = 0; round < 20; round += 1) {
      const epochs = await ownersOf('a', [4]);
      await age('a', LEASE_MS + 1);
      await cluster.leases.renew('b', LEASE_MS, false);
      const mine = settlement(4, epochs.get(4), round + 1);
      const [refused, taken] = await Promise.all([store.delivery.settle([mine]), cluster.leases.claim('b', [4])]);
      const { rows } = await ask(`SELECT 1 FROM attempt WHERE number = ${round + 1}`);
      expect(rows.length).toBe(refused.length === 0 ? 1 : 0);
      await cluster.leases.release('b', taken);
    }
  });

  test('a change of owners waits for outcomes that are being saved', async () => {
    const epochs = await ownersOf('a', [4]);
    await age('a', LEASE_MS + 1);
    await cluster.leases.renew('b', LEASE_MS, false);
    await withClient(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query(`SELECT hold_leases(ARRAY['4:${epochs.get(4)}'])`);
      const claim = cluster.leases.claim('b', [4]);
      await Promise.race([waitForLock(), claim]);
      expect((await client.query('SELECT node FROM bucket WHERE bucket = 4')).rows).toEqual([{ node: 'a' }]);
      await client.query('COMMIT');
      expect(numbers(await claim)).toEqual([4]);
    });
  });
});

describe('news', () => {
  const save = (text: string) => ask(`UPDATE org SET ${text} WHERE id = '${ORG}'`);

  test('the first look is at all organisations, the next ones at those that were changed since', async () => {
    const first = await cluster.news.look();
    expect(first.isComplete).toBe(true);
    expect(first.orgs.map(({ org }) => org)).toEqual([ORG]);
    const second = await cluster.news.look(first.seen);
    expect(second.isComplete).toBe(false);
    expect(second.orgs).toEqual([]);
    await save('last_change = 5, channel_version = 6');
    expect((await cluster.news.look(second.seen)).orgs).toEqual([
      { org: ORG, lastChange: 5, channelVersion: 6, isSuspended: false, signing: '' },
    ]);
  });

  test('what is committed only after a look is seen by the next, though it was begun before', async () => {
    await withClient(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query(`UPDATE org SET last_change = 70 WHERE id = '${ORG}'`);
      const during = await cluster.news.look((await cluster.news.look()).seen);
      // Others begin and end meanwhile.
      await ask('UPDATE bucket SET epoch = epoch + 1');
      const later = await cluster.news.look(during.seen);
      await client.query('COMMIT');
      expect((await cluster.news.look(later.seen)).orgs).toMatchObject([{ lastChange: 70 }]);
    });
  });

  test('what another server has seen says nothing', async () => {
    const { seen } = await cluster.news.look();
    const other = seen.replace(/ .*/, ' 127.0.0.9 2020-01-01 00:00:00+00');
    const found = await cluster.news.look(other);
    expect(found.isComplete).toBe(true);
    expect(found.orgs).toHaveLength(1);
  });

  test('it is told when an organisation is suspended, and when it signs otherwise', async () => {
    await save(`suspended_at = 1, signing = 'one'`);
    const one = await cluster.news.look();
    expect(one.orgs).toMatchObject([{ isSuspended: true }]);
    await save(`suspended_at = NULL, signing = 'two'`);
    const two = await cluster.news.look();
    expect(two.orgs).toMatchObject([{ isSuspended: false }]);
    expect(two.orgs[0]?.signing).not.toBe(one.orgs[0]?.signing);
    await save('signing = NULL');
    expect((await cluster.news.look()).orgs).toMatchObject([{ signing: '' }]);
  });

  test('it is told whenever a node comes or goes, or an owner changes, and at no renewal', async () => {
    const marks = new Set<string>();
    const look = async () => marks.add((await cluster.news.look()).sharing);
    await look();
    await cluster.leases.renew('a', LEASE_MS, false);
    await look();
    const held = await cluster.leases.claim('a', [1]);
    await look();
    await cluster.leases.renew('a', LEASE_MS, true);
    await look();
    await cluster.leases.release('a', held);
    await look();
    await cluster.leases.leave('a');
    await look();
    expect(marks.size).toBe(6);
    await cluster.leases.renew('b', LEASE_MS, false);
    const { sharing } = await cluster.news.look();
    await cluster.leases.renew('b', LEASE_MS, false);
    expect((await cluster.news.look()).sharing).toBe(sharing);
  });

  test('numbers are read in pieces, the highest of each generation', async () => {
    onTestFinished(async () => {
      await ask('DELETE FROM record_change');
    });
    await ask(`
      INSERT INTO record_change (org_id, number, module, operation, at, changed_by, records, numbered, channel_version)
      SELECT '${ORG}', n, 'Contacts', 'update', 0, '', '[]', '{"g' || n % 2 || '":' || n || '}', 0 FROM generate_series(1, 1500) n`);
    const first = await cluster.news.numbered(ORG, 100, 1500);
    expect(first.through).toBe(1100);
    expect(first.numbers).toEqual(
      new Map([
        ['g0', 1100],
        ['g1', 1099],
      ]),
    );
    const rest = await cluster.news.numbered(ORG, first.through, 1400);
    expect(rest.through).toBe(1400);
    expect(rest.numbers.get('g1' as Generation)).toBe(1399);
    await ask('DELETE FROM record_change WHERE number < 1400');
    expect(await cluster.news.numbered(ORG, 0, 1300)).toEqual({ through: 1300, numbers: new Map() });
  });

  test('revisions are read in their order', async () => {
    onTestFinished(async () => {
      await ask('DELETE FROM channel_revision');
    });
    await ask(`
      INSERT INTO channel_revision (org_id, version, at, kind, generation, snapshot)
      VALUES ('${ORG}', 1, 0, 'opened', 'g1', '{}'), ('${ORG}', 2, 0, 'merged', 'g2', '{}'), ('${ORG}', 3, 0, 'deleted', 'g1', '{}')`);
    expect(await cluster.news.revised(ORG, 1, 3)).toEqual({
      through: 3,
      revisions: [
        { kind: 'merged', generation: 'g2' },
        { kind: 'deleted', generation: 'g1' },
      ],
    });
  });
});

test('a hint reaches the other nodes and not the one that gave it', async () => {
  const other = await createPostgresStore({ url: database.url, secretKey: KEY, logger: silent, time: 'injected' });
  onTestFinished(() => other.close());
  let own = 0;
  cluster.hints.onTold(() => {
    own += 1;
  });
  const told = new Promise<void>((resolve) => other.cluster?.hints.onTold(resolve));
  // The first ones may be given before the other listens.
  const telling = setInterval(() => cluster.hints.tell(), 20);
  await told;
  clearInterval(telling);
  expect(own).toBe(0);
});
