import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { failing, ok } from '../support/receiver.ts';
import { rowsIn } from '../support/test-data.ts';
import { attempts, idle, MORTAL, openFor, othersTurns, POLICY, receiver, sequences, together } from './together.ts';

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
