import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand, startCommand } from '../cli/command.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { temporaryDirectory } from './nodes.ts';

const SETUP = ['setup', '--json', '--org', 'Zylker', '--email', 'ada@example.com', '--last-name', 'Lovelace'];

async function production() {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  return {
    WATCHBELL_DATABASE_URL: url,
    WATCHBELL_DATA_DIR: join(temporaryDirectory(), 'data'),
    WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex'),
    WATCHBELL_PUBLIC_URL: 'https://watchbell.example.com',
    WATCHBELL_HOST: '127.0.0.1',
    WATCHBELL_PORT: '0',
  };
}

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly says: string;
}

async function doctor(settings: Readonly<Record<string, string>>) {
  const { code, stdout } = await runCommand(['doctor', '--json'], settings);
  const { checks } = JSON.parse(stdout) as { checks: Finding[] };
  return { code, find: (name: string) => checks.find(({ check }) => check === name) };
}

test('a database is migrated, set up beside a server, served, looked at and left, and no line has its password', async () => {
  const settings = await production();
  const { hostname, port, password } = new URL(settings.WATCHBELL_DATABASE_URL);
  expect(await runCommand(['migrate', '--check'], settings)).toMatchObject({ code: 1, stdout: 'pending  0001_init\n' });
  expect((await runCommand(['serve'], settings)).stderr).toContain('NO_ORGANISATION');
  expect((await runCommand(['migrate', '--check'], settings)).code).toBe(0);
  const made = await runCommand(SETUP, settings);
  const server = startCommand(['serve'], settings);
  onTestFinished(async () => void (await server.stop('SIGKILL')));
  const [line = ''] = await server.says(/^.*"msg":"ready".*$/m);
  const ready = JSON.parse(line) as { base: string; node: string };
  expect(ready).toMatchObject({ engine: 'PostgreSQL', database: expect.stringContaining(`${hostname}:${port}/`) });
  const other = JSON.parse((await runCommand(SETUP, settings)).stdout) as Record<string, string>;
  const { code, find } = await doctor(settings);
  expect(code).toBe(0);
  expect(find(`database ${hostname}:${port}`)).toMatchObject({
    verdict: 'ok',
    says: expect.stringContaining('takes writes'),
  });
  expect(find('nodes')).toMatchObject({ verdict: 'ok', says: expect.stringContaining(`1: ${ready.node} (64 buckets`) });
  expect(find('store')).toMatchObject({ verdict: 'ok' });
  expect(find('data directory')).toBeUndefined();
  const { code: stopped, stderr, stdout } = await server.stop('SIGTERM');
  expect(stopped).toBe(0);
  expect((await doctor(settings)).find('nodes')).toMatchObject({ says: 'none' });
  for (const text of [made.stderr, stdout, stderr]) expect(text).not.toContain(password);
  expect(other.client_id).toMatch(/^1000\./);
});

test('a restored database begins a new history at the start that is told so, and at no other', async () => {
  const settings = { ...(await production()), WATCHBELL_LOG_LEVEL: 'warn' };
  await runCommand(SETUP, settings);
  const epoch = () =>
    withClient(settings.WATCHBELL_DATABASE_URL, async (client) => {
      const { rows } = await client.query("SELECT value FROM meta WHERE name = 'epoch'");
      return rows.length === 0 ? 0 : JSON.parse(rows[0].value).number;
    });
  const before = await epoch();
  for (const args of [['serve', '--restored'], ['serve']]) {
    const server = startCommand(args, settings);
    await server.says(/is ready on/);
    expect((await server.stop('SIGTERM')).code).toBe(0);
  }
  expect(await epoch()).toBe(before + 1);
});

test('backup and restore say what to use for a database, and change nothing', async () => {
  const settings = await production();
  const to = join(temporaryDirectory(), 'copy.sqlite');
  const backup = await runCommand(['backup', '--to', to], settings);
  expect(backup.code).toBe(1);
  expect(backup.stderr).toContain('pg_basebackup with an archive of its WAL, or pg_dump');
  const restore = await runCommand(['restore', '--from', to], settings);
  expect(restore.code).toBe(1);
  expect(restore.stderr).toContain('NOT_EMBEDDED');
});

test('doctor says what keeps a database from being used', async () => {
  const settings = await production();
  const url = new URL(settings.WATCHBELL_DATABASE_URL);
  const gone = `${url.hostname}:1`;
  const name = url.pathname.slice(1);
  const both = `postgres://${url.username}:${url.password}@${gone},${url.host}/${name}`;
  const one = await doctor({ ...settings, WATCHBELL_DATABASE_URL: both });
  expect(one.code).toBe(0);
  expect(one.find(`database ${gone}`)).toMatchObject({
    verdict: 'warn',
    says: expect.stringContaining('ECONNREFUSED'),
  });
  expect(one.find(`database ${url.host}`)).toMatchObject({ verdict: 'ok' });
  expect(one.find('store')).toMatchObject({ verdict: 'warn', says: 'not made yet; starting makes it' });
  const none = await doctor({ ...settings, WATCHBELL_DATABASE_URL: `postgres://u:p@${gone}/${name}` });
  expect(none.code).toBe(1);
  expect(none.find('database')).toMatchObject({ verdict: 'fail', says: `nothing at ${gone}/${name} takes writes` });
  await withClient(settings.WATCHBELL_DATABASE_URL, (client) =>
    client.query(`ALTER DATABASE "${name}" SET default_transaction_read_only = on`),
  );
  const readOnly = await doctor(settings);
  expect(readOnly.find('database')).toMatchObject({ verdict: 'fail' });
});
