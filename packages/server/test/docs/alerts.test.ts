import { expect, onTestFinished, test } from 'vitest';
import { startLiveApp } from '../support/live-app.ts';
import { cells, page, tableRows } from './page.ts';

const RULES = page('alerts.yml');
const alerts = [...RULES.matchAll(/- alert: (\S+)\n {8}expr: (?:>-\n)?([\s\S]*?)\n {8}(?:for|labels):/g)];

test('docs/operations.md lists every alert of docs/alerts.yml, in its order', () => {
  expect(alerts).toHaveLength((RULES.match(/- alert:/g) ?? []).length);
  const listed = tableRows(page('operations.md'), 'alerts').map((row) => cells(row)[0]);
  expect(listed).toEqual(alerts.map(([, name]) => `\`${name}\``));
});

test('every alert goes by metrics, labels and values that a scrape has', async () => {
  const app = await startLiveApp();
  onTestFinished(() => app.stop());
  const headers = { authorization: 'Bearer dev-admin' };
  const scrape = await (await fetch(`${app.base}/metrics`, { headers })).text();
  const kinds = new Map([...scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', kind]) => [name, kind]));
  for (const [, alert, expression = ''] of alerts) {
    for (const [name] of expression.matchAll(/\bwatchbell_\w+/g)) {
      const whole = name.replace(/_(?:bucket|count|sum)$/, '');
      const known = kinds.get(name) ?? (kinds.get(whole) === 'histogram' ? 'histogram' : undefined);
      expect(known, `${alert}: ${name}`).toBeDefined();
      // A rate of what goes up and down says nothing, and neither does the slope of a counter.
      const isRated = new RegExp(`(?:rate|increase)\\(${name}`).test(expression);
      expect(isRated, `${alert}: ${name}`).toBe(known !== 'gauge');
    }
  }
});
