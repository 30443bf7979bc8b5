import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';

let app: LiveApp;

beforeAll(async () => {
  app = await startLiveApp();
});
afterAll(() => app.stop());

async function send(
  method: string,
  path: string,
  body: unknown,
  key: string,
  caller: Caller = app.owner,
  external?: string,
): Promise<Answer> {
  const response = await fetch(`${app.base}/crm/v8/${path}`, {
    method,
    headers: {
      authorization: `Zoho-oauthtoken ${caller.accessToken}`,
      'idempotency-key': key,
      ...(external !== undefined && { 'x-external': external }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const HOUR = 3_600_000;
const lead = (name: string) => ({ data: [{ Last_Name: name, Company: 'C' }] });

async function count(name: string): Promise<number> {
  const { body } = await app.owner.call('GET', '/crm/v8/Leads?fields=Last_Name&per_page=200');
  const { data } = body as { data: { Last_Name: string }[] };
  return data.filter((record) => record.Last_Name === name).length;
}

test('a repeated write with its key gets the same answer and is done once', async () => {
  const first = await send('POST', 'Leads', lead('Once'), 'k1');
  app.clock.advance(60_000);
  const again = await send('POST', 'Leads', lead('Once'), 'k1');
  expect(first.status).toBe(201);
  expect(again).toEqual(first);
  expect(await count('Once')).toBe(1);
});

test('writes with one key at the same moment are done once', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => send('POST', 'Leads', lead('Together'), 'k2')));
  expect(new Set(answers.map(({ body }) => at(body, 'data', 0, 'details', 'id'))).size).toBe(1);
  expect(await count('Together')).toBe(1);
});

test('what was refused, record by record, is refused alike', async () => {
  const body = { data: [{ Last_Name: 'Half' }, { Last_Name: 'Half', Company: 'C' }] };
  const first = await send('POST', 'Leads', body, 'k3');
  expect(first.status).toBe(207);
  expect(await send('POST', 'Leads', body, 'k3')).toEqual(first);
  expect(await count('Half')).toBe(1);
});

test('a key is refused for another body, another path and another method', async () => {
  const { body } = await send('POST', 'Leads', lead('Other'), 'k4');
  const id = at(body, 'data', 0, 'details', 'id');
  const refused = {
    status: 400,
    body: {
      code: 'INVALID_DATA',
      details: { api_name: 'Idempotency-Key' },
      message: 'the idempotency key was used for another request',
      status: 'error',
    },
  };
  expect(await send('POST', 'Leads', lead('Another'), 'k4')).toEqual(refused);
  expect(await send('POST', 'Contacts', lead('Other'), 'k4')).toEqual(refused);
  expect(await send('DELETE', `Leads/${id}`, undefined, 'k4')).toEqual(refused);
  expect(await count('Another')).toBe(0);
});

test('a key counts for one user, and for 24 hours', async () => {
  await send('POST', 'Leads', lead('Day'), 'k5');
  await send('POST', 'Leads', lead('Day'), 'k5', await app.colleague());
  expect(await count('Day')).toBe(2);
  app.clock.advance(24 * HOUR - 1);
  await send('POST', 'Leads', lead('Day'), 'k5');
  expect(await count('Day')).toBe(2);
  app.clock.advance(1);
  await send('POST', 'Leads', lead('Day'), 'k5');
  expect(await count('Day')).toBe(3);
});

test('keeps answers over a restart', async () => {
  const first = await send('POST', 'Leads', lead('Kept'), 'k6');
  app = await app.restart();
  expect(await send('POST', 'Leads', lead('Kept'), 'k6')).toEqual(first);
});

test('a call refused as a whole keeps no answer, so the mended one may use the key', async () => {
  expect((await send('POST', 'Leads', { data: [] }, 'k7')).status).toBe(400);
  expect((await send('POST', 'Leads', lead('Mended'), 'k7')).status).toBe(201);
});

test.each(['', 'x'.repeat(256), 'a b'])('the key %j is refused', async (key) => {
  const { status, body } = await send('POST', 'Leads', lead('Bad'), key);
  expect({ status, code: at(body, 'code') }).toEqual({ status: 400, code: 'INVALID_DATA' });
});

test('a mass action repeated with its key changes each record once', async () => {
  const made = await app.owner.call('POST', '/crm/v8/Leads', {
    data: Array.from({ length: 100 }, (_, i) => ({ Last_Name: `M${i}`, Company: 'C' })),
  });
  const more = await app.owner.call('POST', '/crm/v8/Leads', lead('M100'));
  const ids = [made, more].flatMap(({ body }) =>
    (body as { data: { details: { id: string } }[] }).data.map(({ details }) => details.id),
  );
  const first = await send('POST', 'Leads/actions/mass_delete', { ids }, 'k8');
  expect(first.status).toBe(200);
  expect(await send('POST', 'Leads/actions/mass_delete', { ids }, 'k8')).toEqual(first);
});

test('the fields that stand for ids are part of the request', async () => {
  const field = { api_name: 'Serial', type: 'text', external: 'org' };
  expect((await operatorOf(app.base)('POST', '/orgs/3652397/modules/Leads/fields', field)).status).toBe(201);
  const made = { data: [{ Last_Name: 'By serial', Company: 'C', Serial: 'A1' }] };
  expect((await send('POST', 'Leads', made, 'serial')).status).toBe(201);
  const bySerial = () => send('DELETE', 'Leads?ids=A1', undefined, 'external', app.owner, 'Leads.Serial');
  const deleted = await bySerial();
  expect(deleted.status).toBe(200);
  expect(await bySerial()).toEqual(deleted);
  const byId = await send('DELETE', 'Leads?ids=A1', undefined, 'external');
  expect(byId).toMatchObject({ status: 400, body: { details: { api_name: 'Idempotency-Key' } } });
});
