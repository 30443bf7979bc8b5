import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, onTestFinished, test } from 'vitest';
import type { Committed } from '../../src/telemetry/commits.ts';
import { startLiveApp } from '../support/live-app.ts';

test('who subscribed to watchbell:committed is told of each commit in this process, with its changes and their records', async () => {
  const app = await startLiveApp();
  onTestFinished(() => app.stop());
  const told: Committed[] = [];
  const note = (message: unknown) => void told.push(message as Committed);
  subscribe('watchbell:committed', note);
  onTestFinished(() => void unsubscribe('watchbell:committed', note));

  const added = await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'A', Company: 'B' }] });
  const id = (added.body as { data: [{ details: { id: string } }] }).data[0].details.id;
  const { number } = told[0]?.changes[0] ?? { number: 0 };
  expect(number).toBeGreaterThan(0);
  expect(told).toEqual([{ org: '3652397', changes: [{ number, module: 'Leads', operation: 'insert', ids: [id] }] }]);

  await app.owner.call('DELETE', `/crm/v8/Leads?ids=${id}`);
  expect(told.slice(1)).toEqual([
    { org: '3652397', changes: [{ number: number + 1, module: 'Leads', operation: 'delete', ids: [id] }] },
  ]);

  unsubscribe('watchbell:committed', note);
  await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'A', Company: 'B' }] });
  expect(told).toHaveLength(2);
});
