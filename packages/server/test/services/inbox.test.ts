import { describe, expect, test } from 'vitest';
import { createInbox, type InboxOptions } from '../../src/services/inbox.ts';

const open = (bounds: Partial<InboxOptions>) => createInbox({ realNow: () => 0, ...bounds });
const now = { after: 0, count: 1, waitMs: 0 };
const message = (body: string) => ({ headers: {}, body });

describe('an inbox that is full', () => {
  test('drops the oldest messages of a name and counts them', async () => {
    const inbox = open({ maxMessages: 2 });
    for (const body of ['a', 'b', 'c', 'd']) inbox.put('box', message(body));
    const { messages, dropped } = await inbox.list('box', now);
    expect([messages.map(({ body }) => body), dropped]).toEqual([['c', 'd'], 2]);
  });

  test('drops the oldest messages of all names, by their size', async () => {
    const inbox = open({ maxSize: 10 });
    inbox.put('a', message('12345'));
    inbox.put('b', message('1234'));
    inbox.put('a', message('12345'));
    expect(await inbox.list('a', now)).toMatchObject({ messages: [{ sequence: 3 }], dropped: 1 });
    expect(await inbox.list('b', now)).toMatchObject({ messages: [{ sequence: 2 }], dropped: 0 });
    inbox.put('b', { headers: { name: 'x' }, body: '' });
    expect(await inbox.list('b', now)).toMatchObject({ messages: [{ sequence: 4 }], dropped: 1 });
  });

  test('has room again for what was cleared', async () => {
    const inbox = open({ maxSize: 10 });
    inbox.put('a', message('1234567890'));
    inbox.clear('a');
    inbox.put('b', message('1234567890'));
    expect(await inbox.list('b', now)).toMatchObject({ messages: [{ sequence: 2 }], dropped: 0 });
  });

  test('forgets the name that was written to least recently', async () => {
    const inbox = open({ maxNames: 2 });
    for (const name of ['a', 'b', 'a', 'c']) inbox.put(name, message(name));
    const found = await Promise.all(['a', 'b', 'c'].map((name) => inbox.list(name, now)));
    expect(found.map(({ messages }) => messages.length)).toEqual([2, 0, 1]);
  });

  test('lets only so many wait', async () => {
    const inbox = open({ maxWaiting: 1 });
    const first = inbox.list('a', { ...now, waitMs: 60_000 });
    await expect(inbox.list('a', { ...now, waitMs: 60_000 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    inbox.put('a', message('x'));
    expect((await first).messages).toHaveLength(1);
    const next = inbox.list('b', { ...now, waitMs: 60_000 });
    inbox.close();
    expect((await next).messages).toEqual([]);
  });
});

test('a closed inbox keeps nobody waiting', async () => {
  const inbox = open({});
  inbox.close();
  expect(await inbox.list('a', { ...now, waitMs: 60_000 })).toEqual({ messages: [], dropped: 0 });
});
