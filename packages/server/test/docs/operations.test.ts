import { expect, onTestFinished, test } from 'vitest';
import { startLiveApp } from '../support/live-app.ts';
import { cells, page, tableRows } from './page.ts';

/** What the runtime measures of itself comes with other prefixes. */
const OF_THE_RUNTIME = /^watchbell_(?:process|nodejs)_/;

test('docs/operations.md lists every metric of our own that a scrape shows, and no other', async () => {
  const app = await startLiveApp();
  onTestFinished(() => app.stop());
  const headers = { authorization: 'Bearer dev-admin' };
  const scrape = await (await fetch(`${app.base}/metrics`, { headers })).text();
  const kinds = [...scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', kind = '']) => [name, kind] as const);
  const shown = kinds.filter(([name]) => !OF_THE_RUNTIME.test(name)).map(([name, kind]) => [`\`${name}\``, kind]);
  const rows = tableRows(page('operations.md'), 'metrics');
  expect(rows.map((row) => cells(row).slice(0, 2)).sort()).toEqual(shown.sort());
});
