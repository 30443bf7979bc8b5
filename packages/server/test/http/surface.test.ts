import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpFixture, openHttp } from '../support/http.ts';

let http: HttpFixture;
let owner: string;
let saves: number;
beforeEach(async () => {
  saves = 0;
  http = await openHttp({
    saveOutcomes: () => {
      saves += 1;
    },
  });
  owner = `Zoho-oauthtoken ${await http.signIn()}`;
  const watch = [{ channel_id: '1', events: ['Contacts.all'], notify_url: 'http://127.0.0.1:9/x?key=hidden' }];
  await call('POST', '/crm/v8/actions/watch', owner, { watch });
});
afterEach(() => http.close());

const OPERATOR = 'Bearer dev-admin';
const call = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH', url: string, authorization: string, body?: object) => {
  const answer = await http.app.inject({
    method,
    url,
    headers: { authorization },
    ...(body && { payload: JSON.stringify(body) }),
  });
  return { status: answer.statusCode, body: answer.json() };
};
const acts = () => http.log.filter(({ fields }) => 'act' in fields);

test('what an owner does to a channel is a line of the log that names the user and no secret; what is read is none', async () => {
  const path = '/_watchbell/v1/channels/1';
  const { body } = await call('GET', path, owner);
  await call('GET', `${path}/revisions`, owner);
  expect(acts()).toEqual([]);
  await call('POST', `${path}/suspend`, owner);
  await call('PATCH', `${path}/settings`, owner, { lifecycle_url: 'http://127.0.0.1:9/life?key=hidden' });
  const { secret } = (await call('PUT', `${path}/signing`, owner)).body;
  const { user, generation } = body;
  expect(acts().map(({ message, fields }) => [message, fields])).toEqual(
    ['suspend channel', 'change channel settings', 'make signing secret'].map((act) => [
      'act of an owner',
      expect.objectContaining({ act, by: user, generation, org: '3652397' }),
    ]),
  );
  const log = JSON.stringify(http.log);
  expect(log).not.toContain('hidden');
  expect(log).not.toContain(secret);
});

test('what an operator does to it is a line of the administration', async () => {
  const { body } = await call('GET', '/_watchbell/v1/channels/1', owner);
  const path = `/_watchbell/v1/orgs/3652397/channels/${body.generation}`;
  await call('POST', `${path}/resume`, OPERATOR, { mode: 'skip' });
  expect(acts()).toMatchObject([{ message: 'administration', fields: { act: 'resume channel', by: 'all' } }]);
});

test.each([
  ['+1', 200],
  ['01', 200],
  ['-1', 404],
  ['1x', 404],
  ['9'.repeat(20), 404],
  ['%201', 404],
])('an owner names a channel by its id, as the watch calls read it: %s is answered %i', async (id, status) => {
  expect((await call('GET', `/_watchbell/v1/channels/${id}`, owner)).status).toBe(status);
});

test('a generation that is named twice is refused, also by what reads no query', async () => {
  const { body } = await call('GET', '/_watchbell/v1/channels/1', owner);
  const twice = `generation=${body.generation}&generation=${body.generation}`;
  const refused = { status: 400, body: { code: 'INVALID_DATA', details: { api_name: 'generation' } } };
  expect(await call('GET', `/_watchbell/v1/channels/1?${twice}`, owner)).toMatchObject(refused);
  expect(await call('POST', `/_watchbell/v1/channels/1/suspend?${twice}`, owner)).toMatchObject(refused);
});

test('who asks what became of notifications has outcomes written that wait; writing records and strangers do not', async () => {
  await call('POST', '/crm/v8/Contacts', owner, { data: [{ Last_Name: 'Boyle' }] });
  await call('GET', '/_watchbell/v1/channels', 'Zoho-oauthtoken none');
  await call('GET', '/_watchbell/v1/orgs/3652397/channels', 'Bearer none');
  expect(saves).toBe(0);
  await call('GET', '/_watchbell/v1/channels', owner);
  expect(saves).toBe(1);
  await call('GET', '/_watchbell/v1/orgs/3652397/channels', OPERATOR);
  expect(saves).toBe(2);
});
