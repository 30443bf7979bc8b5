import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { page, tableRows } from '../docs/page.ts';
import { asksOf, keyOf, type Route, targetOf } from '../tenancy/callers.ts';
import { createMatrix, type Matrix } from '../tenancy/matrix.ts';
import { ADMIN_ROWS, type Ask, CRM_ROWS, NODE_ROWS, OWNER_ROWS, type Rows } from '../tenancy/rows.ts';
import { isOpenedBy, readScopeRow, SINGLE_SCOPES } from '../tenancy/scopes.ts';
import {
  bearer,
  colleagueOf,
  isCrm,
  oauth,
  rowOf,
  setTenancyStage,
  type TenancyStage,
  takesAccessToken,
  tokenWith,
} from '../tenancy/stage.ts';
import { stateOf } from '../tenancy/state.ts';
import { type Answer, makeWorld, type Names, nobodyLike, type Send, type World } from '../tenancy/world.ts';

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
  crm: createMatrix('by access token', crmCallers),
  admin: createMatrix('by admin token', adminCallers),
};

let stage: TenancyStage;
let compare: TenancyStage['compare'];
let send: Send;
let theirs: World;
let other: World;
let nobody: Names;

beforeAll(async () => {
  stage = await setTenancyStage();
  ({ compare, send, theirs, other, nobody } = stage);
}, 120_000);

afterAll(async () => {
  if (process.env.WATCHBELL_TEST_PRINT) {
    process.stdout.write(`\n${matrices.crm.print()}\n\n${matrices.admin.print()}\n`);
  }
  await stage.close();
});

/** Calls of an access token, and what they name. */
const ACCESS_ROWS = { ...CRM_ROWS, ...OWNER_ROWS };
const accessed = () => stage.routes.filter(takesAccessToken);
const versionsOf = (route: Route) => (isCrm(route) ? API_VERSIONS : ['v8']);
const admin = () => stage.routes.filter((route) => keyOf(route) in ADMIN_ROWS);
const state = (only?: readonly string[]) => stateOf(stage.dataDir, theirs.names.org, only);

const noteAll = (matrix: Matrix, route: Route, caller: string, statuses: readonly number[]): void => {
  for (const status of statuses) matrix.note(keyOf(route), caller, String(status));
};

/** What a colleague may do concerns other tables, and rows of their own. */
const COLLEAGUE_MAY_NOT_TOUCH = ['record', 'deleted_record', 'record_key', 'record_change', 'user_account', 'profile'];

test('each route that takes a token has a row of names, and no row is left over', () => {
  const known = Object.keys({ ...ACCESS_ROWS, ...ADMIN_ROWS, ...NODE_ROWS });
  const served = stage.routes.map(keyOf);
  const added = served.filter((key) => !known.includes(key));
  expect(added, 'give these a row in test/tenancy/rows.ts: names by which their own people succeed').toEqual([]);
  const ofOrganisations = Object.keys({ ...ACCESS_ROWS, ...ADMIN_ROWS });
  expect(ofOrganisations.filter((key) => !served.includes(key))).toEqual([]);
});

describe('what takes an access token', () => {
  test('a user of another organisation neither learns what there is nor changes it', async () => {
    const before = await state();
    const faults: string[] = [];
    for (const route of accessed()) {
      for (const version of versionsOf(route)) {
        const options = { version, hidden: theirs.mark };
        const found = await compare(route, rowOf(ACCESS_ROWS, route), oauth(other.accessToken), options);
        faults.push(...found.faults);
        noteAll(matrices.crm, route, 'stranger', found.statuses);
      }
    }
    expect(faults).toEqual([]);
    expect(await state()).toEqual(before);
  });

  test('another user neither learns of channels and of records of denied modules, nor changes them', async () => {
    const token = await colleagueOf(stage.app, theirs);
    // All users of an organisation may know who they are and what modules there are.
    const { module, field, fieldId, external, user } = theirs.names;
    const there = { ...nobody, module, field, fieldId, external, user };
    const watched = () => send('GET', '/crm/v8/actions/watch', oauth(theirs.accessToken));
    const [before, watchedBefore] = [await state(COLLEAGUE_MAY_NOT_TOUCH), await watched()];
    const faults: string[] = [];
    for (const route of accessed()) {
      const found = await compare(route, rowOf(ACCESS_ROWS, route), oauth(token), { there, hidden: theirs.kept });
      faults.push(...found.faults);
      noteAll(matrices.crm, route, 'colleague', found.statuses);
    }
    expect(faults).toEqual([]);
    expect(await state(COLLEAGUE_MAY_NOT_TOUCH)).toEqual(before);
    expect(watchedBefore.text).toContain(theirs.names.channel);
    expect(await watched()).toEqual(watchedBefore);
  });

  test('who has no access token is told nothing else', async () => {
    const before = await state();
    const callers = {
      'admin token': `Bearer ${theirs.adminToken}`,
      none: undefined,
      wrong: oauth(`1000.${'0'.repeat(32)}.${'0'.repeat(32)}`),
      expired: oauth(stage.expired),
      revoked: oauth(stage.revoked),
    };
    const faults: string[] = [];
    for (const route of accessed()) {
      for (const [name, authorization] of Object.entries(callers)) {
        const found = await compare(route, rowOf(ACCESS_ROWS, route), authorization);
        faults.push(...found.faults);
        if (found.statuses.some((status) => status !== 401)) faults.push(`${keyOf(route)} answers ${name} otherwise`);
        noteAll(matrices.crm, route, name, found.statuses);
      }
    }
    expect(faults).toEqual([]);
    expect(await state()).toEqual(before);
  });
});

describe('what takes an admin token', () => {
  test('the operator of another organisation neither learns what there is nor changes it', async () => {
    const before = await state();
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
    expect(await state()).toEqual(before);
  });

  test('names of one organisation name nothing in another, for its operator nor for that of all', async () => {
    const before = await state();
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
    expect(await state()).toEqual(before);
  });

  test('who has no admin token is told nothing else', async () => {
    const before = await state();
    const callers = {
      'access token': bearer(theirs.accessToken),
      none: undefined,
      wrong: bearer('0'.repeat(48)),
      revoked: bearer(stage.revokedAdmin),
    };
    const faults: string[] = [];
    for (const route of stage.routes.filter((one) => !takesAccessToken(one))) {
      for (const [name, authorization] of Object.entries(callers)) {
        const found = await compare(route, rowOf({ ...ADMIN_ROWS, ...NODE_ROWS }, route), authorization);
        faults.push(...found.faults);
        if (found.statuses.some((status) => status !== 401)) faults.push(`${keyOf(route)} answers ${name} otherwise`);
        noteAll(matrices.admin, route, name, found.statuses);
      }
    }
    expect(faults).toEqual([]);
    expect(await state()).toEqual(before);
  });

  test('what is of the whole node is for the operator of all only', async () => {
    const faults: string[] = [];
    for (const route of stage.routes.filter((one) => keyOf(one) in NODE_ROWS)) {
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
    const own = takesAccessToken(route)
      ? oauth(world.accessToken)
      : bearer(named.ofAll ? 'dev-admin' : world.adminToken);
    const ask = (what: Ask) => send(route.method, targetOf(route, what, 'v8'), own, what.body);
    const none = named.always ? undefined : await ask(unnamed);
    const one = await ask(named);
    if (takesAccessToken(route)) matrices.crm.note(keyOf(route), 'owner', String(one.status));
    else matrices.admin.note(keyOf(route), named.ofAll ? 'all' : 'own', String(one.status));
    if (!takesAccessToken(route) && route.method === 'GET') {
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
    const shared = await makeWorld(stage.app, send, 'o');
    for (const [i, route] of [...accessed(), ...admin()].entries()) {
      // What may change it has an organisation of its own.
      const world = route.method === 'GET' ? shared : await makeWorld(stage.app, send, `o${i}`);
      faults.push(...(await faultsOf(route, takesAccessToken(route) ? ACCESS_ROWS : ADMIN_ROWS, world)));
    }
    expect(faults).toEqual([]);
  }, 120_000);
});

test('each single scope opens the calls that the table of scopes names, and no other', async () => {
  const tokens = await Promise.all(SINGLE_SCOPES.map((scope) => tokenWith(stage.app, other, scope)));
  const faults: string[] = [];
  for (const line of tableRows(page('compatibility.md'), 'scopes')) {
    const row = readScopeRow(line);
    const { route, version, isRemoving } = row;
    const asks = asksOf(rowOf(ACCESS_ROWS, route)(nobodyLike(other.names)));
    const ask = isRemoving ? asks[1] : asks[0];
    if (!ask) throw new Error(`${line}: the row has no such call`);
    let opened = 0;
    await inTurns(SINGLE_SCOPES, async (scope, i) => {
      const target = targetOf(route, ask, version);
      const { text } = await send(route.method, target, oauth(tokens[i] ?? ''), ask.body);
      const isOpen = !text.includes('OAUTH_SCOPE_MISMATCH');
      if (isOpen) opened += 1;
      if (isOpen !== isOpenedBy(scope, row, ask))
        faults.push(`${scope} ${isOpen ? 'opens' : 'does not open'} ${route.method} ${target}`);
    });
    if (!isRemoving) matrices.crm.note(keyOf(route), 'scopes', `${opened} of ${SINGLE_SCOPES.length}`);
  }
  expect(faults).toEqual([]);
}, 120_000);

test('each single scope of a family opens the calls of our own API whose description names it, and no other', async () => {
  const scopes = SINGLE_SCOPES.filter((scope) => scope.split('.').length === 3);
  const tokens = await Promise.all(scopes.map((scope) => tokenWith(stage.app, other, scope)));
  const { paths } = JSON.parse((await send('GET', '/_watchbell/openapi.json', undefined)).text) as ApiDocument;
  const faults: string[] = [];
  // What told changes need depends on their operations (intake.test.ts).
  const routes = stage.routes.filter((one) => keyOf(one) in OWNER_ROWS && one.path !== '/_watchbell/v1/changes');
  for (const route of routes) {
    const { security = [] } = paths[route.path]?.[route.method.toLowerCase()] ?? {};
    const named = security.flatMap(({ oauth: names = [] }) => names);
    const [ask] = asksOf(rowOf(OWNER_ROWS, route)(nobodyLike(other.names)));
    if (!ask) throw new Error(`${keyOf(route)} has an empty row`);
    let opened = 0;
    await inTurns(scopes, async (scope, i) => {
      const { text } = await send(route.method, targetOf(route, ask, 'v8'), oauth(tokens[i] ?? ''), ask.body);
      const isOpen = !text.includes('OAUTH_SCOPE_MISMATCH');
      if (isOpen) opened += 1;
      if (isOpen !== named.includes(scope))
        faults.push(`${scope} ${isOpen ? 'opens' : 'does not open'} ${keyOf(route)}`);
    });
    matrices.crm.note(keyOf(route), 'scopes', `${opened} of ${scopes.length}`);
  }
  expect(faults).toEqual([]);
}, 120_000);

/** What opens each operation, of all that the document says. */
interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly security?: { oauth?: string[] }[] }>>>>;
}

const AT_ONCE = 8;

async function inTurns<Item>(items: readonly Item[], act: (item: Item, i: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    await Promise.all(items.slice(i, i + AT_ONCE).map((item, k) => act(item, i + k)));
  }
}
