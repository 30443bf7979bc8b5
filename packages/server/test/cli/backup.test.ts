import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, runCommand, startCommand, temporaryDirectory } from './command.ts';
import { signedIn } from './dev-server.ts';

const SETUP = ['setup', '--json', '--org', 'Zylker', '--email', 'ada@example.com', '--last-name', 'Lovelace'];

const settings = (dataDir: string) => ({
  WATCHBELL_DATA_DIR: dataDir,
  WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex'),
  WATCHBELL_PUBLIC_URL: 'https://watchbell.example.com',
  WATCHBELL_HOST: '127.0.0.1',
  WATCHBELL_LOG_LEVEL: 'warn',
});

test('a store is backed up, restored elsewhere and served, with the credentials it had', async () => {
  const root = temporaryDirectory();
  const original = settings(join(root, 'data'));
  const made = JSON.parse((await runCommand(SETUP, original)).stdout) as Record<string, string>;
  const to = join(root, 'backup.sqlite');
  // Needs no other setting than where the store is.
  const backup = await runCommand(['backup', '--to', to], { WATCHBELL_DATA_DIR: original.WATCHBELL_DATA_DIR });
  expect(backup.code, backup.stderr).toBe(0);
  expect(backup.stdout).toMatch(new RegExp(`^file +${to}\\nbytes +${statSync(to).size}\\ncommitted until +20.*Z\\n`));
  expect(backup.stderr).toContain('Keep the secret key elsewhere');
  const again = await runCommand(['backup', '--to', to], original);
  expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^watchbell: FILE_EXISTS: .*\n$/) });

  const restored = { ...original, WATCHBELL_DATA_DIR: join(root, 'restored') };
  const wrong = { ...restored, WATCHBELL_SECRET_KEY: randomBytes(32).toString('hex') };
  const refused = await runCommand(['restore', '--from', to], wrong);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^watchbell: WRONG_SECRET_KEY: .*\n$/) });
  const done = await runCommand(['restore', '--from', to, '--json'], restored);
  expect(done.code, done.stderr).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ file: to, organisations: 1, changes: 0 });
  const port = await freePort();
  const server = startCommand(['serve', '--port', String(port)], restored);
  onTestFinished(async () => void (await server.stop('SIGKILL')));
  await server.says(/ready on/);
  expect(await signedIn({ ...made, base: `http://127.0.0.1:${port}` }).org()).toMatchObject({ company_name: 'Zylker' });
  expect((await server.stop('SIGTERM')).code).toBe(0);
  expect((await runCommand(['restore', '--from', to], restored)).stderr).toMatch(/^watchbell: NOT_EMPTY: /);
});

test('a restore of the dev profile asks for its key, and makes none', async () => {
  const root = temporaryDirectory();
  const dataDir = join(root, 'restored');
  const { code, stderr } = await runCommand(['restore', '--dev', '--from', 'x', '--data-dir', dataDir]);
  expect(code).toBe(1);
  expect(stderr).toContain('secret.key');
  expect(existsSync(dataDir) ? readdirSync(dataDir) : []).toEqual([]);
});
