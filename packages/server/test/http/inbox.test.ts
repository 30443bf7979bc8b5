import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type HttpFixture, openHttp } from '../support/http.ts';

const ADMIN = { authorization: 'Bearer dev-admin' };

let http: HttpFixture;
beforeEach(async () => {
  http = await openHttp();
});
afterEach(() => http.close());

const send = (payload: string | Buffer, headers: Record<string, string> = {}, name = 'box') =>
  http.app.inject({ method: 'POST', url: `/_watchbell/inbox/${name}`, headers, payload });

async function list(query = '', name = 'box') {
  const answer = await http.app.inject({ url: `/_watchbell/v1/inbox/${name}${query}`, headers: ADMIN });
  return answer.json();
}

const bodies = (listing: { messages: { body: unknown }[] }) => listing.messages.map(({ body }) => body);

describe('what is posted', () => {
  test('is kept with its headers, except for their credentials', async () => {
    const answer = await send('{"module":"Contacts","ids":["3652397000010001001"]}', {
      'content-type': 'application/json;charset=utf-8',
      'webhook-id': 'n1',
      authorization: 'Basic secret',
    });
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'received' }]);
    expect(await list()).toEqual({
      messages: [
        {
          sequence: 1,
          received_at: '2026-01-05T09:00:00.000Z',
          headers: expect.objectContaining({ 'webhook-id': 'n1', authorization: 'redacted' }),
          body: { module: 'Contacts', ids: ['3652397000010001001'] },
        },
      ],
      dropped: 0,
    });
  });

  const kept: readonly [string, string | Buffer, string | undefined, unknown][] = [
    ['text', 'hello', 'text/plain', 'hello'],
    ['nothing', '', undefined, ''],
    ['JSON of any type', '[1,null]', 'application/x-www-form-urlencoded', [1, null]],
    ['broken JSON', '{"a":', 'application/json', '{"a":'],
    ['JSON nested too deep to show', '['.repeat(5000) + ']'.repeat(5000), 'application/json', expect.any(String)],
    ['a body of no media type', 'x', 'nonsense', 'x'],
    ['a key named __proto__', '{"__proto__":1}', undefined, JSON.parse('{"__proto__":1}')],
  ];

  test.each(kept)('may be %s', async (_what, payload, type, shown) => {
    const answer = await send(payload, type === undefined ? {} : { 'content-type': type });
    expect(answer.statusCode).toBe(200);
    expect(bodies(await list())).toEqual([shown]);
  });

  test('must not exceed the limit of bodies', async () => {
    expect((await send('x'.repeat(1_048_577))).statusCode).toBe(413);
    expect(await list()).toEqual({ messages: [], dropped: 0 });
  });

  test('stays apart by name', async () => {
    await send('1', {}, 'a');
    await send('2', {}, 'b');
    expect([bodies(await list('', 'a')), bodies(await list('', 'b')), bodies(await list('', 'c'))]).toEqual([
      [1],
      [2],
      [],
    ]);
  });
});

describe('a listing', () => {
  test('can start after a sequence', async () => {
    for (const body of ['1', '2', '3']) await send(body);
    expect(bodies(await list('?after=1'))).toEqual([2, 3]);
    expect(bodies(await list('?after=3'))).toEqual([]);
  });

  test('can wait for messages that are still to come', async () => {
    await send('1');
    let isAnswered = false;
    const waiting = list('?wait=30&count=2&after=1').finally(() => {
      isAnswered = true;
    });
    await send('2');
    await send('0', {}, 'other');
    expect(isAnswered).toBe(false);
    await send('3');
    expect(bodies(await waiting)).toEqual([2, 3]);
  });

  test('does not wait for what is there', async () => {
    await send('1');
    expect(bodies(await list('?wait=30'))).toEqual([1]);
  });

  test('is answered with what there is when the time is over', async () => {
    await send('1');
    expect(bodies(await list('?wait=1&count=2'))).toEqual([1]);
  });

  const bad: readonly [string, string][] = [
    ['?wait=31', 'wait'],
    ['?wait=-1', 'wait'],
    ['?wait=x', 'wait'],
    ['?count=0', 'count'],
    ['?count=1001', 'count'],
    ['?after=1.5', 'after'],
    ['?waits=1', 'waits'],
  ];

  test.each(bad)('with %s is refused by name', async (query, field) => {
    expect(await list(query)).toMatchObject({ code: 'INVALID_DATA', details: { api_name: field }, status: 'error' });
  });
});

test('clearing empties one name and leaves the numbering', async () => {
  await send('1');
  await send('2', {}, 'other');
  const url = '/_watchbell/v1/inbox/box';
  const answer = await http.app.inject({ method: 'DELETE', url, headers: { ...ADMIN, 'content-length': '0' } });
  expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'cleared' }]);
  await send('3');
  expect((await list()).messages).toMatchObject([{ sequence: 3, body: 3 }]);
  expect(bodies(await list('', 'other'))).toEqual([2]);
});

test.each(['GET', 'DELETE'] as const)('%s is for the operator', async (method) => {
  const url = '/_watchbell/v1/inbox/box';
  const without = await http.app.inject({ method, url });
  const wrong = await http.app.inject({ method, url, headers: { authorization: `Bearer ${await http.signIn()}` } });
  expect([without.statusCode, without.json().code]).toEqual([401, 'AUTHENTICATION_FAILURE']);
  expect([wrong.statusCode, wrong.json().code]).toEqual([401, 'INVALID_TOKEN']);
});

test.each(['a%2Fb', 'a%20b', 'x'.repeat(65), '%01'])('%s is no name', async (name) => {
  expect((await send('1', {}, name)).json()).toMatchObject({ code: 'INVALID_DATA', details: { api_name: 'name' } });
});

test('there is none outside the dev profile', async () => {
  await http.close();
  http = await openHttp({ withoutInbox: true });
  expect((await send('1')).statusCode).toBe(404);
});
