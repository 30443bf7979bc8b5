import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import type { Generation } from '../../src/domain/ids.ts';
import { failing, ok } from '../support/receiver.ts';
import { idle, ORG, openFor, othersTurns, POLICY, receiver, sequences, together, upTo } from './together.ts';

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

  test('given another concurrency: the other sends no more at once, or more', async () => {
    const { start, shared } = together();
    const [a, b] = [await start('a'), await start('b')];
    await shared(a, b);
    const held: ServerResponse[] = [];
    const well = await receiver();
    const { generation } = await openFor(a, well, b);
    for (let i = 0; i < 4; i += 1) {
      await a.change(1);
      await idle(b);
    }
    well.behave((_request, response) => void held.push(response));
    await a.control.changeSettings(ORG, generation, { concurrency: 2 });
    await b.delivery.idle();
    for (let record = 1; record <= 6; record += 1) await a.change(record);
    await well.first(6);
    await othersTurns();
    expect(well.received).toHaveLength(6);
    await a.control.changeSettings(ORG, generation, { concurrency: 5 });
    await well.first(9);
    await othersTurns();
    expect(well.received).toHaveLength(9);
    well.behave(ok);
    for (const response of held) response.end();
    await idle(b);
    expect(sequences(well).sort((one, other) => one - other)).toEqual(upTo(10));
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
