import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrgId, UserId } from '../../src/domain/ids.ts';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { cells, page, tableRows } from '../docs/page.ts';
import { readOperations } from '../fuzz/world.ts';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { asksOf, difference, keyOf, type Route, shown, targetOf } from '../tenancy/callers.ts';
import { createMatrix, type Matrix } from '../tenancy/matrix.ts';
import { ADMIN_ROWS, type Ask, CRM_ROWS, NODE_ROWS, type Rows } from '../tenancy/rows.ts';
import { stateOf } from '../tenancy/state.ts';
import {
  type Answer,
  makeWorld,
  type Names,
  nobodyLike,
  type Send,
  sender,
  signIn,
  type World,
} from '../tenancy/world.ts';

const HOUR_MS = 3_600_000;

const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-tenancy-'));
const time = { now: Date.UTC(2026, 0, 5, 9) };
let app: LiveApp;
let send: Send;
let close: () => Promise<void>;
/** Whose things are asked for. */
let theirs: World;
/** Of another organisation. */
let other: World;
let nobody: Names;
/** Access tokens of their first user. */
let expired: string;
let revoked: string;
let revokedAdmin: string;
let routes: readonly (Route & { readonly versions: readonly string[] })[];

const crmCallers = ['owner', 'stranger', 'colleague', 'admin token', 'none', 'wrong', 'expired', 'revoked', 'scopes'];
const adminCallers = [
  'own',
  'all',
  'other',
  'other, at home',
  'all, elsewhere',
  'access token',
  'none',
  'wrong',
  'revoked',
];
const matrices = {
  crm: createMatrix('/crm/{version}', crmCallers),
  admin: createMatrix('/_watchbell/v1', adminCallers),
};

beforeAll(async () => {
  app = await startLiveApp({ dataDir, realNow: () => time.now });
  ({ send, close } = sender(app.base));
  time.now -= 2 * HOUR_MS;
  theirs = await makeWorld(app, send, 'a');
  expired = theirs.accessToken;
  time.now += 2 * HOUR_MS;
  theirs = { ...theirs, accessToken: await signIn(app, theirs) };
  revoked = await signIn(app, theirs);
  expect((await send('POST', `/oauth/v2/token/revoke?token=${revoked}`, undefined)).status).toBe(200);
  revokedAdmin = await makeRevokedAdmin();
  other = await makeWorld(app, send, 'b');
  nobody = nobodyLike(theirs.names);
  routes = (await readOperations(app)).filter(({ path }) => /^\/(crm|_watchbell\/v1)\//.test(path));
});

afterAll(async () => {
  if (process.env.WATCHBELL_TEST_PRINT) {
    process.stdout.write(`\n${matrices.crm.print()}\n\n${matrices.admin.print()}\n`);
  }
  await close();
  await app.stop();
});

const oauth = (token: string) => `Zoho-oauthtoken ${token}`;
const bearer = (token: string) => `Bearer ${token}`;
/** What a colleague may do concerns other tables, and rows of their own. */
const COLLEAGUE_MAY_NOT_TOUCH = ['record', 'deleted_record', 'record_key', 'record_change', 'user_account', 'profile'];

/** Another user of that organisation, with all scopes, whose profile denies what the names are of. */
async function colleague(): Promise<string> {
  const { org, module } = theirs.names;
  const orgId = org as OrgId;
  const { accounts } = app.app;
  const deniedModules = [module, 'Contacts', 'Accounts', 'Notes'];
  const profile = await accounts.addProfile(orgId, { name: 'Narrow', deniedModules });
  const user = { email: 'colleague@a.example.com', firstName: '', lastName: 'Colleague', profileId: profile.id };
  const { id: userId } = await accounts.addUser(orgId, user);
  const { clientId, clientSecret } = theirs;
  const refreshToken = await accounts.makeRefreshToken({ orgId, userId, clientId });
  return signIn(app, { clientId, clientSecret, refreshToken });
}

/** An admin token of an organisation that goes on without it. */
async function makeRevokedAdmin(): Promise<string> {
  const { adminToken, names } = await makeWorld(app, send, 'r');
  const path = `/_watchbell/v1/orgs/${names.org}/tokens`;
  const listed = await send('GET', path, bearer(adminToken));
  const { tokens } = JSON.parse(listed.text) as { tokens: { id: string; kind: string }[] };
  const [own] = tokens.filter(({ kind }) => kind === 'admin');
  expect((await send('DELETE', `${path}/${own?.id}`, bearer(adminToken))).status).toBe(200);
  return adminToken;
}

const isCrm = ({ path }: Route): boolean => path.startsWith('/crm/');

function rowOf(rows: Rows, route: Route): Rows[string] {
  const row = rows[keyOf(route)];
  if (!row) throw new Error(`${keyOf(route)} has no row in test/tenancy/rows.ts`);
  return row;
}

interface Comparison {
  readonly version?: string;
  readonly here?: Names;
  readonly there?: Names;
  /** Of the caller. */
  readonly org?: string;
  /** In no answer. */
  readonly hidden?: string;
}

/** Calls a route with both sets of names, as the same caller: what it was answered, and what tells one from the other. */
async function compare(
  route: Route,
  row: Rows[string],
  authorization: string | undefined,
  { version = 'v8', here = theirs.names, there = nobody, org = theirs.names.org, hidden }: Comparison = {},
): Promise<{ readonly statuses: readonly number[]; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  const statuses: number[] = [];
  const without = asksOf(row(there));
  for (const [i, ask] of asksOf(row(here)).entries()) {
    const nothing = without[i] ?? ask;
    const one = await send(route.method, targetOf(route, ask, version), authorization, ask.body);
    const none = await send(route.method, targetOf(route, nothing, version), authorization, nothing.body);
    const [a, b] = [shown(one, here, org), shown(none, there, org)];
    const what = `${route.method} ${targetOf(route, ask, version)}`;
    if (a !== b) faults.push(`${what}: ${difference(a, b)}`);
    if (hidden !== undefined && one.text.includes(hidden)) faults.push(`${what} tells ${hidden}`);
    statuses.push(one.status);
  }
  return { statuses, faults };
}

test('each route that takes a token has a row of names, and no row is left over', () => {
  const known = Object.keys({ ...CRM_ROWS, ...ADMIN_ROWS, ...NODE_ROWS });
  const served = routes.map(keyOf);
  const added = served.filter((key) => !known.includes(key));
  expect(added, 'give these a row in test/tenancy/rows.ts: names by which their own people succeed').toEqual([]);
  expect(known.filter((key) => !served.includes(key))).toEqual([]);
});

describe('under /crm', () => {
  test('a user of another organisation neither learns what there is nor changes it', async () => {
    const before = stateOf(dataDir, theirs.names.org);
    const faults: string[] = [];
    for (const route of crm()) {
      for (const version of API_VERSIONS) {
        const options = { version, hidden: theirs.mark };
        const found = await compare(route, rowOf(CRM_ROWS, route), oauth(other.accessToken), options);
        faults.push(...found.faults);
        noteAll(matrices.crm, route, 'stranger', found.statuses);
      }
    }
    expect(faults).toEqual([]);
    expect(stateOf(dataDir, theirs.names.org)).toEqual(before);
  });

  test('another user neither learns of channels and of records of denied modules, nor changes them', async () => {
    const token = await colleague();
    // All users of an organisation may know who they are and what modules there are.
    const { module, field, fieldId, user } = theirs.names;
    const there = { ...nobody, module, field, fieldId, user };
    const watched = () => send('GET', '/crm/v8/actions/watch', oauth(theirs.accessToken));
    const [before, watchedBefore] = [stateOf(dataDir, theirs.names.org, COLLEAGUE_MAY_NOT_TOUCH), await watched()];
    const faults: string[] = [];
    for (const route of crm()) {
      const found = await compare(route, rowOf(CRM_ROWS, route), oauth(token), { there, hidden: theirs.kept });
      faults.push(...found.faults);
      noteAll(matrices.crm, route, 'colleague', found.statuses);
    }
    expect(faults).toEqual([]);
    expect(stateOf(dataDir, theirs.names.org, COLLEAGUE_MAY_NOT_TOUCH)).toEqual(before);
    expect(watchedBefore.text).toContain(theirs.names.channel);
    expect(await watched()).toEqual(watchedBefore);
  });

  test('who has no access token is told nothing else', async () => {
    const before = stateOf(dataDir, theirs.names.org);
    const callers = {
      'admin token': `Bearer ${theirs.adminToken}`,
      none: undefined,
      wrong: oauth(`1000.${'0'.repeat(32)}.${'0'.repeat(32)}`),
      expired: oauth(expired),
      revoked: oauth(revoked),
    };
    const faults: string[] = [];
    for (const route of crm()) {
      for (const [name, authorization] of Object.entries(callers)) {
        const found = await compare(route, rowOf(CRM_ROWS, route), authorization);
        faults.push(...found.faults);
        if (found.statuses.some((status) => status !== 401)) faults.push(`${keyOf(route)} answers ${name} otherwise`);
        noteAll(matrices.crm, route, name, found.statuses);
      }
    }
    expect(faults).toEqual([]);
    expect(stateOf(dataDir, theirs.names.org)).toEqual(before);
  });
});

describe('under /_watchbell/v1', () => {
  test('the operator of another organisation neither learns what there is nor changes it', async () => {
    const before = stateOf(dataDir, theirs.names.org);
    const faults: string[] = [];
    for (const route of admin()) {
      const row = rowOf(ADMIN_ROWS, route);
      const options = { org: other.names.org, hidden: theirs.mark };
      const found = await compare(route, row, bearer(other.adminToken), options);
      faults.push(...found.faults);
      const isAllowed = keyOf(route) === 'GET /_watchbell/v1/orgs';
      if (!isAllowed && found.statuses.some((status) => status !== 403)) faults.push(`${keyOf(route)} is let through`);
      noteAll(matrices.admin, route, 'other', found.statuses);
    }
    expect(faults).toEqual([]);
    expect(stateOf(dataDir, theirs.names.org)).toEqual(before);
  });

  test('names of one organisation name nothing in another, for its operator nor for that of all', async () => {
    const before = stateOf(dataDir, theirs.names.org);
    const faults: string[] = [];
    const { org } = other.names;
    const [here, there] = [theirs.names, nobody].map((names) => ({ ...names, org })) as [Names, Names];
    const callers = { 'other, at home': bearer(other.adminToken), 'all, elsewhere': bearer('dev-admin') };
    for (const route of admin()) {
      const row = rowOf(ADMIN_ROWS, route);
      const isAboutMore = JSON.stringify(row(here)) !== JSON.stringify(row(there));
      if (!isAboutMore) continue;
      for (const [name, authorization] of Object.entries(callers)) {
        const found = await compare(route, row, authorization, { here, there, org, hidden: theirs.mark });
        faults.push(...found.faults);
        noteAll(matrices.admin, route, name, found.statuses);
      }
    }
    expect(faults).toEqual([]);
    expect(stateOf(dataDir, theirs.names.org)).toEqual(before);
  });

  test('who has no admin token is told nothing else', async () => {
    const before = stateOf(dataDir, theirs.names.org);
    const callers = {
      'access token': bearer(theirs.accessToken),
      none: undefined,
      wrong: bearer('0'.repeat(48)),
      revoked: bearer(revokedAdmin),
    };
    const faults: string[] = [];
    for (const route of routes.filter((one) => !isCrm(one))) {
      for (const [name, authorization] of Object.entries(callers)) {
        const found = await compare(route, rowOf({ ...ADMIN_ROWS, ...NODE_ROWS }, route), authorization);
        faults.push(...found.faults);
        if (found.statuses.some((status) => status !== 401)) faults.push(`${keyOf(route)} answers ${name} otherwise`);
        noteAll(matrices.admin, route, name, found.statuses);
      }
    }
    expect(faults).toEqual([]);
    expect(stateOf(dataDir, theirs.names.org)).toEqual(before);
  });

  test('what is of the whole node is for the operator of all only', async () => {
    const faults: string[] = [];
    for (const route of routes.filter((one) => keyOf(one) in NODE_ROWS)) {
      for (const [name, token, isLet] of [
        ['own', theirs.adminToken, false],
        ['all', 'dev-admin', true],
      ] as const) {
        const { statuses } = await compare(route, rowOf(NODE_ROWS, route), bearer(token));
        if (statuses.some((status) => (isLet ? status >= 300 : status !== 403))) faults.push(`${keyOf(route)} ${name}`);
        noteAll(matrices.admin, route, name, statuses);
      }
    }
    expect(faults).toEqual([]);
  });
});

describe('each row of names', () => {
  /** What is wrong with the first call of a row, made by its own people. */
  async function faultsOf(route: Route, rows: Rows, world: World): Promise<string[]> {
    const [named, unnamed] = [world.names, nobodyLike(world.names)].map(
      (names) => asksOf(rowOf(rows, route)(names))[0],
    );
    if (!named || !unnamed) return [`${keyOf(route)} has an empty row`];
    if (keyOf(route) === 'DELETE /_watchbell/v1/orgs/{org}/modules/{module}') await removeRecords(world);
    const own = isCrm(route) ? oauth(world.accessToken) : bearer(named.ofAll ? 'dev-admin' : world.adminToken);
    const ask = (what: Ask) => send(route.method, targetOf(route, what, 'v8'), own, what.body);
    const none = named.always ? undefined : await ask(unnamed);
    const one = await ask(named);
    if (isCrm(route)) matrices.crm.note(keyOf(route), 'owner', String(one.status));
    else matrices.admin.note(keyOf(route), named.ofAll ? 'all' : 'own', String(one.status));
    if (!isCrm(route) && route.method === 'GET') {
      const ofAll = await send('GET', targetOf(route, named, 'v8'), bearer('dev-admin'));
      matrices.admin.note(keyOf(route), 'all', String(ofAll.status));
      if (!succeeded(ofAll)) return [`${keyOf(route)} for the operator of all: ${ofAll.status}`];
    }
    return [
      ...(succeeded(one) ? [] : [`${keyOf(route)}: ${one.status} ${one.text.slice(0, 300)}`]),
      ...(none && succeeded(none) ? [`${keyOf(route)} of nothing: ${none.status} ${none.text.slice(0, 300)}`] : []),
    ];
  }

  const succeeded = ({ status }: Answer): boolean => status === 200 || status === 201 || status === 202;

  /** A module that has records stays. */
  async function removeRecords({ names: { module }, accessToken }: World): Promise<void> {
    const listed = await send('GET', `/crm/v8/${module}?fields=id`, oauth(accessToken));
    const { data } = JSON.parse(listed.text) as { data: { id: string }[] };
    await send('DELETE', `/crm/v8/${module}?ids=${data.map(({ id }) => id).join(',')}`, oauth(accessToken));
  }

  test('lets its own people succeed, but not with names of nothing', async () => {
    const faults: string[] = [];
    const shared = await makeWorld(app, send, 'o');
    for (const [i, route] of [...crm(), ...admin()].entries()) {
      // What may change it has an organisation of its own.
      const world = route.method === 'GET' ? shared : await makeWorld(app, send, `o${i}`);
      faults.push(...(await faultsOf(route, isCrm(route) ? CRM_ROWS : ADMIN_ROWS, world)));
    }
    expect(faults).toEqual([]);
  });
});

test('each single scope opens the calls that the table of scopes names, and no other', async () => {
  const tokens = await Promise.all(SINGLE_SCOPES.map((scope) => tokenWith(scope)));
  const faults: string[] = [];
  for (const line of tableRows(page('compatibility.md'), 'scopes')) {
    const { route, version, family, operations, isRemoving } = readScopeRow(line);
    const asks = asksOf(rowOf(CRM_ROWS, route)(nobodyLike(other.names)));
    const ask = isRemoving ? asks[1] : asks[0];
    if (!ask) throw new Error(`${line}: the row has no such call`);
    const part = settingsPart(route) ?? ask.path?.related ?? ask.path?.module;
    const open = (scope: string): boolean => {
      const [, ofFamily, ...rest] = scope.split('.');
      const [operation = '', ofPart] = rest.reverse();
      return ofFamily === family && operations.includes(operation) && (ofPart === undefined || ofPart === part);
    };
    let opened = 0;
    await inTurns(SINGLE_SCOPES, async (scope, i) => {
      const target = targetOf(route, ask, version);
      const { text } = await send(route.method, target, oauth(tokens[i] ?? ''), ask.body);
      const isOpen = !text.includes('OAUTH_SCOPE_MISMATCH');
      if (isOpen) opened += 1;
      if (isOpen !== open(scope))
        faults.push(`${scope} ${isOpen ? 'opens' : 'does not open'} ${route.method} ${target}`);
    });
    if (!isRemoving) matrices.crm.note(keyOf(route), 'scopes', `${opened} of ${SINGLE_SCOPES.length}`);
  }
  expect(faults).toEqual([]);
});

const OPERATIONS = ['ALL', 'READ', 'CREATE', 'UPDATE', 'WRITE', 'DELETE'];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  notifications: [],
  modules: ['Contacts', 'Accounts', 'Notes', 'Nowhere'],
  mass_update: ['Contacts', 'Leads'],
  mass_delete: ['Contacts', 'Leads'],
  settings: ['modules', 'fields', 'related_lists', 'tags', 'recycle_bin'],
  org: [],
  users: [],
  // Grants nothing.
  coql: [],
};
const SINGLE_SCOPES = Object.entries(PARTS).flatMap(([family, parts]) =>
  [family, ...parts.map((part) => `${family}.${part}`)].flatMap((name) =>
    OPERATIONS.map((operation) => `ZohoCRM.${name}.${operation}`),
  ),
);

/** The kind of metadata that a path below `settings` is about. */
const settingsPart = ({ path }: Route): string | undefined => /\/settings\/(\w+)/.exec(path)?.[1];

/** A line of the table of scopes in docs/compatibility.md. */
function readScopeRow(line: string) {
  const [call = '', versions = '', family = '', operations = ''] = cells(line);
  const [, method = '', named = '', removing] = /^`(\w+) (\S+)`( with)?/.exec(call) ?? [];
  const path = `/crm/{version}/${named.replace('{related}/{id}', '{related}/{relatedId}')}`;
  return {
    route: { method, path },
    version: versions.split(/, | … /).at(-1) ?? '',
    family,
    operations: operations.split(', '),
    isRemoving: removing !== undefined,
  };
}

/** An access token of the first user of the other organisation, with one scope. */
async function tokenWith(scope: string): Promise<string> {
  const { clientId, clientSecret, names } = other;
  const orgId = names.org as OrgId;
  const userId = `${names.org}000000186017` as UserId;
  const refreshToken = await app.app.accounts.makeRefreshToken({ orgId, userId, clientId, scopes: [scope] });
  return signIn(app, { clientId, clientSecret, refreshToken });
}

const AT_ONCE = 8;

async function inTurns<Item>(items: readonly Item[], act: (item: Item, i: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    await Promise.all(items.slice(i, i + AT_ONCE).map((item, k) => act(item, i + k)));
  }
}

const noteAll = (matrix: Matrix, route: Route, caller: string, statuses: readonly number[]): void => {
  for (const status of statuses) matrix.note(keyOf(route), caller, String(status));
};

const admin = () => routes.filter((route) => keyOf(route) in ADMIN_ROWS);
const crm = () => routes.filter(isCrm);
