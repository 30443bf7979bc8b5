import { afterEach, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.ts';
import type { TrustedProxies } from '../../src/domain/trusted-proxies.ts';
import { readTrust } from '../../src/http/proxies.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';

const OWN = 'http://127.0.0.1:8686';

describe('behind proxies', () => {
  let http: HttpFixture;
  afterEach(() => http.close());

  /** What a token call says of where the server is, and which address the log names. */
  async function ask(
    trustProxy: TrustedProxies,
    headers: Record<string, string>,
    { remoteAddress = '10.0.0.1', isBasePublic = false } = {},
  ) {
    http = await openHttp({ trustProxy, isBasePublic });
    const answer = await http.app.inject({
      method: 'POST',
      url: '/oauth/v2/token?grant_type=refresh_token&client_id=1000.DEV&client_secret=dev-secret&refresh_token=1000.dev.refresh',
      headers: { host: 'localhost:8686', ...headers },
      remoteAddress,
    });
    const address = http.log.filter(({ message }) => message === 'request').at(-1)?.fields.address;
    return [answer.json().api_domain, address];
  }

  const FORWARDED = {
    'x-forwarded-for': '198.51.100.9, 203.0.113.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'Watch.Example.com',
  };

  const cases: readonly [string, TrustedProxies, Record<string, string>, string, string][] = [
    ['nobody is believed by default', 0, FORWARDED, OWN, '10.0.0.1'],
    ['one in a row is believed on the last hop', 1, FORWARDED, 'https://watch.example.com', '203.0.113.7'],
    ['two in a row are believed on the hop before', 2, FORWARDED, 'https://watch.example.com', '198.51.100.9'],
    ['a proxy in a range is believed', ['10.0.0.0/8'], FORWARDED, 'https://watch.example.com', '203.0.113.7'],
    ['a proxy by its address is believed', ['10.0.0.1'], FORWARDED, 'https://watch.example.com', '203.0.113.7'],
    ['a peer outside the range is not believed', ['192.168.0.0/16'], FORWARDED, OWN, '10.0.0.1'],
    [
      'proxies in ranges are passed from the right',
      ['10.0.0.0/8', '203.0.113.0/24'],
      FORWARDED,
      'https://watch.example.com',
      '198.51.100.9',
    ],
    ['a Host alone is never believed', 1, { host: '127.0.0.1:1' }, OWN, '10.0.0.1'],
    [
      'the entry of the nearest proxy counts',
      1,
      { 'x-forwarded-host': 'evil.example, crm.example', 'x-forwarded-proto': 'http, https' },
      'https://crm.example',
      '10.0.0.1',
    ],
    ['a port is kept', 1, { 'x-forwarded-host': 'crm.example:8443' }, 'http://crm.example:8443', '10.0.0.1'],
    ['an IPv6 host is kept', 1, { 'x-forwarded-host': '[2001:db8::1]:80' }, 'http://[2001:db8::1]', '10.0.0.1'],
    ['what is no host is ignored', 1, { 'x-forwarded-host': 'crm.example/path"x' }, OWN, '10.0.0.1'],
    ['a port out of range is ignored', 1, { 'x-forwarded-host': 'crm.example:99999' }, OWN, '10.0.0.1'],
    ['an address with a port is read', 1, { 'x-forwarded-for': '203.0.113.7:4711' }, OWN, '203.0.113.7'],
    ['an IPv6 address with a port is read', 1, { 'x-forwarded-for': '[2001:db8::7]:4711' }, OWN, '2001:db8::7'],
    ['an address that is none is unknown', 1, { 'x-forwarded-for': '"><script>' }, OWN, 'unknown'],
  ];

  test.each(cases)('%s', async (_what, trust, headers, base, address) => {
    expect(await ask(trust, headers)).toEqual([base, address]);
  });

  test('a public URL that was set holds for every caller', async () => {
    expect(await ask(1, FORWARDED, { isBasePublic: true })).toEqual([OWN, '203.0.113.7']);
  });

  test('resource URIs say where the caller reached the server', async () => {
    http = await openHttp({ trustProxy: 1 });
    const answer = await http.app.inject({
      method: 'POST',
      url: '/crm/v8/actions/watch',
      headers: { authorization: `Zoho-oauthtoken ${await http.signIn()}`, ...FORWARDED },
      payload: { watch: [{ channel_id: '1', events: ['Contacts.all'], notify_url: 'https://example.com/' }] },
    });
    expect(answer.json().watch[0].details.events[0].resource_uri).toBe('https://watch.example.com/crm/v8/Contacts');
  });

  test('the dev profile still refuses a foreign Host, whatever a proxy says', async () => {
    http = await openHttp({ trustProxy: 1 });
    const headers = { host: 'watch.example.com', 'x-forwarded-host': 'localhost' };
    expect((await http.app.inject({ url: '/healthz', headers })).statusCode).toBe(403);
  });
});

describe('a range', () => {
  test.each([
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '2001:db8::1', false],
    ['10.0.0.0/8', 'garbage', false],
    ['10.0.0.0/8', undefined, false],
  ])('%s with %s: %s', (range, address, isTrusted) => {
    expect(readTrust([range])(address, 0)).toBe(isTrusted);
  });
});

describe('WATCHBELL_TRUST_PROXY', () => {
  const read = (value: string) => loadConfig('dev', { trustProxy: value }, {}).trustProxy;

  test.each([
    ['', 0],
    ['1', 1],
    ['10', 10],
    ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
  ])('%o is read as %j', (text, trust) => {
    expect(read(text)).toEqual(trust);
  });

  test.each(['0', '11', 'true', '10.0.0.0/33', 'proxy.example', '1,2'])('%s is refused by name', (text) => {
    expect(() => read(text)).toThrow(ConfigError);
    expect(() => read(text)).toThrow(/WATCHBELL_TRUST_PROXY/);
  });
});

describe('limits', () => {
  const KEY = 'ab'.repeat(32);
  const production = { WATCHBELL_PUBLIC_URL: 'https://crm.example', WATCHBELL_SECRET_KEY: KEY };

  test('are off in the dev profile, and on in production', () => {
    expect(loadConfig('dev', {}, {}).rateLimits).toEqual({});
    expect(loadConfig('production', {}, production).rateLimits).toEqual({
      requests: { perSecond: 1000, burst: 1000 },
      concurrent: 100,
      wrongTokens: { perSecond: 1, burst: 60 },
    });
  });

  test('can be turned off, each', () => {
    const off = { rateLimit: '0', maxConcurrentRequests: '0', maxWrongTokens: '0' };
    expect(loadConfig('production', off, production).rateLimits).toEqual({});
  });
});
