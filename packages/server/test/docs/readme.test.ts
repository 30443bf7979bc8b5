import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { firstMinuteText } from '../../src/cli/first-minute.ts';
import { SETTINGS, type Setting } from '../../src/settings.ts';
import { startServerProcess } from '../support/server-process.ts';

const root = new URL('../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const readmeLines = /<!-- first-minute -->\n```bash\n([\s\S]*?)\n```/.exec(read('README.md'))?.[1] ?? '';

test("the README's first minute is what the dev server prints", () => {
  const credentials = {
    base: 'http://127.0.0.1:8686',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
    admin_token: 'dev-admin',
  };
  expect(readmeLines).toBe(firstMinuteText(credentials));
});

test("the README's first minute, pasted into bash, ends with the notification", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-readme-'));
  const server = await startServerProcess({ dataDir, port: 0 });
  try {
    const lines = readmeLines.replaceAll('http://127.0.0.1:8686', server.base);
    const { stdout, status } = spawnSync('bash', { input: lines, encoding: 'utf8' });
    expect(status).toBe(0);
    const [opened, created, inbox] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(opened.watch[0].status).toBe('success');
    expect(inbox.messages).toHaveLength(1);
    expect(inbox.messages[0].body).toMatchObject({
      module: 'Contacts',
      ids: [created.data[0].details.id],
      operation: 'insert',
      channel_id: '1000000068001',
      token: 'demo',
    });
  } finally {
    await server.kill('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('docs/configuration.md lists every setting with its flag, default and meaning', () => {
  const page = read('docs/configuration.md');
  const rows = Object.values(SETTINGS).map((setting: Setting) => settingRow(setting));
  for (const row of rows) expect(page).toContain(row);
  expect(page.match(/^\| `WATCHBELL_/gm)).toHaveLength(rows.length);
});

/** A row of the page's table. */
function settingRow({ env, flag, help, fallback, devFallback }: Setting): string {
  const shown = (value: string | undefined) => (value ? `\`${value}\`` : '–');
  const both = devFallback === undefined ? shown(fallback) : `${shown(fallback)}; dev: ${shown(devFallback)}`;
  return `| \`${env}\` | \`${flag}\` | ${both} | ${help} |`;
}
