import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

interface Step {
  readonly step: string;
  readonly status: number;
  readonly items: readonly Record<string, unknown>[];
}

const folder = mkdtempSync(join(tmpdir(), 'watchbell-sdk-'));
const dataDir = join(folder, 'data');
let server: ServerProcess;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  server = await startServerProcess({ dataDir, port: 0 });
});

afterAll(async () => {
  await server.kill('SIGTERM');
  await receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the official SDK in a process of its own and reads what it made of each answer. */
async function drive(phase: 'full' | 'cached'): Promise<Map<string, Step>> {
  const driver = fileURLToPath(new URL('./driver.mjs', import.meta.url));
  const args = [driver, server.base, folder, `${receiver.origin}/callback?key=a b`, phase];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let problems = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    problems += chunk.toString();
  });
  const [code] = await once(child, 'close');
  expect({ code, problems, out }).toMatchObject({ code: 0 });
  const steps = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Step]));
  return new Map(steps.map((step) => [step.step, step]));
}

const success = (message: string, count = 1) =>
  Array.from({ length: count }, () =>
    expect.objectContaining({ class: 'SuccessResponse', code: 'SUCCESS', status: 'success', message }),
  );

test('the official SDK does all six notification operations and the record operations, and its notifications come', async () => {
  const steps = await drive('full');
  const expectStep = (step: string, status: number, items: unknown) =>
    expect(steps.get(step)).toEqual({ step, status, items });

  expectStep('enable', 201, success('Successfully subscribed for actions-watch of the given module'));
  expectStep('details', 200, [
    { module: 'Contacts', events: ['Contacts.edit', 'Contacts.create', 'Contacts.delete'], token: 'first' },
    { module: 'Deals', events: ['Deals.edit', 'Deals.create', 'Deals.delete'], token: 'first' },
  ]);
  expectStep('create', 201, success('record added', 2));
  expectStep('update', 200, success('record updated'));
  expectStep('update one', 200, success('record updated'));
  expectStep('upsert', 200, success('record updated'));
  expectStep('get', 200, [
    {
      id: expect.any(String),
      Last_Name: 'Ångström',
      Department: 'Spectra',
      owner: 'patricia@example.com',
      created: true,
    },
  ]);
  expectStep('create deal', 201, success('record added'));
  expectStep('update deal', 200, success('record updated'));
  expectStep('delete', 200, success('record deleted', 2));
  expectStep('delete one', 200, success('record deleted'));
  expectStep('update (PUT)', 200, success('Successfully subscribed for actions-watch of the given module'));
  expectStep('details after PUT', 200, [
    { module: 'Contacts', events: ['Contacts.edit', 'Contacts.create'], token: 'second' },
    { module: 'Deals', events: ['Deals.create'], token: 'second' },
  ]);
  expectStep('update info (PATCH)', 200, success('Successfully updated the subscribe details'));
  expectStep('details after PATCH', 200, [
    { module: 'Contacts', events: ['Contacts.edit', 'Contacts.create'], token: 'third' },
    { module: 'Deals', events: ['Deals.create'], token: 'third' },
  ]);
  expectStep('disable specific', 200, success('Successfully removed the subscribe details'));
  expectStep('details after disabling', 200, [
    { module: 'Contacts', events: ['Contacts.create'], token: 'third' },
    { module: 'Deals', events: ['Deals.create'], token: 'third' },
  ]);

  const ids = (step: string) => (steps.get(step)?.items ?? []).map(({ details }) => (details as { id: string }).id);
  const [first = '', second = ''] = ids('create');
  const [deal = ''] = ids('create deal');
  const came = (await receiver.first(8)).toSorted(
    (a, b) => Number(a.headers['watchbell-sequence']) - Number(b.headers['watchbell-sequence']),
  );
  expect(came.map(({ body }) => [body.module, body.operation, body.ids, body.affected_fields])).toEqual([
    ['Contacts', 'insert', [first, second], []],
    ['Contacts', 'update', [first], [{ [first]: ['Phone'] }]],
    ['Contacts', 'update', [second], [{ [second as string]: ['Phone'] }]],
    ['Contacts', 'update', [first], [{ [first]: ['Department'] }]],
    ['Deals', 'insert', [deal], []],
    ['Deals', 'update', [deal], [{ [deal]: ['Stage', 'Probability'] }]],
    ['Contacts', 'delete', [first, second], expect.anything()],
    ['Deals', 'delete', [deal], expect.anything()],
  ]);
  expect(came[5]?.body.affected_values).toEqual([
    { record_id: deal, values: { Stage: 'Proposal/Price Quote', Probability: 75 } },
  ]);
  expect(came[0]?.body).toMatchObject({ query_params: { '?key': 'a b' }, channel_id: '1000000068001', token: 'first' });
}, 120_000);

test('the SDK goes on with its cached token after the server was restarted', async () => {
  const cached = readFileSync(join(folder, 'tokens.txt'), 'utf8');
  const port = Number(new URL(server.base).port);
  await server.kill('SIGTERM');
  server = await startServerProcess({ dataDir, port });
  const steps = await drive('cached');
  expect(steps.get('create after restart')).toMatchObject({ status: 201, items: success('record added') });
  expect((await receiver.first(9))[8]?.body).toMatchObject({ module: 'Contacts', operation: 'insert', token: 'third' });
  expect(steps.get('disable')).toMatchObject({
    status: 200,
    items: success('Successfully un-subscribed from actions-watch', 2),
  });
  expect(steps.get('details after all')).toEqual({ step: 'details after all', status: 204, items: [] });
  expect(readFileSync(join(folder, 'tokens.txt'), 'utf8')).toBe(cached);
}, 120_000);
