import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { firstMinuteText } from '../../src/cli/first-minute.ts';
import { startCommand, temporaryDirectory } from './command.ts';

test('the lines that dev prints, pasted as they are, end with the notification of the new contact', async () => {
  const dev = startCommand(['dev', '--port', '0', '--data-dir', temporaryDirectory()]);
  onTestFinished(async () => void (await dev.stop('SIGKILL')));
  const [, pasted = ''] = await dev.says(/into another terminal:\n\n([\s\S]*?)\n\n/);
  const { stdout, stderr } = await promisify(execFile)('bash', ['-e', '-c', pasted]);
  expect(stderr).toBe('');
  const [opened, created, inbox] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(opened.watch[0].status).toBe('success');
  const { id } = created.data[0].details;
  expect(inbox.messages).toEqual([
    expect.objectContaining({ body: expect.objectContaining({ module: 'Contacts', operation: 'insert', ids: [id] }) }),
  ]);
});

test("the README's first minute has the same lines", () => {
  const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(
    firstMinuteText({
      base: 'http://127.0.0.1:8686',
      client_id: '1000.DEV',
      client_secret: 'dev-secret',
      refresh_token: '1000.dev.refresh',
      admin_token: 'dev-admin',
    }),
  );
});
