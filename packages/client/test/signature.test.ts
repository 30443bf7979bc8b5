import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { SignatureError, sign, type VerifyOptions, verify } from '../src/index.ts';

const NOW = 1_790_000_000_000;
const SECONDS = NOW / 1000;
const secretOf = (byte: number, bytes = 32) => `whsec_${Buffer.alloc(bytes, byte).toString('base64')}`;
const [SECRET, FORMER, OTHER] = [secretOf(1), secretOf(2), secretOf(3)];
const BODY = '{"module":"Contacts","ids":["1"],"token":"Grüße 🔔","n":1.0}';

const headersOf = (signature: string, timestamp: number | string = SECONDS, id = 'msg_1') => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
});

const signed = async (secrets: string | string[], timestamp = SECONDS) =>
  headersOf(await sign({ id: 'msg_1', timestamp, body: BODY }, secrets), timestamp);

/** The code of the refusal; undefined when it is genuine. */
async function refusal(headers: Parameters<typeof verify>[1], options: VerifyOptions = {}, body = BODY) {
  try {
    await verify(body, headers, [SECRET, FORMER], { now: NOW, ...options });
    return undefined;
  } catch (error) {
    if (error instanceof SignatureError) return error.code;
    throw error;
  }
}

test('a signature is the one that Standard Webhooks gives as an example', async () => {
  const content = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  expect(await sign(content, secret)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test.each([24, 32, 64])(
  'what is signed here, the library of receivers takes, with a secret of %i bytes',
  async (bytes) => {
    const secret = secretOf(7, bytes);
    const timestamp = Math.floor(Date.now() / 1000);
    const signature = await sign({ id: 'msg_1', timestamp, body: BODY }, [OTHER, secret]);
    expect(new Webhook(secret).verify(BODY, headersOf(signature, timestamp))).toEqual(JSON.parse(BODY));
    expect(() => new Webhook(secret).verify(`${BODY} `, headersOf(signature, timestamp))).toThrow('signature');
    expect(() => new Webhook(FORMER).verify(BODY, headersOf(signature, timestamp))).toThrow('signature');
  },
);

test.each([24, 32, 64])('what the library signs is genuine here, with a secret of %i bytes', async (bytes) => {
  const secret = secretOf(7, bytes);
  const headers = headersOf(new Webhook(secret).sign('msg_1', new Date(NOW), BODY));
  expect(await verify(BODY, headers, secret, { now: NOW })).toEqual({ id: 'msg_1', timestamp: SECONDS });
  await expect(verify(BODY, headers, OTHER, { now: NOW })).rejects.toMatchObject({ code: 'NO_MATCH' });
});

test('text and its bytes have the same signature', async () => {
  const bytes = Buffer.from(BODY);
  const headers = headersOf(await sign({ id: 'msg_1', timestamp: SECONDS, body: bytes }, SECRET));
  expect(headers).toEqual(await signed(SECRET));
  expect(await verify(bytes, headers, SECRET, { now: NOW })).toMatchObject({ id: 'msg_1' });
});

test('headers are taken from fetch, from node:http and in any letter case', async () => {
  const headers = await signed(SECRET);
  expect(await refusal(new Headers(headers))).toBeUndefined();
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  expect(await refusal({ ...upper, host: 'x', 'set-cookie': ['a', 'b'] })).toBeUndefined();
  expect(await refusal({ ...headers, 'webhook-id': ['msg_1'] })).toBeUndefined();
});

test('a sender and a receiver may each be in the middle of a rotation', async () => {
  expect(await refusal(await signed([OTHER, SECRET]))).toBeUndefined();
  expect(await refusal(await signed([OTHER, FORMER]))).toBeUndefined();
  expect(await refusal(await signed(FORMER))).toBeUndefined();
  expect(await refusal(await signed(OTHER))).toBe('NO_MATCH');
});

test('signatures of other kinds stand beside ours without harm', async () => {
  const { 'webhook-signature': own, ...headers } = await signed(SECRET);
  expect(await refusal({ ...headers, 'webhook-signature': `v1a,abc ${own} v2,x` })).toBeUndefined();
  expect(await refusal({ ...headers, 'webhook-signature': own.replace('v1,', 'v2,') })).toBe('NO_MATCH');
  expect(await refusal({ ...headers, 'webhook-signature': own.replace('v1,', '') })).toBe('NO_MATCH');
});

test.each<[string, (headers: Record<string, string>) => Record<string, string | string[] | undefined>, string]>([
  ['no id', ({ 'webhook-id': _, ...rest }) => rest, 'MISSING_HEADER'],
  ['no timestamp', ({ 'webhook-timestamp': _, ...rest }) => rest, 'MISSING_HEADER'],
  ['no signature', ({ 'webhook-signature': _, ...rest }) => rest, 'MISSING_HEADER'],
  ['an empty signature', (headers) => ({ ...headers, 'webhook-signature': '' }), 'MISSING_HEADER'],
  ['two ids', (headers) => ({ ...headers, 'webhook-id': ['msg_1', 'msg_2'] }), 'MISSING_HEADER'],
  ['two ids that differ in letter case', (headers) => ({ ...headers, 'Webhook-Id': 'msg_1' }), 'MISSING_HEADER'],
  ['another id', (headers) => ({ ...headers, 'webhook-id': 'msg_2' }), 'NO_MATCH'],
  ['another timestamp', (headers) => ({ ...headers, 'webhook-timestamp': String(SECONDS + 1) }), 'NO_MATCH'],
  ['a timestamp written otherwise', (headers) => ({ ...headers, 'webhook-timestamp': `0${SECONDS}` }), 'NO_MATCH'],
  ['a date', (headers) => ({ ...headers, 'webhook-timestamp': '2026-09-21T00:00:00Z' }), 'BAD_TIMESTAMP'],
  ['a negative timestamp', (headers) => ({ ...headers, 'webhook-timestamp': '-1' }), 'BAD_TIMESTAMP'],
  ['a fraction', (headers) => ({ ...headers, 'webhook-timestamp': `${SECONDS}.5` }), 'BAD_TIMESTAMP'],
  ['a signature that is no base64', (headers) => ({ ...headers, 'webhook-signature': 'v1,****' }), 'NO_MATCH'],
  ['a signature cut short', (headers) => ({ ...headers, 'webhook-signature': 'v1,AAAA' }), 'NO_MATCH'],
])('%s is refused', async (_, change, code) => {
  expect(await refusal(change(await signed(SECRET)))).toBe(code);
});

test('a body that is changed in one letter is refused', async () => {
  expect(await refusal(await signed(SECRET), {}, BODY.replace('Contacts', 'contacts'))).toBe('NO_MATCH');
});

test('the timestamp may be five minutes off, either way, or as much as is said', async () => {
  expect(await refusal(await signed(SECRET, SECONDS - 300))).toBeUndefined();
  expect(await refusal(await signed(SECRET, SECONDS - 301))).toBe('TOO_OLD');
  expect(await refusal(await signed(SECRET, SECONDS + 300))).toBeUndefined();
  expect(await refusal(await signed(SECRET, SECONDS + 301))).toBe('TOO_NEW');
  expect(await refusal(await signed(SECRET, SECONDS - 11), { tolerance: 10 })).toBe('TOO_OLD');
  expect(await refusal(await signed(SECRET, SECONDS - 86_400), { tolerance: Infinity })).toBeUndefined();
});

test('without another time given, it is held against the system clock', async () => {
  const headers = await signed(SECRET, Math.floor(Date.now() / 1000));
  expect(await verify(BODY, headers, SECRET)).toMatchObject({ id: 'msg_1' });
  await expect(verify(BODY, await signed(SECRET, SECONDS - 86_400_000), SECRET)).rejects.toMatchObject({
    code: 'TOO_OLD',
  });
});

test.each([
  ['none', []],
  ['one without its prefix', Buffer.alloc(32).toString('base64')],
  ['one too short', secretOf(1, 23)],
  ['one too long', secretOf(1, 65)],
  ['no base64', 'whsec_****'],
  ['one beside a good one', [SECRET, 'whsec_']],
])('a secret that is none is a mistake of the caller: %s', async (_, secrets) => {
  await expect(sign({ id: 'msg_1', timestamp: SECONDS, body: BODY }, secrets)).rejects.toThrow(TypeError);
  await expect(verify(BODY, await signed(SECRET), secrets, { now: NOW })).rejects.toThrow(TypeError);
});

test('a parsed body is a mistake of the caller', async () => {
  const parsed = JSON.parse(BODY) as string;
  await expect(verify(parsed, await signed(SECRET), SECRET, { now: NOW })).rejects.toThrow('not what was parsed');
});
