import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hanging, startReceiver } from '../support/receiver.ts';
import { readCredentials } from '../support/server-process.ts';
import { freePort, type Running, runCommand, startCommand, temporaryDirectory } from './command.ts';
import { signedIn } from './dev-server.ts';

const SETUP = ['setup', '--org', 'Zylker', '--email', 'ada@example.com', '--last-name', 'Lovelace'];

const production = () => ({
  WATCHBELL_DATA_DIR: join(temporaryDirectory(), 'data'),
  WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex'),
  WATCHBELL_PUBLIC_URL: 'https://watchbell.example.com',
  WATCHBELL_HOST: '127.0.0.1',
  WATCHBELL_PORT: '0',
  WATCHBELL_LOG_LEVEL: 'warn',
});

function stopped(running: Running): Running {
  onTestFinished(async () => void (await running.stop('SIGKILL')));
  return running;
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  'dev says as JSON when it is ready, and %s ends it with exit code 0',
  async (signal) => {
    const dataDir = temporaryDirectory();
    const server = stopped(startCommand(['dev', '--port', '0', '--data-dir', dataDir, '--json']));
    const [line = ''] = await server.says(/^\{.*\}$/m);
    const { base, credentials } = JSON.parse(line) as { base: string; credentials: string };
    expect(JSON.parse(readFileSync(credentials, 'utf8'))).toMatchObject({ base, client_id: '1000.DEV' });
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    const { code, stdout } = await server.stop(signal);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${line}\n` });
  },
);

test('a second signal ends it at once, with exit code 1, though a receiver has not answered', async () => {
  const dataDir = temporaryDirectory();
  const receiver = await startReceiver(hanging);
  onTestFinished(() => receiver.close());
  const server = stopped(startCommand(['dev', '--port', '0', '--data-dir', dataDir]));
  await server.says(/ready on/);
  const client = signedIn(readCredentials(dataDir));
  await client.watch.open([{ channel_id: '1', notify_url: receiver.origin, events: ['Leads.create'] }]);
  await client.records.create('Leads', [{ Last_Name: 'Hopper', Company: 'Harbour' }]);
  await receiver.first(1);
  const first = server.stop('SIGINT');
  await server.says(/Stopping/);
  await server.stop('SIGINT');
  expect((await first).code).toBe(1);
});

test('a second server on the same data directory is refused by name, and the first goes on', async () => {
  const dataDir = temporaryDirectory();
  const first = stopped(startCommand(['dev', '--port', '0', '--data-dir', dataDir, '--json']));
  const [line = ''] = await first.says(/^\{.*\}$/m);
  const { code, stderr } = await runCommand(['dev', '--port', '0', '--data-dir', dataDir]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^watchbell: DATA_DIR_IN_USE: .*\n$/);
  const { base } = JSON.parse(line) as { base: string };
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
});

test('a port that is taken is told in one line', async () => {
  const first = stopped(startCommand(['dev', '--port', '0', '--data-dir', temporaryDirectory()]));
  const [, port = ''] = await first.says(/ready on http:\/\/127\.0\.0\.1:(\d+)/);
  const { code, stderr } = await runCommand(['dev', '--port', port, '--data-dir', temporaryDirectory()]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^watchbell: .*EADDRINUSE.*\n$/);
});

test('what setup prints signs in to the production server', async () => {
  const settings = production();
  const { code, stdout, stderr } = await runCommand([...SETUP, '--time-zone', 'Asia/Kolkata', '--json'], settings);
  expect(code).toBe(0);
  expect(stderr).toContain('they are not shown again');
  const made = JSON.parse(stdout) as Record<string, string>;
  expect(Object.keys(made)).toEqual(['base', 'client_id', 'client_secret', 'refresh_token', 'admin_token']);
  expect(made.base).toBe('https://watchbell.example.com');

  const port = await freePort();
  const server = stopped(startCommand(['serve', '--port', String(port)], settings));
  await server.says(/ready on https:\/\/watchbell\.example\.com/);
  const client = signedIn({ ...made, base: `http://127.0.0.1:${port}` });
  expect(await client.org()).toMatchObject({ company_name: 'Zylker' });
  expect((await server.stop('SIGTERM')).code).toBe(0);
});

test('serve does not start without an organisation, and says how to make one', async () => {
  const { code, stdout, stderr } = await runCommand(['serve'], production());
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe('watchbell: NO_ORGANISATION: There is no organisation yet: run "watchbell setup" first\n');
});

test('setup names a field that it refuses, and makes nothing', async () => {
  const { code, stdout, stderr } = await runCommand([...SETUP, '--email', 'nobody'], production());
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('{"api_name":"email"}');
});

test('migrate --check exits 1 while something is pending, migrate applies it, then --check exits 0', async () => {
  const settings = production();
  const before = await runCommand(['migrate', '--check'], settings);
  expect(before).toMatchObject({ code: 1, stdout: 'pending  0001_init\n' });
  expect(await runCommand(['migrate'], settings)).toMatchObject({ code: 0, stdout: 'applied  0001_init\n' });
  const after = await runCommand(['migrate', '--check', '--json'], settings);
  expect({ code: after.code, ...JSON.parse(after.stdout) }).toEqual({ code: 0, applied: ['0001_init'], pending: [] });
});

test('a store is not opened with another key', async () => {
  const settings = production();
  await runCommand(['migrate'], settings);
  const other = { ...settings, WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex') };
  const { code, stderr } = await runCommand(['serve'], other);
  expect(code).toBe(1);
  expect(stderr).toContain('WRONG_SECRET_KEY');
});

const verdicts = (stdout: string) => {
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { check: string; verdict: string }[] };
  return { ok, ...Object.fromEntries(checks.map(({ check, verdict }) => [check, verdict])) };
};

test('doctor finds nothing wrong with a store that no server holds yet', async () => {
  const settings = { ...production(), WATCHBELL_PUBLIC_URL: 'http://127.0.0.1:1' };
  const none = await runCommand(['doctor', '--json'], settings);
  expect(verdicts(none.stdout)).toMatchObject({ ok: true, 'data directory': 'warn', store: 'warn' });
  const deeper = { ...settings, WATCHBELL_DATA_DIR: join(settings.WATCHBELL_DATA_DIR, 'a', 'b') };
  expect(verdicts((await runCommand(['doctor', '--json'], deeper)).stdout)).toMatchObject({ 'data directory': 'warn' });
  await runCommand(['migrate'], settings);
  const { code, stdout } = await runCommand(['doctor', '--json'], settings);
  expect(code).toBe(0);
  expect(verdicts(stdout)).toEqual({
    ok: true,
    node: 'ok',
    configuration: 'ok',
    'data directory': 'ok',
    clock: 'ok',
    server: 'warn',
    store: 'ok',
  });
});

test('doctor sees that a running server is ready', async () => {
  const dataDir = temporaryDirectory();
  await stopped(startCommand(['dev', '--port', '0', '--data-dir', dataDir])).says(/ready on/);
  const { code, stdout } = await runCommand(['doctor', '--dev', '--data-dir', dataDir, '--json']);
  expect(code).toBe(0);
  expect(verdicts(stdout)).toMatchObject({ server: 'ok', store: 'ok' });
});

test('doctor asks a server where it listens, as its public address may not be known here', async () => {
  const port = await freePort();
  const settings = { ...production(), WATCHBELL_HOST: '0.0.0.0', WATCHBELL_PORT: `${port}` };
  await runCommand(SETUP, settings);
  await stopped(startCommand(['serve'], { ...settings, WATCHBELL_PUBLIC_URL: 'http://127.0.0.1:1' })).says(/ready on/);
  const { code, stdout } = await runCommand(['doctor'], { ...settings, WATCHBELL_PUBLIC_URL: 'http://127.0.0.1:1' });
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^ok +server +ready on http://127\\.0\\.0\\.1:${port}$`, 'm'));
});

test('doctor does not take the store for well because some other server answers', async () => {
  const dev = stopped(startCommand(['dev', '--port', '0', '--data-dir', temporaryDirectory(), '--json']));
  const [line = ''] = await dev.says(/^\{.*\}$/m);
  const settings = { ...production(), WATCHBELL_PORT: new URL(JSON.parse(line).base).port };
  await runCommand(['migrate'], settings);
  const other = { ...settings, WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex') };
  const { stdout } = await runCommand(['doctor', '--json'], other);
  expect(verdicts(stdout)).toMatchObject({ ok: false, server: 'ok', store: 'fail' });
});

test('doctor fails on a configuration that lacks something, and on a wrong key', async () => {
  const unset = await runCommand(['doctor']);
  expect(unset).toMatchObject({ code: 1, stderr: '' });
  expect(unset.stdout).toMatch(/^fail +configuration .*WATCHBELL_SECRET_KEY/m);
  const settings = { ...production(), WATCHBELL_PUBLIC_URL: 'http://127.0.0.1:1' };
  await runCommand(['migrate'], settings);
  const other = { ...settings, WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex') };
  const wrong = await runCommand(['doctor', '--json'], other);
  expect(wrong.code).toBe(1);
  expect(verdicts(wrong.stdout)).toMatchObject({ ok: false, store: 'fail' });
});

test('doctor with a new key and the present one as a former one leaves the store as it is', async () => {
  const settings = production();
  await runCommand(['migrate'], settings);
  const key = settings.WATCHBELL_SECRET_KEY;
  const rotating = { ...settings, WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex') };
  const { stdout } = await runCommand(['doctor', '--json'], { ...rotating, WATCHBELL_FORMER_SECRET_KEYS: key });
  expect(verdicts(stdout)).toMatchObject({ store: 'ok' });
  expect(verdicts((await runCommand(['doctor', '--json'], settings)).stdout)).toMatchObject({ store: 'ok' });
});

test('doctor makes no key for a store of the dev profile whose key is lost', async () => {
  const dataDir = temporaryDirectory();
  await runCommand(['migrate', '--dev', '--data-dir', dataDir]);
  rmSync(join(dataDir, 'secret.key'));
  const { code, stdout } = await runCommand(['doctor', '--dev', '--data-dir', dataDir]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^fail +store +WRONG_SECRET_KEY: .*secret\.key, is not there$/m);
  expect(existsSync(join(dataDir, 'secret.key'))).toBe(false);
});

test.each([
  ['{"modules":[{"api_name":"Leads","fields":[{"api_name":"Email","type":"text"}]}]}', 'org is missing'],
  ['{"org":"4000001","modules":[{"api_name":"Machines"}]}', 'There is no such org'],
  ['{"modules":', 'cannot be read'],
])('serve does not start with the module file %s, and says why, without a stack', async (content, said) => {
  const path = join(temporaryDirectory(), 'modules.json');
  writeFileSync(path, content);
  const env = { ...production(), WATCHBELL_MODULES: path, WATCHBELL_ADMIN_TOKEN: 'operator-operator' };
  const { code, stderr } = await runCommand(['serve'], env);
  expect(code).toBe(2);
  expect(stderr).toContain(said);
  expect(stderr).toContain('WATCHBELL_MODULES (--modules)');
  expect(stderr).not.toContain('    at ');
});
