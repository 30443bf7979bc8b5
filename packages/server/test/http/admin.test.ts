import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Operate, operatorOf } from '../support/operator.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const ORG = '3652397';
const OWNER = '3652397000000186017';
const PROFILE = '3652397000000026011';
const SETTING = 'the-operator-of-all';

let app: LiveApp;
/** By the setting's token, which is for all organisations. */
let all: Operate;
/** By the token that came with another organisation. */
let other: Operate;
let otherOrg: string;

beforeEach(async () => {
  app = await startLiveApp({ flags: { adminToken: SETTING } });
  all = operatorOf(app.base, SETTING);
  const { body } = await all('POST', '/orgs', { name: 'Other', email: 'o@example.com', last_name: 'Other' });
  otherOrg = at(body, 'org', 'id');
  other = operatorOf(app.base, at(body, 'admin_token'));
});

afterEach(() => app.stop());

const ID = '3652397000000000001';
/** Every route below an organisation; where it needs one, with a body that it takes. */
const IN_ORG: readonly [method: string, path: string, body?: object][] = [
  ['GET', ''],
  ['PATCH', '', {}],
  ['POST', '/suspend'],
  ['POST', '/resume'],
  ['GET', '/users'],
  ['POST', '/users', { email: 'a@b.c', last_name: 'L', profile: PROFILE }],
  ['GET', `/users/${ID}`],
  ['PATCH', `/users/${ID}`, {}],
  ['DELETE', `/users/${ID}`],
  ['POST', `/users/${ID}/sign_in_key`],
  ['DELETE', `/users/${ID}/sign_in_key`],
  ['GET', '/profiles'],
  ['POST', '/profiles', { name: 'P' }],
  ['GET', `/profiles/${ID}`],
  ['PATCH', `/profiles/${ID}`, {}],
  ['DELETE', `/profiles/${ID}`],
  ['GET', '/clients'],
  ['POST', '/clients', { name: 'C' }],
  ['GET', '/clients/1000.X'],
  ['PATCH', '/clients/1000.X', {}],
  ['DELETE', '/clients/1000.X'],
  ['POST', '/clients/1000.X/secret', {}],
  ['POST', '/clients/1000.X/grants', { user: OWNER, scopes: ['ZohoCRM.modules.READ'] }],
  ['GET', '/tokens'],
  ['DELETE', `/tokens?user=${ID}`],
  ['DELETE', `/tokens/${'0'.repeat(24)}`],
  ['GET', '/channels'],
  ['GET', `/channels/${ID}`],
  ['POST', `/channels/${ID}/suspend`],
  ['POST', `/channels/${ID}/resume`, {}],
  ['GET', `/channels/${ID}/signing`],
  ['PUT', `/channels/${ID}/signing`, {}],
  ['DELETE', `/channels/${ID}/signing`],
  ['GET', '/signing'],
  ['PUT', '/signing', {}],
  ['DELETE', '/signing'],
  ['DELETE', ''],
];

describe('who may administer what', () => {
  test.each(IN_ORG.map(([method, path, body]): [string, string, object | undefined] => [method, path, body]))(
    '%s orgs/{org}%s: its own operator and that of all; no other, no user, nobody',
    async (method, path, body) => {
      const code = async (operate: Operate, org: string) =>
        at((await operate(method, `/orgs/${org}${path}`, body)).body, 'code');
      expect(await code(other, ORG)).toBe('NO_PERMISSION');
      expect(await code(operatorOf(app.base, app.owner.accessToken), ORG)).toBe('INVALID_TOKEN');
      expect(await code(operatorOf(app.base, 'x'.repeat(600)), ORG)).toBe('INVALID_TOKEN');
      const bare = await fetch(`${app.base}/_watchbell/v1/orgs/${ORG}${path}`, { method });
      expect({ status: bare.status, body: await bare.json() }).toMatchObject({
        status: 401,
        body: { code: 'AUTHENTICATION_FAILURE' },
      });
      for (const operate of [other, all]) {
        const { status } = await operate(method, `/orgs/${otherOrg}${path}`, body);
        expect([200, 201, 202, 400, 403, 404]).toContain(status);
        if (status === 403) expect(method).not.toBe('GET');
      }
    },
  );

  test.each(['suspend', 'resume'])('only the operator of all may %s an organisation', async (act) => {
    const path = `/orgs/${otherOrg}/${act}`;
    expect(await other('POST', path)).toMatchObject({ status: 403, body: { code: 'NO_PERMISSION' } });
    expect((await all('POST', path)).status).toBe(200);
  });

  test('only the operator of all makes organisations and sees more than one', async () => {
    const input = { name: 'Third', email: 't@example.com', last_name: 'T' };
    expect(await other('POST', '/orgs', input)).toMatchObject({ status: 403, body: { code: 'NO_PERMISSION' } });
    expect(await other('GET', '/orgs')).toMatchObject({ body: { orgs: [{ id: otherOrg }], info: { count: 1 } } });
    const { body } = await all('GET', '/orgs');
    const ids = (body as { orgs: { id: string }[] }).orgs.map(({ id }) => id);
    expect(ids.toSorted()).toEqual([ORG, otherOrg].toSorted());
    const page = await all('GET', '/orgs?page=2&per_page=1');
    expect(page).toMatchObject({
      body: { orgs: [{ id: ids[1] }], info: { page: 2, per_page: 1, more_records: false } },
    });
  });

  test("another organisation's user, profile and client are not there", async () => {
    for (const path of [`/users/${OWNER}`, `/profiles/${PROFILE}`, '/clients/1000.DEV']) {
      expect(await other('GET', `/orgs/${otherOrg}${path}`), path).toMatchObject({
        status: 404,
        body: { code: 'NOT_FOUND', details: { api_name: expect.any(String) } },
      });
    }
  });
});

describe('bad input', () => {
  test.each([
    ['POST', '/orgs', { name: ' ', email: 'a@b.c', last_name: 'L' }, 'name'],
    ['POST', '/orgs', { name: 'N', email: 'a', last_name: 'L' }, 'email'],
    ['POST', '/orgs', { name: 'N', email: 'a@b.c' }, 'last_name'],
    ['POST', '/orgs', { name: 'N', email: 'a@b.c', last_name: 'L', colour: 1 }, 'colour'],
    ['POST', '/orgs', { name: 'N', email: 'a@b.c', last_name: 'L', time_zone: 'Mars/Olympus' }, 'time_zone'],
    ['PATCH', `/orgs/${ORG}`, { name: 'x'.repeat(101) }, 'name'],
    ['PATCH', `/orgs/${ORG}`, { time_zone: 'Mars/Olympus' }, 'time_zone'],
    ['GET', '/orgs?per_page=201', undefined, 'per_page'],
    ['GET', '/orgs?page=0', undefined, 'page'],
    ['GET', '/orgs/12', undefined, 'org'],
    ['GET', `/orgs/${ORG}/users/12`, undefined, 'user'],
    ['POST', `/orgs/${ORG}/users`, { email: 'a@b.c', last_name: 'L', profile: ID }, 'profile'],
    ['POST', `/orgs/${ORG}/users`, { email: 'PATRICIA@example.com', last_name: 'L', profile: PROFILE }, 'email'],
    ['PATCH', `/orgs/${ORG}/users/${OWNER}`, { status: 'asleep' }, 'status'],
    ['PATCH', `/orgs/${ORG}/users/${OWNER}`, { last_name: 'a\0b' }, 'last_name'],
    ['POST', `/orgs/${ORG}/profiles`, { name: 'P', denied_modules: ['Deals', 'Nonsense'] }, 'denied_modules.1'],
    ['POST', `/orgs/${ORG}/profiles`, { name: 'P', denied_modules: ['Deals', 'Deals'] }, 'denied_modules'],
  ])('%s %s with %j names %4$s', async (method, path, body, field) => {
    const before = await all('GET', '/orgs');
    const { status, body: answer } = await all(method, path, body);
    expect(status).toBe(400);
    expect(answer).toMatchObject({ details: { api_name: field } });
    expect(await all('GET', '/orgs')).toEqual(before);
  });

  test('a body that is no JSON object is named', async () => {
    expect(await all('PATCH', `/orgs/${ORG}`, [1])).toMatchObject({ status: 400, body: { code: 'INVALID_DATA' } });
  });
});

describe('users and clients that are taken away', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  const open = (caller: LiveApp['owner'], id: string) =>
    caller.call('POST', '/crm/v8/actions/watch', {
      watch: [{ channel_id: id, events: ['Contacts.all'], notify_url: `${receiver.origin}/hook?key=hidden` }],
    });
  const create = () => app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  const channels = async (query: string) =>
    (await all('GET', `/orgs/${ORG}/channels${query}`)).body as { channels: Record<string, unknown>[] };

  async function colleague() {
    const caller = await app.colleague();
    const { body } = await caller.call('GET', '/crm/v8/users?type=CurrentUser');
    return { caller, id: at(body, 'users', 0, 'id') };
  }

  test('an inactive user is signed out at once, their channels end visibly and send nothing, and they may come back', async () => {
    const { caller, id } = await colleague();
    expect((await open(caller, '1')).status).toBe(201);
    expect((await open(app.owner, '2')).status).toBe(201);
    const changed = await all('PATCH', `/orgs/${ORG}/users/${id}`, { status: 'inactive' });
    expect(changed).toMatchObject({ status: 200, body: { status: 'inactive', channels_ended: 1 } });
    expect(await caller.call('GET', '/crm/v8/org')).toMatchObject({ status: 401, body: { code: 'INVALID_TOKEN' } });
    await create();
    const [sent] = await receiver.first(1);
    await app.app.idle();
    expect(receiver.received).toHaveLength(1);
    expect(sent?.body.channel_id).toBe('2');
    expect((await channels('?ended=true')).channels).toMatchObject([
      { channel_id: '1', user: id, client: '1000.DEV', modules: ['Contacts'], ended_reason: 'user-deactivated' },
    ]);
    expect((await channels('')).channels).toMatchObject([
      { channel_id: '2', receiver: `${receiver.origin}/hook`, ended_at: null, ended_reason: null },
    ]);
    const users = await app.owner.call('GET', '/crm/v8/users?type=DeactiveUsers');
    expect(users).toMatchObject({ status: 200, body: { users: [{ id, status: 'disabled' }] } });
    const back = await all('PATCH', `/orgs/${ORG}/users/${id}`, { status: 'active' });
    expect(back).toMatchObject({ body: { status: 'active', channels_ended: 0 } });
  });

  test('a removed user is gone for good, but their e-mail address is free and their records keep the name', async () => {
    const { caller, id } = await colleague();
    await open(caller, '1');
    const { body: made } = await caller.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'B' }] });
    const { body: user } = await all('GET', `/orgs/${ORG}/users/${id}`);
    expect(await all('DELETE', `/orgs/${ORG}/users/${id}`)).toMatchObject({ body: { channels_ended: 1 } });
    expect((await all('GET', `/orgs/${ORG}/users/${id}`)).status).toBe(404);
    expect((await channels('?ended=true')).channels).toMatchObject([{ ended_reason: 'user-removed' }]);
    const again = { email: at(user, 'email'), last_name: 'Second', profile: at(user, 'profile', 'id') };
    expect((await all('POST', `/orgs/${ORG}/users`, again)).status).toBe(201);
    const contact = at(made, 'data', 0, 'details', 'id');
    const record = await app.owner.call('GET', `/crm/v8/Contacts/${contact}`);
    expect(at(record.body, 'data', 0, 'Owner', 'name')).toBe('Ada Colleague');
    // What was read can be written back; nothing more is given to them.
    const own = { data: [{ id: contact, Owner: { id }, Last_Name: 'C' }] };
    expect((await app.owner.call('PUT', '/crm/v8/Contacts', own)).status).toBe(200);
    const given = { data: [{ Owner: { id }, Last_Name: 'D' }] };
    const refused = { status: 400, body: { data: [{ code: 'INVALID_DATA', details: { parent_api_name: 'Owner' } }] } };
    expect(await app.owner.call('POST', '/crm/v8/Contacts', given)).toMatchObject(refused);
  });

  test('a removed client takes its tokens and the channels that it opened with it, also expired ones', async () => {
    await open(app.owner, '1');
    await open(app.owner, '2');
    app.clock.advance(2 * 3_600_000);
    await open(app.owner, '3');
    const { body } = await all('DELETE', `/orgs/${ORG}/clients/1000.DEV`);
    expect(body).toEqual({ status: 'removed', channels_ended: 3 });
    expect((await app.owner.call('GET', '/crm/v8/org')).status).toBe(401);
    const reasons = (await channels('?ended=true&client=1000.DEV')).channels.map((channel) => channel.ended_reason);
    expect(reasons).toEqual(['client-removed', 'client-removed', 'client-removed']);
    expect((await all('GET', `/orgs/${ORG}/tokens?client=1000.DEV`)).body).toMatchObject({ tokens: [] });
  });

  test('a profile that changes holds for the very next request, and one that is used stays', async () => {
    expect((await app.owner.call('GET', '/crm/v8/Deals')).status).not.toBe(403);
    await all('PATCH', `/orgs/${ORG}/profiles/${PROFILE}`, { denied_modules: ['Deals'] });
    expect((await app.owner.call('GET', '/crm/v8/Deals')).status).toBe(403);
    expect(await all('DELETE', `/orgs/${ORG}/profiles/${PROFILE}`)).toMatchObject({
      status: 403,
      body: { details: { api_name: 'profile' } },
    });
    const { body } = await all('POST', `/orgs/${ORG}/profiles`, { name: 'Unused' });
    expect((await all('DELETE', `/orgs/${ORG}/profiles/${at(body, 'id')}`)).status).toBe(200);
    expect((await all('GET', `/orgs/${ORG}/profiles/${at(body, 'id')}`)).status).toBe(404);
  });

  test('a new name and time zone hold for the very next request', async () => {
    await all('PATCH', `/orgs/${ORG}`, { name: 'Renamed', time_zone: 'Asia/Kolkata' });
    const { body } = await app.owner.call('GET', '/crm/v8/org');
    expect(body).toMatchObject({ org: [{ company_name: 'Renamed', time_zone: 'Asia/Kolkata' }] });
    const { body: made } = await create();
    expect(at(made, 'data', 0, 'details', 'Created_Time')).toMatch(/\+05:30$/);
  });
});

describe('acts at the same time', () => {
  const addUser = async (email: string, profile = PROFILE): Promise<Answer> =>
    all('POST', `/orgs/${ORG}/users`, { email, last_name: 'Hopper', profile });

  test('a user who is removed stays removed, whatever else is changed of them meanwhile', async () => {
    for (let i = 0; i < 5; i += 1) {
      const user = `/orgs/${ORG}/users/${at((await addUser(`a${i}@example.com`)).body, 'id')}`;
      const [changed, removed] = await Promise.all([all('PATCH', user, { last_name: 'Other' }), all('DELETE', user)]);
      expect([200, 404]).toContain(changed.status);
      expect(removed.status).toBe(200);
      expect((await all('GET', user)).status).toBe(404);
    }
  });

  test('changes of one profile do not undo each other, and one that is removed comes not back', async () => {
    for (let i = 0; i < 5; i += 1) {
      const made = await all('POST', `/orgs/${ORG}/profiles`, { name: 'Before' });
      const id = at(made.body, 'id');
      const profile = `/orgs/${ORG}/profiles/${id}`;
      await Promise.all([
        all('PATCH', profile, { denied_modules: ['Deals'] }),
        all('PATCH', profile, { name: 'After' }),
      ]);
      expect((await all('GET', profile)).body).toEqual({ id, name: 'After', denied_modules: ['Deals'] });
      const [, , added] = await Promise.all([
        all('DELETE', profile),
        all('PATCH', profile, { name: 'Again' }),
        addUser(`b${i}@example.com`, id),
      ]);
      const refused = { status: 400, body: { code: 'INVALID_DATA', details: { api_name: 'profile' } } };
      if (added.status === 201) expect((await all('GET', profile)).status).toBe(200);
      else {
        expect(added).toMatchObject(refused);
        expect((await all('GET', profile)).status).toBe(404);
      }
    }
  });
});
