import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { BUCKETS, bucketOf } from '../../src/domain/bucket.ts';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { failing, ok } from '../support/receiver.ts';
import {
  attempts,
  change,
  idle,
  ORG,
  openFor,
  ownedBy,
  POLICY,
  receiver,
  sequences,
  together,
  upTo,
} from './together.ts';

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
      DELETE FROM change_subject WHERE org_id = '${ORG}' AND change_number = (SELECT last_change FROM org WHERE id = '${ORG}');
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
