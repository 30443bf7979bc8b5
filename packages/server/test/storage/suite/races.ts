import { describe, expect, it } from 'vitest';
import type { Generation, ProfileId, UserId } from '../../../src/domain/ids.ts';
import type { User } from '../../../src/domain/org.ts';
import type { Issue, Settlement, Store, StoredToken } from '../../../src/storage/store.ts';
import {
  addOrgs,
  createRecords,
  HOUR,
  markErasing,
  type Open,
  ORG,
  openBatches,
  openChannel,
  PATRICIA,
  START,
} from './sample.ts';

const ROUNDS = 15;
const ALL = Number.MAX_SAFE_INTEGER;
const PROFILE = '3652397000000026011' as ProfileId;

/** What is done at once is done through two stores on the same data, where the engine can open them. */
async function openTwo(open: Open): Promise<readonly [Store, Store]> {
  const { store, second } = await open();
  await addOrgs(store, ORG);
  const stores = [store, (await second?.()) ?? store] as const;
  // All connections are there: what is begun at once is done at once.
  await atOnce(stores, 30, (one) => one.tokens.spend('none', START));
  return stores;
}

/** So many calls at once, of the stores in turn. */
const atOnce = <Result>(
  stores: readonly [Store, Store],
  count: number,
  call: (store: Store, i: number) => Promise<Result>,
): Promise<Result[]> => Promise.all(Array.from({ length: count }, (_, i) => call(stores[i % 2]!, i)));

const token = (hash: string, more: Partial<StoredToken> = {}): StoredToken => ({
  hash,
  kind: 'refresh',
  orgId: ORG,
  userId: PATRICIA,
  clientId: '1000.A',
  scopes: [],
  createdAt: START,
  ...more,
});

const issueOf = (hash: string, source: string, more: Partial<StoredToken> = {}, limits: Omit<Issue, 'token'> = {}) =>
  ({ token: { ...token(hash, { kind: 'access', ...more }), source }, ...limits }) satisfies Issue;

const user = (id: string, email: string, profileId = PROFILE): User => ({
  id: id as UserId,
  email,
  firstName: '',
  lastName: 'B',
  profileId,
});

const client = (id: string) => ({
  id,
  orgId: ORG,
  name: id,
  secretHash: 'x',
  redirectUris: [],
  createdAt: START,
});

export function raceSuite(open: Open): void {
  describe('what is done at once', () => {
    it('spends a grant once', async () => {
      const stores = await openTwo(open);
      for (let round = 0; round < ROUNDS; round += 1) {
        const hash = `grant-${round}`;
        await stores[0].tokens.add(token(hash, { kind: 'grant' }));
        const spent = await atOnce(stores, 8, (store) => store.tokens.spend(hash, START));
        expect(spent.filter(Boolean)).toHaveLength(1);
      }
    });

    it('issues no more tokens than a source may give', async () => {
      const stores = await openTwo(open);
      const limits = { atMost: { count: 5, since: START - 1 } };
      for (let round = 0; round < ROUNDS; round += 1) {
        await stores[0].tokens.add(token(`r-${round}`));
        const answers = await atOnce(stores, 10, (store, i) =>
          store.tokens.issue([issueOf(`access-${round}-${i}`, `r-${round}`, {}, limits)]),
        );
        expect(answers.filter(({ kind }) => kind === 'issued')).toHaveLength(5);
      }
    });

    it('keeps as many tokens of a user as it may have, whatever they are issued from', async () => {
      const stores = await openTwo(open);
      const limits = { keep: { count: 3, of: 'user' } } as const;
      for (let round = 0; round < ROUNDS; round += 1) {
        const sources = Array.from({ length: 6 }, (_, i) => `${round}-${i}`);
        for (const source of sources) await stores[0].tokens.add(token(`g-${source}`, { kind: 'grant' }));
        await atOnce(stores, sources.length, (store, i) => {
          const [source, createdAt] = [sources[i]!, START + 10 * round + i];
          return store.tokens.issue([
            issueOf(`r-${source}`, `g-${source}`, { kind: 'refresh', createdAt }, limits),
            issueOf(`a-${source}`, `r-${source}`),
          ]);
        });
        const { tokens } = await stores[1].tokens.list(ORG, {}, START, 1, 200);
        const left = tokens.filter(({ kind }) => kind === 'refresh').map(({ hash }) => hash);
        expect(left).toHaveLength(3);
        // What the others gave ended with them.
        const given = tokens.filter(({ kind }) => kind === 'access').map(({ source }) => source);
        expect(given.toSorted()).toEqual(left.toSorted());
      }
    });

    it('leaves nothing of a source that was ended while it gave', async () => {
      const [store, other] = await openTwo(open);
      for (let round = 0; round < ROUNDS; round += 1) {
        const source = `r-${round}`;
        await store.tokens.add(token(source));
        await Promise.all([
          ...[1, 2, 3].map((i) => other.tokens.issue([issueOf(`a-${round}-${i}`, source)])),
          store.tokens.remove(source),
          ...[4, 5].map((i) => other.tokens.issue([issueOf(`a-${round}-${i}`, source)])),
        ]);
        expect((await store.tokens.list(ORG, {}, START, 1, 200)).tokens).toEqual([]);
      }
    });

    it('leaves nothing of a user whose tokens were ended while they gave', async () => {
      const [store, other] = await openTwo(open);
      for (let round = 0; round < ROUNDS; round += 1) {
        const source = `r-${round}`;
        await store.tokens.add(token(source));
        await Promise.all([
          ...[1, 2, 3].map((i) => other.tokens.issue([issueOf(`a-${round}-${i}`, source)])),
          store.tokens.removeOf(ORG, { userId: PATRICIA }),
        ]);
        expect((await store.tokens.list(ORG, {}, START, 1, 200)).tokens).toEqual([]);
      }
    });

    it('leaves no token of a client that was removed while it got them', async () => {
      const [store, other] = await openTwo(open);
      for (let round = 0; round < ROUNDS; round += 1) {
        const id = `1000.${round}`;
        await store.clients.add(client(id));
        await store.tokens.add(token(`r-${round}`, { clientId: id }));
        const more = { clientId: id };
        await Promise.all([
          ...[1, 2].map((i) => other.tokens.issue([issueOf(`a-${round}-${i}`, id, more)])),
          ...[3, 4].map((i) => other.tokens.issue([issueOf(`a-${round}-${i}`, `r-${round}`, more)])),
          store.clients.remove(ORG, id),
        ]);
        expect((await store.tokens.list(ORG, { clientId: id }, START, 1, 200)).tokens).toEqual([]);
      }
    });

    it('leaves a user with one sign-in key', async () => {
      const stores = await openTwo(open);
      for (let round = 0; round < ROUNDS; round += 1) {
        await atOnce(stores, 10, (store, i) =>
          store.tokens.replace({ ...token(`key-${round}-${i}`, { kind: 'sign-in' }), userId: PATRICIA }),
        );
        expect((await stores[0].tokens.list(ORG, {}, START, 1, 200)).tokens).toHaveLength(1);
      }
    });

    it('gives an e-mail address to one user', async () => {
      const stores = await openTwo(open);
      for (let round = 0; round < ROUNDS; round += 1) {
        const added = await atOnce(stores, 6, (store, i) =>
          store.administration.addUser(ORG, user(`1${round}0${i}`, `new-${round}@example.com`), START),
        );
        expect(added.filter(Boolean)).toHaveLength(1);
        for (const i of [1, 2]) {
          await stores[0].administration.addUser(ORG, user(`2${round}0${i}`, `${i}-${round}@example.com`), START);
        }
        const changed = await atOnce(stores, 2, (store, i) =>
          store.administration.changeUser(ORG, `2${round}0${i + 1}` as UserId, { email: `same-${round}@example.com` }),
        );
        expect(changed.filter(Boolean)).toHaveLength(1);
      }
    });

    it('gives no user a profile that is removed', async () => {
      const [store, other] = await openTwo(open);
      for (let round = 0; round < ROUNDS; round += 1) {
        const id = `9${round}` as ProfileId;
        await store.accounts.addProfile(ORG, { id, name: 'P', deniedModules: [] });
        const [isRemoved, isAdded, isChanged] = await Promise.all([
          store.administration.removeProfile(ORG, id),
          other.administration.addUser(ORG, user(`3${round}`, `p-${round}@example.com`, id), START),
          other.administration.changeUser(ORG, PATRICIA, { profileId: id }),
        ]);
        expect(isRemoved).toBe(!isAdded && !isChanged);
        await store.administration.changeUser(ORG, PATRICIA, { profileId: PROFILE });
      }
    });

    it('counts each new organisation once', async () => {
      const stores = await openTwo(open);
      const numbers = await atOnce(stores, 30, (store) => store.administration.nextOrg(7));
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => 7 + i));
    });

    it('numbers changes and notifications without a gap, whoever opened the channel', async () => {
      const stores = await openTwo(open);
      const batches = stores.map((store) => openBatches(store));
      const generations: Generation[] = [];
      await atOnce(stores, 60, async (_, i) => {
        const own = batches[i % 2]!;
        if (i % 10 < 2) {
          const { generation } = await own.run(ORG, {}, (set) => openChannel(set, `${i}`));
          generations.push(generation);
        } else await own.run(ORG, {}, (set) => createRecords(set));
      });
      const commits = batches.flatMap((one) => one.commits);
      const changes = commits.flatMap((writes) => writes.changes.map(({ number }) => number));
      expect(changes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 48 }, (_, i) => i + 1));
      const records = commits.flatMap((writes) => [...writes.records.keys()]);
      expect(new Set(records).size).toBe(48);
      for (const generation of generations) {
        const owed = await stores[0].delivery.window(ORG, generation, 1, 1000, ALL);
        expect(owed.map(({ number }) => number)).toEqual(owed.map((_, i) => i + 1));
        // From its opening on it saw every change.
        const seen = owed.map(({ change }) => change.number);
        const [first = 49] = seen;
        expect(seen).toEqual(Array.from({ length: 49 - first }, (_, i) => first + i));
      }
    });

    it('settles or cancels a notification, and leaves nothing owed', async () => {
      const [store, other] = await openTwo(open);
      const batches = openBatches(store);
      for (let round = 0; round < ROUNDS; round += 1) {
        const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, `${round}`));
        await batches.run(ORG, {}, (set) => {
          for (let i = 0; i < 6; i += 1) createRecords(set);
        });
        const settlement = (number: number, state: Settlement['state']): Settlement => ({
          org: ORG,
          generation,
          number,
          attempt: { attempt: 1, at: START, durationMs: 1, outcome: { kind: 'delivered', status: 200 } },
          state,
        });
        const cancellation = { to: 6, reason: 'skipped', at: START + HOUR };
        const [cancelled] = await Promise.all([
          other.housekeeping.cancel(ORG, generation, cancellation, 100),
          store.delivery.settle([5, 3, 1].map((number) => settlement(number, 'delivered'))),
          store.delivery.settle([6, 4, 2].map((number) => settlement(number, 'pending'))),
        ]);
        expect(await other.delivery.window(ORG, generation, 1, 100, ALL)).toEqual([]);
        const kept = await store.housekeeping.notifications(ORG, generation, 0, ALL, 100);
        const states = kept.map(({ state }) => state);
        expect(states).toEqual(['delivered', 'cancelled', 'delivered', 'cancelled', 'delivered', 'cancelled']);
        expect(cancelled).toBeGreaterThanOrEqual(3);
        // What was tried before it was cancelled says so.
        for (const { attempts } of kept) expect([0, 1]).toContain(attempts);
      }
    });

    it('cancels what is owed once', async () => {
      const stores = await openTwo(open);
      const batches = openBatches(stores[0]);
      const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(ORG, {}, (set) => {
        for (let i = 0; i < 40; i += 1) createRecords(set);
      });
      const cancelled = await atOnce(stores, 8, (store) =>
        store.housekeeping.cancel(ORG, generation, { reason: 'deleted', at: START }, 10),
      );
      const total = cancelled.reduce((sum, count) => sum + count, 0);
      const left = await stores[1].delivery.window(ORG, generation, 1, 100, ALL);
      expect(total + left.length).toBe(40);
    });

    it('takes an organisation out completely, however many are at it', async () => {
      const stores = await openTwo(open);
      const batches = openBatches(stores[0]);
      await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      for (let i = 0; i < 12; i += 1) await batches.run(ORG, {}, (set) => createRecords(set, 50));
      await markErasing(batches, ORG);
      const [tables] = await Promise.all([stores[0].erasure.tables(), stores[1].erasure.tables()]);
      const record = tables.find(({ name }) => name === 'record')!;
      const untilNothing = async (store: Store) => {
        for (let rows = -1; rows !== 0; ) rows = await store.erasure.removeSome(ORG, record);
        return store.erasure.removeSome(ORG, record);
      };
      expect(await Promise.all(stores.map(untilNothing))).toEqual([0, 0]);
    });
  });
}
