import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idFromSerial, type OrgId, type ProfileId, type UserId } from '../../src/domain/ids.ts';
import { MODULES, STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import type { Org, Principal, Profile, User } from '../../src/domain/org.ts';
import type { ScopeNeed } from '../../src/domain/scope.ts';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { toWire } from '../../src/http/errors.ts';
import { orgRoutes } from '../../src/http/routes/org.ts';
import { settingsRoutes } from '../../src/http/routes/settings.ts';
import { createMetadata } from '../../src/services/metadata.ts';
import type { Store } from '../../src/storage/store.ts';
import { checkInjected } from '../support/oas/inject.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const org: Org = { id: '3652397' as OrgId, name: 'Zylker', timeZone: 'Asia/Kolkata' };
const otherOrg: Org = { id: '4000001' as OrgId, name: 'Other', timeZone: 'UTC' };
const profileOf = (name: string, serial: number, deniedModules: string[]): Profile => ({
  id: idFromSerial(org.id, serial) as ProfileId,
  name,
  deniedModules,
});
const standard = profileOf('Standard', 26_011, []);
const limited = profileOf('Limited', 26_014, ['Deals']);
const userOf = (inOrg: Org, serial: number, firstName: string, profile: Profile): User => ({
  id: idFromSerial(inOrg.id, serial) as UserId,
  email: `${firstName.toLowerCase()}@example.com`,
  firstName,
  lastName: 'Boyle',
  profileId: profile.id,
});
const patricia = userOf(org, 186_017, 'Patricia', standard);
const amelia = userOf(org, 186_018, 'Amelia', limited);
const stranger = userOf(otherOrg, 186_017, 'Stranger', standard);

let dataDir: string;
let store: Store;
let app: FastifyInstance;
let caller: Principal;
const needs: ScopeNeed[] = [];

const signIn = (user: User, profile: Profile): Principal => ({
  org,
  user,
  profile,
  catalog: STANDARD_CATALOG,
  clientId: '1000.TEST',
  scopes: [],
});

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-settings-'));
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32).fill(1), logger: silent });
  for (const known of [org, otherOrg]) {
    await store.accounts.addOrg(known, 0);
    await store.accounts.addProfile(known.id, standard);
  }
  await store.accounts.addProfile(org.id, limited);
  await store.accounts.addUser(org.id, patricia, 0);
  await store.accounts.addUser(org.id, amelia, 0);
  await store.accounts.addUser(otherOrg.id, stranger, 0);

  app = Fastify();
  checkInjected(app);
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = toWire(error);
    return reply.code(status).send(body);
  });
  const metadata = createMetadata({ accounts: store.accounts });
  for (const version of API_VERSIONS) {
    const context = {
      version,
      baseOf: () => '',
      begin: () => () => {},
      authenticate: async () => caller,
      requireScope: (_: Principal, need: ScopeNeed) => {
        needs.push(need);
      },
    };
    app.register(
      async (crm) => {
        settingsRoutes(crm, context, { metadata });
        orgRoutes(crm, context, { metadata });
      },
      { prefix: `/crm/${version}` },
    );
  }
  await app.ready();
  caller = signIn(patricia, standard);
});

afterAll(async () => {
  await app?.close();
  await store?.close();
  await removeData(dataDir);
});

interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
  readonly body: any;
  readonly text: string;
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
  const answer = await app.inject({ method: 'GET', url: `/crm/${path}`, headers });
  return { status: answer.statusCode, text: answer.body, body: answer.body === '' ? undefined : answer.json() };
}

async function asLimitedUser(path: string): Promise<Reply> {
  caller = signIn(amelia, limited);
  try {
    return await get(path);
  } finally {
    caller = signIn(patricia, standard);
  }
}

/** Every value under a key that is an id, however deep. */
function idsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'id' || key === 'zgid' ? [inner] : idsIn(inner)));
}

describe('settings/modules', () => {
  test('lists every module with what clients read of it', async () => {
    const { status, body } = await get('v8/settings/modules');
    expect(status).toBe(200);
    expect(body.modules.map((module: { api_name: string }) => module.api_name)).toEqual(
      MODULES.map((module) => module.apiName),
    );
    expect(body.modules[2]).toMatchObject({
      id: '3652397000000002179',
      api_name: 'Contacts',
      module_name: 'Contacts',
      singular_label: 'Contact',
      plural_label: 'Contacts',
      generated_type: 'default',
      api_supported: true,
      creatable: true,
      editable: true,
      deletable: true,
      viewable: true,
      modified_time: '2026-01-01T05:30:00+05:30',
      profiles: [{ name: 'Standard', id: standard.id }],
    });
  });

  test('says of users that they have no record API', async () => {
    const { body } = await get('v8/settings/modules/users');
    expect(body.modules[0]).toMatchObject({ api_supported: false, creatable: false, viewable: true });
  });

  test.each(['Deals', '3652397000000002181'])('gives one module by name or id: %s', async (asked) => {
    const { status, body } = await get(`v8/settings/modules/${asked}`);
    expect(status).toBe(200);
    expect(body.modules).toHaveLength(1);
    expect(body.modules[0]).toMatchObject({ api_name: 'Deals', display_field: { api_name: 'Deal_Name' } });
  });

  test.each([
    '2026-11-20T21:07:07Z',
    '2026-11-20T21:07:07+05:30',
    'Fri Nov 20 2026 21:07:09 GMT+0000 (Coordinated Universal Time)',
    'Fri, 20 Nov 2026 21:07:09 GMT',
  ])('has nothing new since %s', async (since) => {
    expect(await get('v8/settings/modules', { 'if-modified-since': since })).toEqual({ status: 304, text: '' });
  });

  test.each(['2020-01-01T00:00:00Z', 'yesterday', ''])('answers in full when asked since %j', async (since) => {
    expect((await get('v8/settings/modules', { 'if-modified-since': since })).status).toBe(200);
  });

  test('hides a module from a profile that is denied it, and refuses to describe it', async () => {
    const { body } = await asLimitedUser('v8/settings/modules');
    expect(body.modules).toHaveLength(MODULES.length - 1);
    expect(body.modules.map((module: { api_name: string }) => module.api_name)).not.toContain('Deals');
    for (const path of ['modules/Deals', 'modules/3652397000000002181', 'fields?module=Deals']) {
      expect(await asLimitedUser(`v8/settings/${path}`)).toMatchObject({
        status: 403,
        body: { code: 'NO_PERMISSION', details: { permissions: ['Crm_Implied_View_Deals'] }, status: 'error' },
      });
    }
  });

  test.each(['modules/contacts', 'modules/Nothing', 'fields?module=Nothing', 'related_lists?module=Nothing'])(
    'refuses an unknown module: %s',
    async (path) => {
      expect(await get(`v8/settings/${path}`)).toMatchObject({
        status: 400,
        body: {
          code: 'INVALID_MODULE',
          details: {},
          message: 'the module name given seems to be invalid',
          status: 'error',
        },
      });
    },
  );
});

describe('settings/fields', () => {
  const fieldOf = async (version: string, module: string, name: string) => {
    const { body } = await get(`${version}/settings/fields?module=${module}`);
    return body.fields.find((field: { api_name: string }) => field.api_name === name);
  };

  test.each(MODULES.map((module) => module.apiName))('describes each field of %s', async (name) => {
    const { status, body } = await get(`v8/settings/fields?module=${name}`);
    expect(status).toBe(200);
    expect(body.fields).toHaveLength(MODULES.find((module) => module.apiName === name)!.fields.length);
    for (const field of body.fields) {
      expect(field).toMatchObject({ api_name: expect.any(String), data_type: expect.any(String), custom_field: false });
    }
  });

  test('says type, length and what is mandatory', async () => {
    expect(await fieldOf('v8', 'Contacts', 'Last_Name')).toMatchObject({
      data_type: 'text',
      json_type: 'string',
      field_label: 'Last Name',
      system_mandatory: true,
      length: 80,
      read_only: false,
      lookup: {},
      pick_list_values: [],
    });
    expect(await fieldOf('v8', 'Contacts', 'Full_Name')).toMatchObject({
      read_only: true,
      operation_type: { api_create: false },
    });
    expect(await fieldOf('v8', 'Accounts', 'Account_Number')).toMatchObject({ unique: { casesensitive: 'false' } });
    expect(await fieldOf('v8', 'Contacts', 'Last_Name')).toMatchObject({ unique: {} });
  });

  test('gives the module of a lookup as an object from v3 on, as its name before', async () => {
    for (const version of API_VERSIONS) {
      const { lookup } = await fieldOf(version, 'Deals', 'Account_Name');
      if (version === 'v2' || version === 'v2.1') expect(lookup.module).toBe('Accounts');
      else expect(lookup.module).toMatchObject({ api_name: 'Accounts', id: '3652397000000002177' });
    }
  });

  test('offers no value only where a field may be left empty', async () => {
    const display = (field: { pick_list_values: { display_value: string }[] }) =>
      field.pick_list_values.map((value) => value.display_value);
    expect(display(await fieldOf('v8', 'Leads', 'Salutation'))).toEqual([
      '-None-',
      'Mr.',
      'Mrs.',
      'Ms.',
      'Dr.',
      'Prof.',
    ]);
    expect(display(await fieldOf('v8', 'Deals', 'Stage'))[0]).toBe('Qualification');
  });

  test("tells the chance that belongs to a deal's stage", async () => {
    const { pick_list_values } = await fieldOf('v8', 'Deals', 'Stage');
    expect(pick_list_values).toContainEqual(
      expect.objectContaining({ display_value: 'Proposal/Price Quote', probability: 75, forecast_type: 'Open' }),
    );
  });

  test('gives one field by its id', async () => {
    const { id } = await fieldOf('v8', 'Deals', 'Amount');
    const { status, body } = await get(`v8/settings/fields/${id}?module=Deals`);
    expect([status, body.fields.length, body.fields[0].api_name]).toEqual([200, 1, 'Amount']);
    expect(await get(`v8/settings/fields/${id}?module=Leads`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { api_name: 'id' } },
    });
  });

  test.each([
    ['v2', { param_name: 'module', param: 'module' }],
    ['v8', { param: 'module' }],
  ])('names the missing parameter as %s does', async (version, details) => {
    for (const query of ['', '?module=']) {
      expect(await get(`${version}/settings/fields${query}`)).toEqual({
        status: 400,
        text: expect.any(String),
        body: {
          code: 'REQUIRED_PARAM_MISSING',
          details,
          message: 'One of the expected parameter is missing',
          status: 'error',
        },
      });
    }
  });
});

describe('settings/related_lists', () => {
  test('lists the modules whose records point at those of the module asked', async () => {
    const { body } = await get('v8/settings/related_lists?module=Vendors');
    expect(body.related_lists.map((list: { api_name: string }) => list.api_name)).toEqual([
      'Contacts',
      'Tasks',
      'Events',
      'Calls',
      'Products',
      'Purchase_Orders',
      'Notes',
    ]);
    expect(body.related_lists[0]).toMatchObject({
      name: 'Contacts',
      href: 'Vendors/{ENTITYID}/Contacts',
      module: { api_name: 'Contacts' },
      sequence_number: '1',
    });
    const older = await get('v2/settings/related_lists?module=Vendors');
    expect(older.body.related_lists[0].module).toBe('Contacts');
  });

  test('is empty where nothing points', async () => {
    expect(await get('v8/settings/related_lists?module=users')).toEqual({ status: 204, text: '' });
  });
});

describe('org and users', () => {
  test('the organisation is told by its id, name and time zone', async () => {
    const { status, body } = await get('v8/org');
    expect(status).toBe(200);
    expect(body.org).toHaveLength(1);
    expect(body.org[0]).toMatchObject({ zgid: '3652397', company_name: 'Zylker', time_zone: 'Asia/Kolkata' });
  });

  test('the current user is the caller', async () => {
    const { status, body } = await get('v8/users?type=CurrentUser');
    expect(status).toBe(200);
    expect(body.users).toHaveLength(1);
    expect(body.users[0]).toMatchObject({
      id: '3652397000000186017',
      email: 'patricia@example.com',
      full_name: 'Patricia Boyle',
      profile: { name: 'Standard', id: standard.id },
      status: 'active',
    });
    expect(body.info).toEqual({ per_page: 200, count: 1, page: 1, more_records: false });
  });

  test.each(['users', 'users?type=AllUsers', 'users?type=ActiveUsers'])(
    '%s lists the people of the own organisation only',
    async (path) => {
      const { body } = await get(`v8/${path}`);
      expect(body.users.map((user: { id: string }) => user.id)).toEqual([patricia.id, amelia.id]);
      expect(body.users[1].profile.name).toBe('Limited');
    },
  );

  test('people are listed page by page', async () => {
    const first = await get('v8/users?type=AllUsers&page=1&per_page=1');
    const second = await get('v8/users?type=AllUsers&page=2&per_page=1');
    expect(first.body.info).toEqual({ per_page: 1, count: 1, page: 1, more_records: true });
    expect(second.body.info).toEqual({ per_page: 1, count: 1, page: 2, more_records: false });
    expect(second.body.users[0].id).toBe(amelia.id);
    expect((await get('v8/users?type=AllUsers&page=3&per_page=1')).status).toBe(204);
  });

  test.each([
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['page=x', 'page'],
    ['page=99999999999999999999', 'page'],
    ['per_page=201', 'per_page'],
    ['per_page=', 'per_page'],
    ['type=Nobody', 'type'],
    ['type=constructor', 'type'],
  ])('refuses users?%s and names %s', async (query, parameter) => {
    expect(await get(`v8/users?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { api_name: parameter }, status: 'error' },
    });
  });

  test('nobody is inactive', async () => {
    expect(await get('v8/users?type=DeactiveUsers')).toEqual({ status: 204, text: '' });
  });

  test('a user is given by id, and one of another organisation is not there', async () => {
    const { body } = await get(`v8/users/${amelia.id}`);
    expect(body.users[0].email).toBe('amelia@example.com');
    expect((await get(`v8/users/${stranger.id}`)).status).toBe(204);
    expect(await get('v8/users/me')).toMatchObject({ status: 400, body: { code: 'INVALID_DATA' } });
  });
});

test.each([
  ['settings/modules', { family: 'settings', part: 'modules' }],
  ['settings/modules/Leads', { family: 'settings', part: 'modules' }],
  ['settings/fields?module=Leads', { family: 'settings', part: 'fields' }],
  ['settings/related_lists?module=Leads', { family: 'settings', part: 'related_lists' }],
  ['org', { family: 'org' }],
  ['users', { family: 'users' }],
])('%s asks for the scope to read %j', async (path, need) => {
  needs.length = 0;
  await get(`v8/${path}`);
  expect(needs).toEqual([{ ...need, operations: ['READ'] }]);
});

test('every id is a string of digits, in every version', async () => {
  for (const version of API_VERSIONS) {
    for (const path of ['settings/modules', 'settings/fields?module=Deals', 'org', 'users']) {
      const ids = idsIn((await get(`${version}/${path}`)).body);
      expect(ids.length).toBeGreaterThan(0);
      expect(ids.filter((id) => typeof id !== 'string' || !/^\d+$/.test(id))).toEqual([]);
    }
  }
});

test('what only can be read is answered so to other methods', async () => {
  const answer = await app.inject({ method: 'POST', url: '/crm/v8/settings/modules' });
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'INVALID_REQUEST_METHOD']);
});
