import { ApiError, createAdmin } from '@watchbell/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand, temporaryDirectory } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

const ORG = '3652397';
const OWNER = '3652397000000186017';

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

const admin = () => createAdmin({ base: server.base, adminToken: 'dev-admin' });

/** Runs with the server's credentials file; the object that it printed. */
async function run(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { code, stdout, stderr } = await runCommand([...args, '--json', '--data-dir', server.dataDir]);
  expect({ args, code, stderr }).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

test('without --org the only organisation is meant, and with two of them one must be named', async () => {
  expect(await run('users', 'list')).toMatchObject({ items: [{ id: OWNER, status: 'active' }] });
  const made = await run('orgs', 'add', '--name', 'Zylker', '--email', 'ada@example.com', '--last-name', 'Lovelace');
  const { code, stderr } = await runCommand(['users', 'list', '--data-dir', server.dataDir]);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('name one with --org') });
  const own = ['--base', server.base, '--admin-token', String(made.admin_token)];
  const { stdout } = await runCommand(['orgs', 'list', '--json', ...own]);
  expect(JSON.parse(stdout).items).toEqual([
    { id: made.org, name: 'Zylker', time_zone: 'UTC', state: 'active', suspended_at: null },
  ]);
  expect(await run('orgs', 'suspend', String(made.org))).toMatchObject({ state: 'suspended' });
  expect(await run('orgs', 'resume', String(made.org))).toMatchObject({ state: 'active' });
  expect(await run('orgs', 'change', String(made.org), '--time-zone', 'Asia/Kolkata')).toMatchObject({
    name: 'Zylker',
    time_zone: 'Asia/Kolkata',
  });
  expect((await runCommand(['orgs', 'erase', String(made.org), ...own])).code).toBe(2);
  expect(await run('orgs', 'erase', String(made.org), '--yes')).toMatchObject({ state: 'erasing' });
});

test('a user, a profile and a client live and end by commands', async () => {
  const org = ['--org', ORG];
  const profile = await run('profiles', 'add', ...org, '--name', 'Support', '--deny', 'Deals,Quotes');
  expect(profile).toMatchObject({ denied_modules: ['Deals', 'Quotes'] });
  const id = String(profile.id);
  const identity = ['--email', 'grace@example.com', '--last-name', 'Hopper', '--profile', id];
  const user = await run('users', 'add', ...org, ...identity);
  expect(user).toMatchObject({ email: 'grace@example.com', first_name: '', profile: { id, name: 'Support' } });
  const client = await run('clients', 'add', ...org, '--name', 'Sync', '--redirect-uri', 'https://a.example/cb');
  expect(client).toMatchObject({ name: 'Sync', redirect_uris: ['https://a.example/cb'] });
  const scope = ['--scope', 'ZohoCRM.modules.READ', '--scope', 'ZohoCRM.notifications.ALL'];
  const grant = await run('clients', 'grant', String(client.id), ...org, '--user', String(user.id), ...scope);
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: String(client.id),
    client_secret: String(client.client_secret),
    code: String(grant.code),
  });
  const answer = await (await fetch(`${server.base}/oauth/v2/token`, { method: 'POST', body: form })).json();
  expect(answer).toMatchObject({ scope: 'ZohoCRM.modules.READ ZohoCRM.notifications.ALL' });
  expect(await run('tokens', 'list', ...org, '--user', String(user.id))).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ kind: 'refresh', client: client.id })]),
  });
  expect(await run('clients', 'rotate', String(client.id), ...org)).toMatchObject({ former_secret_until: null });
  expect(await run('tokens', 'revoke', ...org, '--user', String(user.id))).toEqual({
    tokens_ended: expect.any(Number),
  });
  expect(await run('clients', 'remove', String(client.id), ...org)).toMatchObject({ channels_ended: 0 });
  expect(await run('users', 'change', String(user.id), ...org, '--status', 'inactive')).toMatchObject({
    status: 'inactive',
  });
  expect(await run('users', 'remove', String(user.id), ...org)).toMatchObject({ channels_ended: 0 });
  const refused = await runCommand(['profiles', 'remove', id, ...org, '--data-dir', server.dataDir]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('NO_PERMISSION') });
});

test('signing is switched on, rotated and off by commands, for an organisation and for a channel', async () => {
  const org = ['--org', ORG];
  const off = { signed: false, since: null, former_until: null };
  const secret = expect.stringMatching(/^whsec_.{44}$/);
  await server.client.watch.open([{ channel_id: '77', notify_url: `${server.base}/x`, events: ['Leads.all'] }]);
  const { items } = await admin().channels.list(ORG);
  const channel = String(items.find(({ channel_id }) => channel_id === '77')?.generation);
  for (const of of [org, [...org, '--channel', channel]]) {
    expect(await run('signing', 'show', ...of)).toEqual(off);
    const early = await runCommand(['signing', 'rotate', ...of, '--data-dir', server.dataDir]);
    expect(early).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('not signed yet') });
    expect(await run('signing', 'on', ...of)).toMatchObject({ signed: true, former_until: null, secret });
    const again = await runCommand(['signing', 'on', ...of, '--data-dir', server.dataDir]);
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('signed already') });
    expect(await run('signing', 'rotate', ...of)).toMatchObject({ former_until: expect.stringContaining('T'), secret });
    expect(await run('signing', 'rotate', ...of, '--keep', '0')).toMatchObject({ former_until: null, secret });
    expect(await run('signing', 'show', ...of)).toEqual({ ...off, signed: true, since: expect.stringContaining('T') });
    expect(await run('signing', 'off', ...of)).toEqual({ status: 'ended' });
    expect(await run('signing', 'show', ...of)).toEqual(off);
  }
  await server.client.watch.delete(['77']);
});

test('a channel is listed, shown, suspended and resumed by commands', async () => {
  const org = ['--org', ORG];
  await server.client.watch.open([{ channel_id: '78', notify_url: `${server.base}/x`, events: ['Leads.all'] }]);
  const { items } = (await run('channels', 'list', ...org)) as { items: { channel_id: string; generation: string }[] };
  const generation = String(items.find(({ channel_id }) => channel_id === '78')?.generation);
  expect(await run('channels', 'suspend', generation, ...org)).toMatchObject({
    state: 'suspended',
    suspended_reason: 'operator',
  });
  expect(await run('channels', 'show', generation, ...org)).toMatchObject({ channel_id: '78', state: 'suspended' });
  const wrong = await runCommand(['channels', 'resume', generation, '--mode', 'half', '--data-dir', server.dataDir]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('It must be backlog or skip.') });
  expect(await run('channels', 'resume', generation, ...org)).toMatchObject({ state: 'live', suspended_at: null });
  await run('channels', 'suspend', generation, ...org);
  expect(await run('channels', 'resume', generation, ...org, '--mode', 'skip')).toMatchObject({ state: 'live' });
  await server.client.watch.delete(['78']);
  expect(await run('channels', 'list', '--ended', ...org)).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ generation, state: 'ended', ended_reason: 'deleted' })]),
  });
});

test('what was made of a channel, its settings and a test are had by commands', async () => {
  const org = ['--org', ORG];
  const notify_url = `${server.base}/_watchbell/inbox/cli`;
  await server.client.watch.open([{ channel_id: '79', notify_url, events: ['Leads.all'] }]);
  const { items } = await admin().channels.list(ORG);
  const generation = String(items.find(({ channel_id }) => channel_id === '79')?.generation);
  const none = { concurrency: null, lifecycle_url: null };
  expect(await run('channels', 'settings', generation, ...org)).toEqual(none);
  const lifecycle = ['--lifecycle-url', `${notify_url}?key=hidden`];
  const set = await run('channels', 'settings', generation, ...org, '--concurrency', '3', ...lifecycle);
  expect(set).toEqual({ concurrency: 3, lifecycle_url: notify_url });
  const taken = ['--concurrency', 'none', '--lifecycle-url', 'none'];
  expect(await run('channels', 'settings', generation, ...org, ...taken)).toEqual(none);
  const wrong = await runCommand(['channels', 'settings', generation, '--concurrency', '17', ...org]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('from 1 to 16') });
  expect(await run('channels', 'test', generation, ...org)).toMatchObject({ outcome: 'delivered', status: 200 });
  const newest = await run('channels', 'revisions', generation, ...org, '--limit', '1');
  expect(newest).toMatchObject({ items: [{ kind: 'settings' }], next: expect.any(String) });
  const rest = ['channels', 'revisions', generation, ...org, '--cursor', String(newest.next)];
  expect(await run(...rest)).toMatchObject({ items: [{ kind: 'settings' }, { kind: 'opened' }], next: null });
  const { stdout, stderr } = await runCommand([...rest, '--limit', '1', '--data-dir', server.dataDir]);
  expect(stdout).toMatch(/^version +at +kind +events/);
  expect(stderr).toMatch(/^1 shown; go on with --cursor \S+\n$/);
  await server.client.watch.delete(['79']);
});

test("an owner's own channels are had by the client", async () => {
  const { channels, channel, watch } = server.client;
  const notify_url = `${server.base}/_watchbell/inbox/own`;
  await watch.open([{ channel_id: '80', notify_url, events: ['Leads.all'] }]);
  const [listed] = (await channels.list({ perPage: 1 })).items;
  const own = channel('80');
  expect(listed).toMatchObject({ channel_id: '80', state: 'live', events: expect.arrayContaining(['Leads.create']) });
  expect(await own.show()).toEqual({ ...listed, expires_in_seconds: expect.any(Number), lapses: [] });
  expect(await own.changeSettings({ concurrency: 4 })).toEqual({ concurrency: 4, lifecycle_url: null });
  expect(await own.settings()).toEqual({ concurrency: 4, lifecycle_url: null });
  const { secret } = await own.signing.renew(0);
  expect(secret).toMatch(/^whsec_/);
  expect(await own.signing.show()).toMatchObject({ signed: true });
  await own.signing.end();
  expect(await own.suspend()).toMatchObject({ state: 'suspended' });
  expect(await own.test()).toMatchObject({ outcome: 'delivered' });
  expect(await own.resume('skip')).toMatchObject({ state: 'live' });
  const page = await own.revisions({ limit: 2 });
  expect(page.items.map(({ kind }) => kind)).toEqual(['resumed', 'suspended']);
  expect((await own.revisions({ cursor: String(page.next) })).items.at(-1)?.kind).toBe('opened');
  await watch.delete(['80']);
  await expect(own.show()).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
  expect(await channel('80', listed?.generation).show()).toMatchObject({ state: 'ended' });
  expect((await channels.list({ ended: true })).items.map(({ channel_id }) => channel_id)).toContain('80');
});

test('what is missing is said: the credentials, the server, the thing that is named', async () => {
  const nowhere = await runCommand(['orgs', 'list', '--data-dir', temporaryDirectory()]);
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('--admin-token') });
  const misspelt = await runCommand(['orgs', 'list', '--base', 'localhost:8686', '--admin-token', 'dev-admin']);
  expect(misspelt).toMatchObject({ code: 1, stderr: expect.stringContaining('"localhost:8686" is not the base') });
  expect(misspelt.stderr.trim().split('\n')).toHaveLength(1);
  const absent = await runCommand(['users', 'show', '3652397000000000001', '--org', ORG, '--data-dir', server.dataDir]);
  expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND: There is no such user') });
  const stranger = createAdmin({ base: server.base, adminToken: 'nobody' });
  await expect(stranger.orgs.list()).rejects.toMatchObject({ code: 'INVALID_TOKEN', status: 401 });
});

test('the client lists page by page, and tells refusals with the field', async () => {
  const { items, info } = await admin().tokens.list(ORG, {}, { perPage: 1 });
  expect({ count: items.length, info }).toMatchObject({ count: 1, info: { per_page: 1, more_records: true } });
  const refused = admin().orgs.change(ORG, { time_zone: 'Mars/Olympus' });
  await expect(refused).rejects.toBeInstanceOf(ApiError);
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_DATA', details: { api_name: 'time_zone' } });
  const key = await admin().users.makeSignInKey(ORG, OWNER);
  expect(key).toMatch(/^key\./);
  await admin().users.removeSignInKey(ORG, OWNER);
  expect((await admin().channels.list(ORG)).items).toEqual([]);
});
