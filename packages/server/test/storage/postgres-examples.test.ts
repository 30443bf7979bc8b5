import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createShell, helpExamples } from '../cli/help-examples.ts';
import { createDatabase } from '../support/postgres/database.ts';

const lines = helpExamples()
  .examples.filter(({ command }) => command === 'migrate-store')
  .map(({ line }) => line);

test.each(lines)('an embedded store is moved as the help shows it: %s', async (line) => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const shell = createShell({
    WATCHBELL_PUBLIC_URL: 'https://watchbell.example.com',
    WATCHBELL_SECRET_KEY: 'b'.repeat(64),
    WATCHBELL_LOG_LEVEL: 'warn',
  });
  onTestFinished(shell.remove);
  const dir = join(shell.home, 'watchbell');
  const at = line.includes('--data-dir') ? `--data-dir ${dir}-data` : '';
  const setup = `watchbell setup --org Zylker --email ada@example.com --last-name Lovelace ${at}`;
  expect(await shell.run(setup)).toMatchObject({ code: 0 });
  const real = line.replace(/postgres:\/\/\S+/, `'${database.url}'`).replace('--data-dir /var/lib/watchbell', at);
  const { code, stdout, stderr } = await shell.run(real);
  expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
});
