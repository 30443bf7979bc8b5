import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCommand, temporaryDirectory } from './command.ts';

const COMMANDS = ['dev', 'serve', 'setup', 'migrate', 'doctor', 'backup', 'restore', 'listen', 'trigger', 'demo'];
const NOWHERE = ['--base', 'http://127.0.0.1:1', '--client-id', 'a', '--client-secret', 'b', '--refresh-token', 'c'];

test.each(COMMANDS)('the help of %s shows examples on stdout and exits 0', async (command) => {
  const { code, stdout, stderr } = await runCommand([command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: watchbell ${command}`);
  expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ .*watchbell ${command}`));
});

test.each([
  ['orgs', ['list', 'add', 'show', 'change', 'suspend', 'resume', 'erase']],
  ['users', ['list', 'add', 'show', 'change', 'remove', 'sign-in-key']],
  ['channels', ['list', 'show', 'revisions', 'settings', 'test', 'suspend', 'resume']],
  ['changes', ['send']],
  ['explain', ['record']],
  ['replays', ['start', 'redeliver', 'list', 'show', 'pause', 'resume', 'cancel']],
  ['clock', ['show', 'freeze', 'set', 'advance', 'resume']],
  ['signing', ['show', 'on', 'rotate', 'off']],
  ['profiles', ['list', 'add', 'show', 'change', 'remove']],
  ['clients', ['list', 'add', 'show', 'change', 'rotate', 'grant', 'remove']],
  ['tokens', ['list', 'revoke']],
])('the help of %s names %j, and each shows examples', async (noun, verbs) => {
  const { stdout: overview } = await runCommand([noun, '--help']);
  for (const verb of verbs) expect(overview).toMatch(new RegExp(`^  ${verb} `, 'm'));
  const helps = await Promise.all(verbs.map((verb) => runCommand([noun, verb, '--help'])));
  helps.forEach(({ code, stdout }, i) => {
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ watchbell ${noun} ${verbs[i]}`));
  });
});

test('the version is the one of the package', async () => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { code, stdout } = await runCommand(['--version']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${(JSON.parse(manifest) as { version: string }).version}\n` });
});

test.each([
  [[], 'Usage: watchbell'],
  [['nonsense'], "unknown command 'nonsense'"],
  [['dev', '--nonsense'], "unknown option '--nonsense'"],
  [['dev', '--port', 'many'], 'WATCHBELL_PORT (--port) must be a whole number'],
  [['dev', '--host', '0.0.0.0'], 'WATCHBELL_HOST (--host) must be a loopback address'],
  [['serve'], 'WATCHBELL_SECRET_KEY (--secret-key) is required'],
  [['serve'], 'WATCHBELL_PUBLIC_URL (--public-url) is required'],
  [['setup', '--org', 'Zylker'], "required option '--email <address>' not specified"],
  [['listen'], "missing required argument 'event-types'"],
  [['listen', 'Contacts.read'], 'An event type is Module.create'],
  [['listen', 'Contacts.all', '--forward', 'ftp://example.com'], 'It must be an http or https URL.'],
  [['listen', 'Contacts.all', '--secret', 'whsec_short'], 'A signing secret is whsec_'],
  [['trigger'], "missing required argument 'change'"],
  [['trigger', 'Contacts.all'], 'A change is Module.create'],
  [['trigger', 'Contacts.create', '--count', '0'], 'It must be a whole number from 1 to 1000.'],
  [['trigger', 'Contacts.create', '--set', 'Email'], 'Give it as Field=Value.'],
  [['trigger', 'Contacts.edit', '--id', 'x'], 'An id has digits only.'],
  [['demo', '--timeout', 'soon'], 'It must be a whole number from 1 to 600.'],
])('%j is used wrongly: exit 2, said on stderr', async (args, said) => {
  const { code, stdout, stderr } = await runCommand(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(said);
});

test.each([['listen', 'Contacts.all'], ['trigger', 'Contacts.create'], ['demo']])(
  '%s says in one line that the server cannot be reached, and exits 1',
  async (...args) => {
    const { code, stdout, stderr } = await runCommand([...args, ...NOWHERE]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^(Using .*\n)?watchbell: http:\/\/127\.0\.0\.1:1 cannot be reached.*\n$/);
  },
);

test('without credentials, a command says where it looked and how to name them', async () => {
  const dataDir = temporaryDirectory();
  const { code, stderr } = await runCommand(['trigger', 'Contacts.create', '--data-dir', dataDir]);
  expect(code).toBe(1);
  expect(stderr).toMatch(`watchbell: The credentials file ${dataDir}/credentials.json is not there.`);
  expect(stderr).toContain('--credentials');
});
