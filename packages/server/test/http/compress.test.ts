import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseEncoding } from '../../src/http/compress.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';

let http: HttpFixture;
let authorization: string;

beforeAll(async () => {
  http = await openHttp({
    extend: (app) => {
      app.get('/cookie', async (_request, reply) => reply.header('set-cookie', 'a=b').send('x'.repeat(5000)));
    },
  });
  authorization = `Zoho-oauthtoken ${await http.signIn()}`;
});
afterAll(() => http.close());

const get = (url: string, encoding?: string) =>
  http.app.inject({ url, headers: { authorization, ...(encoding && { 'accept-encoding': encoding }) } });

const LONG = '/crm/v8/settings/modules';

describe('an answer', () => {
  const decoders = { br: brotliDecompressSync, gzip: gunzipSync } as const;

  test.each(['br', 'gzip'] as const)('is sent as %s to a caller that reads it, and is the same', async (encoding) => {
    const plain = await get(LONG);
    const packed = await get(LONG, encoding);
    expect(packed.headers).toMatchObject({
      'content-encoding': encoding,
      'content-length': String(packed.rawPayload.length),
      'content-type': 'application/json;charset=UTF-8',
      vary: 'accept-encoding',
    });
    expect(packed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 4);
    expect(decoders[encoding](packed.rawPayload).toString()).toBe(plain.body);
  });

  test('goes plain to a caller that reads neither, and says that it could be otherwise', async () => {
    for (const encoding of [undefined, 'deflate', 'identity', 'gzip;q=0']) {
      const { headers } = await get(LONG, encoding);
      expect([headers['content-encoding'], headers.vary]).toEqual([undefined, 'accept-encoding']);
    }
  });

  test('goes plain when it is short, or empty', async () => {
    for (const url of ['/healthz', '/crm/v8/Leads', '/nothing']) {
      expect((await get(url, 'gzip, br')).headers['content-encoding']).toBeUndefined();
    }
  });

  test('with a secret in a cookie goes plain, since its length would tell of it', async () => {
    expect((await get('/cookie', 'gzip, br')).headers['content-encoding']).toBeUndefined();
  });

  test('that refuses is compressed like others', async () => {
    const answer = await get(`/crm/v8/users?type=${'x'.repeat(10)}`, 'br');
    expect(answer.statusCode).toBe(400);
  });

  test('is whole for many callers at once', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(LONG, 'gzip')));
    const texts = answers.map(({ headers, rawPayload }) =>
      headers['content-encoding'] === 'gzip' ? gunzipSync(rawPayload).toString() : rawPayload.toString(),
    );
    expect(new Set(texts)).toEqual(new Set([(await get(LONG)).body]));
  });
});

describe('of what a caller reads', () => {
  test.each([
    ['gzip, deflate, br', 'br'],
    ['br;q=0.5, gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['*', 'br'],
    ['*;q=0.1, br;q=0', 'gzip'],
    ['gzip;q=nonsense', undefined],
    ['gzip ; q=0.3 , br ; q=0.2', 'gzip'],
    ['', undefined],
    ['identity', undefined],
  ])('%o gets %s', (accepted, encoding) => {
    expect(chooseEncoding(accepted)).toBe(encoding);
  });
});

describe('a body', () => {
  test.each(['gzip', 'br', 'deflate', 'gzip, identity'])(
    'in %s is refused by the name of its header',
    async (encoding) => {
      const answer = await http.app.inject({
        method: 'POST',
        url: '/crm/v8/Leads',
        headers: { authorization, 'content-encoding': encoding },
        payload: '{}',
      });
      expect([answer.statusCode, answer.json()]).toMatchObject([
        400,
        { code: 'INVALID_DATA', details: { header: 'Content-Encoding' }, status: 'error' },
      ]);
    },
  );

  test('that says it is as it is, is taken', async () => {
    const answer = await http.app.inject({
      method: 'POST',
      url: '/crm/v8/Leads',
      headers: { authorization, 'content-encoding': 'identity' },
      payload: '{"data":[{"Last_Name":"Boyle","Company":"Zylker"}]}',
    });
    expect(answer.statusCode).toBe(201);
  });
});
