import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_OAUTH_POLICY } from '../../src/domain/oauth/policy.ts';
import { ALL_SCOPES, DEV_CREDENTIALS } from '../../src/services/accounts.ts';
import { type HttpFixture, type HttpFixtureOptions, openHttp } from '../support/http.ts';

const BACK = 'https://app.example.com/back?keep=1';
const PRODUCTION: HttpFixtureOptions = { oauth: DEFAULT_OAUTH_POLICY, withoutSignIn: true };

let http: HttpFixture;
let base: string;
let client: { readonly id: string; readonly secret: string };

/** A server on a real port, with a client that has registered one address. */
async function open(options: HttpFixtureOptions = {}, name = 'Invoice App'): Promise<void> {
  http = await openHttp(options);
  await http.app.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(http.app.server.address() as AddressInfo).port}`;
  const made = await http.auth.clients.add(http.principal.org.id, { name, redirectUris: [BACK] });
  client = { id: made.client.id, secret: made.clientSecret };
}
afterEach(() => http.close());

type Parameters = Readonly<Record<string, string | undefined>>;

function authUrl(change: Parameters = {}): string {
  const parameters: Parameters = {
    scope: 'ZohoCRM.modules.Contacts.READ,ZohoCRM.notifications.ALL',
    client_id: client.id,
    response_type: 'code',
    access_type: 'offline',
    redirect_uri: BACK,
    prompt: 'consent',
    state: 'a&b <i>',
    ...change,
  };
  const url = new URL(`${base}/oauth/v2/auth`);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

interface Form {
  readonly url: string;
  readonly csrf: string;
  readonly cookie: string;
  readonly text: string;
}

const show = (url: string, headers: Record<string, string> = {}) => fetch(url, { redirect: 'manual', headers });

async function openForm(url = authUrl()): Promise<Form> {
  const response = await show(url);
  const text = await response.text();
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const csrf = /name="csrf" value="([0-9a-f]{64})"/.exec(text)?.[1] ?? '';
  return { url, csrf, cookie: (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '', text };
}

const send = (form: Form, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(form.url, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: form.cookie, ...headers },
    body: new URLSearchParams({ csrf: form.csrf, ...fields }),
  });

/** Where an answer sends the browser, with its parameters. */
function target(response: Response): { readonly to: string; readonly said: Readonly<Record<string, string>> } {
  const url = new URL(response.headers.get('location') ?? 'about:blank');
  return { to: `${url.origin}${url.pathname}`, said: Object.fromEntries(url.searchParams) };
}

async function token(fields: Record<string, string>): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({ client_id: client.id, client_secret: client.secret, ...fields });
  const response = await fetch(`${base}/oauth/v2/token`, { method: 'POST', body });
  return (await response.json()) as Record<string, unknown>;
}

const redeem = (code: string) => token({ grant_type: 'authorization_code', code, redirect_uri: BACK });

describe('in the dev profile', () => {
  beforeEach(() => open());

  test('the page says who asks for what, and that the sample user is signed in', async () => {
    const { text } = await openForm();
    expect(text).toContain('Allow “Invoice App” to use Watchbell Sample?');
    expect(text).toContain('See records of Contacts');
    expect(text).toContain('See, add, change and delete notifications about your records');
    expect(text).toContain('<code>https://app.example.com</code>');
    expect(text).toContain('signed in as its sample user, Patricia Boyle (patricia@example.com)');
    expect(text).not.toContain('type="password"');
  });

  test('a person who allows goes back with a code that gives both tokens', async () => {
    const answer = await send(await openForm(), { decision: 'allow' });
    expect(answer.status).toBe(303);
    const { to, said } = target(answer);
    expect(to).toBe('https://app.example.com/back');
    expect(said).toEqual({
      keep: '1',
      code: expect.stringMatching(/^1000\.[0-9a-f]{32}\.[0-9a-f]{32}$/),
      location: 'us',
      'accounts-server': 'http://127.0.0.1:8686',
      state: 'a&b <i>',
    });
    expect(await redeem(said.code ?? '')).toMatchObject({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      scope: 'ZohoCRM.modules.Contacts.READ ZohoCRM.notifications.ALL',
    });
    expect(await redeem(said.code ?? '')).toEqual({ error: 'invalid_code' });
  });

  test.each(['online', undefined])('access_type %s gives no refresh token', async (access_type) => {
    const { said } = target(await send(await openForm(authUrl({ access_type })), { decision: 'allow' }));
    const answer = await redeem(said.code ?? '');
    expect(answer).toMatchObject({ access_token: expect.any(String), expires_in: 3600 });
    expect(answer).not.toHaveProperty('refresh_token');
  });

  test('a code is good for the address it was made for and no other', async () => {
    const { said } = target(await send(await openForm(), { decision: 'allow' }));
    const code = { grant_type: 'authorization_code', code: said.code ?? '' };
    expect(await token(code)).toEqual({ error: 'invalid_redirect_uri' });
    expect(await token({ ...code, redirect_uri: 'https://app.example.com/back' })).toEqual({
      error: 'invalid_redirect_uri',
    });
  });

  test('a person who denies goes back with that', async () => {
    const answer = await send(await openForm(), { decision: 'deny' });
    expect(answer.status).toBe(303);
    expect(target(answer).said).toEqual({
      keep: '1',
      error: 'access_denied',
      error_description: expect.any(String),
      state: 'a&b <i>',
    });
  });

  test('any http address on this machine will do', async () => {
    const url = authUrl({ redirect_uri: 'http://localhost:4567/cb', client_id: DEV_CREDENTIALS.clientId });
    expect(target(await send(await openForm(url), { decision: 'allow' })).to).toBe('http://localhost:4567/cb');
    expect((await show(authUrl({ redirect_uri: 'http://app.example.com/cb' }))).status).toBe(400);
  });

  test('an answer without a state goes back without one', async () => {
    const { said } = target(await send(await openForm(authUrl({ state: undefined })), { decision: 'allow' }));
    expect(said).not.toHaveProperty('state');
  });

  test('a form without an answer is refused', async () => {
    expect((await send(await openForm(), {})).status).toBe(400);
  });

  test('nothing of the page can be framed, stored, or run', async () => {
    const { headers } = await show(authUrl());
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; form-action 'self' https:\/\/app\.example\.com; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toContain('no-store');
    expect(headers.get('set-cookie')).toMatch(/^watchbell-consent=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Strict; /);
  });

  test.each(['PUT', 'PATCH', 'DELETE'])('%s is no way to ask', async (method) => {
    const response = await fetch(authUrl(), { method });
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'INVALID_REQUEST_METHOD' }]);
  });
});

describe('what the application got wrong', () => {
  beforeEach(() => open());

  const shown: readonly [string, Parameters, string][] = [
    ['no client', { client_id: undefined }, 'client_id is missing or wrong'],
    ['an unknown client', { client_id: '1000.NONE' }, 'client_id is missing or wrong'],
    ['no address', { redirect_uri: undefined }, 'redirect_uri is missing or wrong'],
    ['another address', { redirect_uri: 'https://evil.example.com/' }, 'redirect_uri is missing or wrong'],
    ['more than the address', { redirect_uri: `${BACK}&x=1` }, 'redirect_uri is missing or wrong'],
    ['less than the address', { redirect_uri: 'https://app.example.com/back' }, 'redirect_uri is missing or wrong'],
    ['a script for an address', { redirect_uri: 'javascript:alert(1)' }, 'redirect_uri is missing or wrong'],
    ['too long a state', { state: 'x'.repeat(2049) }, 'a state that is too long'],
  ];

  test.each(shown)('%s is shown, and nobody is sent on', async (_what, change, message) => {
    const response = await show(authUrl(change));
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(await response.text()).toContain(message);
    const form = { ...(await openForm()), url: authUrl(change) };
    expect((await send(form, { decision: 'allow' })).headers.get('location')).toBeNull();
  });

  const returned: readonly [string, Parameters, string, string][] = [
    ['no scope', { scope: undefined }, 'invalid_scope', 'scope is missing'],
    ['a bad scope', { scope: 'ZohoCRM.org.READ,x' }, 'invalid_scope', 'x is no scope'],
    ['no response type', { response_type: undefined }, 'unsupported_response_type', 'response_type must be code'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type', 'response_type must be code'],
    ['another access type', { access_type: 'x' }, 'invalid_request', 'access_type must be online or offline'],
  ];

  test.each(returned)('%s is told to the application', async (_what, change, error, error_description) => {
    const response = await show(authUrl(change));
    expect(response.status).toBe(302);
    expect(target(response).said).toEqual({ keep: '1', error, error_description, state: 'a&b <i>' });
  });
});

describe('a form counts only', () => {
  beforeEach(() => open());

  const forged: readonly [string, (form: Form, other: Form) => { form: Form; headers?: Record<string, string> }][] = [
    ['with its token', (form) => ({ form: { ...form, csrf: '' } })],
    ['with the right token', (form) => ({ form: { ...form, csrf: 'f'.repeat(64) } })],
    ['with its cookie', (form) => ({ form: { ...form, cookie: '' } })],
    ['with a cookie of ours', (form) => ({ form: { ...form, cookie: 'watchbell-consent=x' } })],
    ['in the browser it was shown in', (form, other) => ({ form: { ...form, cookie: other.cookie } })],
    ['for the request it was shown for', (form) => ({ form: { ...form, url: authUrl({ scope: 'ZohoCRM.org.ALL' }) } })],
    ['from our own page', (form) => ({ form, headers: { 'sec-fetch-site': 'cross-site' } })],
    ['from our own port', (form) => ({ form, headers: { 'sec-fetch-site': 'same-site' } })],
  ];

  test.each(forged)('%s', async (_what, forge) => {
    const { form, headers = {} } = forge(await openForm(), await openForm());
    for (const decision of ['allow', 'deny']) {
      const answer = await send(form, { decision }, headers);
      expect([answer.status, answer.headers.get('location')]).toEqual([403, null]);
      expect(await answer.text()).toContain('out of date');
    }
    const { tokens } = await http.auth.issued.list(http.principal.org.id, { clientId: client.id }, 1, 10);
    expect(tokens).toEqual([]);
  });

  test('once it was shown, also after a restart and beside another form of the same browser', async () => {
    const first = await openForm();
    const second = await show(authUrl({ state: '2' }), { cookie: first.cookie });
    expect(second.headers.get('set-cookie')).toContain(first.cookie);
    expect((await send(first, { decision: 'allow' }, { 'sec-fetch-site': 'same-origin' })).status).toBe(303);
    http = await http.restart();
    await http.app.listen({ host: '127.0.0.1', port: 0 });
    const moved = `http://127.0.0.1:${(http.app.server.address() as AddressInfo).port}`;
    expect((await send({ ...first, url: first.url.replace(base, moved) }, { decision: 'allow' })).status).toBe(303);
  });
});

describe('with a sign-in key', () => {
  beforeEach(() => open(PRODUCTION));

  const issueKey = () => http.auth.signInKeys.issue(http.principal.org.id, http.principal.user.id);

  test('a person proves who they are', async () => {
    const key = await issueKey();
    const form = await openForm();
    expect(form.text).toContain('<label for="key">Your sign-in key</label>');
    expect(form.text).not.toContain('Patricia');
    const { said } = target(await send(form, { decision: 'allow', key }));
    const { access_token } = await redeem(said.code ?? '');
    expect((await http.auth.authenticate(`Bearer ${access_token}`)).user.id).toBe(http.principal.user.id);
  });

  test.each(['', 'key.x', 'x'.repeat(5000), DEV_CREDENTIALS.refreshToken, DEV_CREDENTIALS.adminToken])(
    'that is none (%.20s) a person can try again',
    async (key) => {
      const answer = await send(await openForm(), { decision: 'allow', key });
      expect([answer.status, answer.headers.get('location')]).toEqual([403, null]);
      const text = await answer.text();
      expect(text).toContain('This sign-in key is not known.');
      if (key !== '') expect(text).not.toContain(key);
    },
  );

  test('only the newest key of a user counts, and none once it was revoked', async () => {
    const { id: org } = http.principal.org;
    const old = await issueKey();
    const key = await issueKey();
    const form = await openForm();
    expect((await send(form, { decision: 'allow', key: old })).status).toBe(403);
    expect((await send(form, { decision: 'allow', key })).status).toBe(303);
    expect(await http.auth.signInKeys.revoke(org, http.principal.user.id)).toBe(true);
    expect(await http.auth.signInKeys.revoke(org, http.principal.user.id)).toBe(false);
    expect((await send(form, { decision: 'allow', key })).status).toBe(403);
  });

  test('nobody of another organisation is let in', async () => {
    const stranger = await http.accounts.setup({
      orgName: 'Elsewhere',
      timeZone: 'UTC',
      email: 'stranger@example.com',
      firstName: '',
      lastName: 'Stranger',
      clientName: 'Test',
    });
    const operator = await http.auth.operator(stranger.adminToken);
    const org = operator?.orgId ?? http.principal.org.id;
    expect(org).not.toBe(http.principal.org.id);
    const { members } = await http.store.accounts.listMembers(org, 1, 1);
    const key = await http.auth.signInKeys.issue(org, members[0]?.user.id ?? http.principal.user.id);
    expect((await send(await openForm(), { decision: 'allow', key })).status).toBe(403);
  });

  test('too many wrong ones are answered 429, also when they race, until the first is out of the window', async () => {
    const key = await issueKey();
    const form = await openForm();
    const wrong = await Promise.all(Array.from({ length: 15 }, () => send(form, { decision: 'allow', key: 'key.x' })));
    expect(wrong.map(({ status }) => status).toSorted()).toEqual([...Array(10).fill(403), ...Array(5).fill(429)]);
    const limited = await send(form, { decision: 'allow', key });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '600']);
    expect(await limited.text()).toContain('Try again in 10 minutes');
    http.time.now += 599_999;
    expect((await send(form, { decision: 'allow', key })).status).toBe(429);
    http.time.now += 1;
    expect((await send(form, { decision: 'allow', key })).status).toBe(303);
  });

  test('a good one forgives the wrong ones before it', async () => {
    const key = await issueKey();
    const form = await openForm();
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 9; i += 1) await send(form, { decision: 'allow', key: 'key.x' });
      expect((await send(form, { decision: 'allow', key })).status).toBe(303);
    }
  });

  test('more codes than the limit are told to the application', async () => {
    const key = await issueKey();
    const form = await openForm();
    for (let i = 0; i < 10; i += 1)
      expect(target(await send(form, { decision: 'allow', key })).said.code).toBeDefined();
    const { said } = target(await send(form, { decision: 'allow', key }));
    expect(said).toMatchObject({ error: 'temporarily_unavailable', state: 'a&b <i>' });
  });

  test('no address on this machine will do that is not registered', async () => {
    expect((await show(authUrl({ redirect_uri: 'http://localhost:4567/cb' }))).status).toBe(400);
  });
});

test('names and scopes cannot break out of the page', async () => {
  const name = `<script>alert(1)</script>"'&`;
  await open({}, name);
  const { text } = await openForm(authUrl({ scope: 'ZohoCRM.modules.READ' }));
  expect(text).not.toContain('<script');
  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;');
  const { said } = target(await show(authUrl({ scope: '"><script>alert(1)</script>' })));
  expect(said.error).toBe('invalid_scope');
});

test('neither keys nor codes nor form tokens are logged', async () => {
  await open(PRODUCTION);
  const key = await http.auth.signInKeys.issue(http.principal.org.id, http.principal.user.id);
  const form = await openForm();
  const { said } = target(await send(form, { decision: 'allow', key }));
  await redeem(said.code ?? '');
  const log = JSON.stringify(http.log);
  for (const secret of [key, said.code ?? '', form.csrf, form.cookie, client.secret, 'a%26b']) {
    expect(log).not.toContain(secret);
  }
});

test('every scope is said in words', async () => {
  await open();
  const foreign = ['ZohoFiles.files.READ', 'ZohoCRM.constructor.READ', 'ZohoCRM.bulk.Leads.CREATE'];
  const { text } = await openForm(authUrl({ scope: [...ALL_SCOPES, ...foreign].join(',') }));
  for (const words of [
    'records of every module',
    'the settings of your organization',
    'the users of your organization',
    'Nothing here: it belongs to another service',
    'See what “constructor” covers, which this server does not have',
    'Add “bulk” of Leads, which this server does not have',
  ]) {
    expect(text).toContain(words);
  }
});
