import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { changeIn } from '../support/test-data.ts';

const OWN = '/_watchbell/v1';
const ORG = '3652397';
/** More than one page looks at. */
const MANY = 4100;

let app: LiveApp;
let dataDir: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-test-'));
  app = await startLiveApp({ dataDir });
});
afterEach(() => app.stop());

const open = async (caller: Caller): Promise<string> => {
  await caller.call('POST', '/crm/v8/actions/watch', {
    watch: [{ channel_id: '1', events: ['Contacts.all'], notify_url: 'http://127.0.0.1:9/hook' }],
  });
  return at((await caller.call('GET', `${OWN}/channels/1`)).body, 'generation');
};
const nextOf = async (caller: Caller, path: string): Promise<string> =>
  at((await caller.call('GET', `${OWN}${path}`)).body, 'next');
/** What a reader could make of it. */
const read = (cursor: string): string =>
  [cursor, ...cursor.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))].join('\n');

describe('where a page stops', () => {
  test.each(['/notifications?outcome=rejected', '/attempts', '/attempts?outcome=rejected'])(
    'its cursor does not say, when that is at what another user is sent: %s',
    async (path) => {
      const colleague = await app.colleague();
      const generation = await open(colleague);
      await open(app.owner);
      await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
      await app.app.idle();
      const rows = Array.from({ length: MANY }, (_, i) => {
        const time = app.clock.now() + 1 + i;
        return `('${ORG}', '${generation}', 1, ${100 + i}, ${time}, 5, 'rejected', '{"kind":"rejected","status":500}')`;
      });
      await changeIn(
        dataDir,
        `INSERT INTO attempt (org_id, generation, number, attempt, at, duration_ms, kind, outcome) VALUES ${rows.join(',')}`,
      );
      const cursor = await nextOf(app.owner, path);
      expect(read(cursor)).not.toContain(generation);
      expect(read(cursor)).not.toMatch(/number|attempt|"at"/);
      const { status } = await app.owner.call('GET', `${OWN}${path}${path.includes('?') ? '&' : '?'}cursor=${cursor}`);
      expect(status).toBe(200);
      // Who has no channel is not sent from page to page.
      expect((await (await app.colleague()).call('GET', `${OWN}${path}`)).body).toMatchObject({ next: null });
    },
  );
});

test('a cursor is good for whom it was made, after a restart too, and for nobody else', async () => {
  await open(app.owner);
  const colleague = await app.colleague();
  await open(colleague);
  for (let i = 0; i < 2; i += 1) await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  await app.app.idle();
  const path = (cursor: string) => `/notifications?limit=1&cursor=${cursor}`;
  const cursor = await nextOf(app.owner, '/notifications?limit=1');
  app = await app.restart();
  const second = { status: 200, body: { notifications: [{ number: 1 }] } };
  expect(await app.owner.call('GET', `${OWN}${path(cursor)}`)).toMatchObject(second);
  const refused = { status: 400, body: { code: 'INVALID_DATA', details: { api_name: 'cursor' } } };
  expect(await (await app.colleague()).call('GET', `${OWN}${path(cursor)}`)).toMatchObject(refused);
  expect(await (await app.stranger()).call('GET', `${OWN}${path(cursor)}`)).toMatchObject(refused);
  expect(await operatorOf(app.base)('GET', `/orgs/${ORG}${path(cursor)}`)).toMatchObject(refused);
});

test.each([
  ['/channels', 'client'],
  ['/notifications', 'channel'],
  ['/notifications', 'module'],
  ['/notifications?module=Contacts', 'record'],
  ['/attempts', 'channel'],
  ['/jobs', 'channel'],
  ['/notices', 'channel'],
  ['/explain?record=1', 'module'],
  ['/explain?module=Contacts', 'record'],
])('a U+0000 in a query of %s is refused by the name of its parameter, %s', async (path, name) => {
  const query = `${path}${path.includes('?') ? '&' : '?'}${name}=a%00`;
  const refused = { status: 400, body: { code: 'INVALID_DATA', details: { api_name: name } } };
  expect(await app.owner.call('GET', `${OWN}${query}`)).toMatchObject(refused);
  expect(await operatorOf(app.base)('GET', `/orgs/${ORG}${query}`)).toMatchObject(refused);
});

test('no channel has a generation with a U+0000 in it', async () => {
  await open(app.owner);
  expect((await app.owner.call('GET', `${OWN}/channels/1?generation=%00`)).status).toBe(400);
  expect((await app.owner.call('POST', `${OWN}/channels/1/suspend?generation=%00`)).status).toBe(404);
});
