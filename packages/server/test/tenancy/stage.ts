import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { OrgId, UserId } from '../../src/domain/ids.ts';
import { type Operation, readOperations } from '../fuzz/world.ts';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { asksOf, difference, keyOf, type Route, shown, targetOf } from './callers.ts';
import { OWNER_ROWS, type Rows } from './rows.ts';
import { makeWorld, type Names, nobodyLike, type Send, sender, signIn, type World } from './world.ts';

const HOUR_MS = 3_600_000;
/** The first user that an organisation has. */
const FIRST_USER = '000000186017';

/** Two organisations on one server, and those who may call neither. */
export interface TenancyStage {
  readonly app: LiveApp;
  readonly dataDir: string;
  readonly send: Send;
  /** Whose things are asked for. */
  readonly theirs: World;
  /** Another organisation. */
  readonly other: World;
  readonly nobody: Names;
  /** Access tokens of their first user. */
  readonly expired: string;
  readonly revoked: string;
  /** An admin token of an organisation that goes on without it. */
  readonly revokedAdmin: string;
  /** All that take a token. */
  readonly routes: readonly Operation[];
  compare: Compare;
  close(): Promise<void>;
}

export interface Comparison {
  readonly version?: string;
  readonly here?: Names;
  readonly there?: Names;
  /** Of the caller. */
  readonly org?: string;
  /** In no answer. */
  readonly hidden?: string;
}

/** Calls a route with both sets of names, as the same caller: what it was answered, and what tells one from the other. */
export type Compare = (
  route: Route,
  row: Rows[string],
  authorization: string | undefined,
  options?: Comparison,
) => Promise<{ readonly statuses: readonly number[]; readonly faults: readonly string[] }>;

export const oauth = (token: string) => `Zoho-oauthtoken ${token}`;
export const bearer = (token: string) => `Bearer ${token}`;
export const isCrm = ({ path }: Route): boolean => path.startsWith('/crm/');
/** It takes the token of an owner, not of an operator. */
export const takesAccessToken = (route: Route): boolean => isCrm(route) || keyOf(route) in OWNER_ROWS;

export async function setTenancyStage(): Promise<TenancyStage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-tenancy-'));
  const time = { now: Date.UTC(2026, 0, 5, 9) };
  const app = await startLiveApp({ dataDir, realNow: () => time.now });
  const { send, close } = sender(app.base);
  time.now -= 2 * HOUR_MS;
  const early = await makeWorld(app, send, 'a');
  time.now += 2 * HOUR_MS;
  const theirs = { ...early, accessToken: await signIn(app, early) };
  const revoked = await signIn(app, theirs);
  expect((await send('POST', `/oauth/v2/token/revoke?token=${revoked}`, undefined)).status).toBe(200);
  return {
    app,
    dataDir,
    send,
    theirs,
    other: await makeWorld(app, send, 'b'),
    nobody: nobodyLike(theirs.names),
    expired: early.accessToken,
    revoked,
    revokedAdmin: await makeRevokedAdmin(app, send),
    routes: (await readOperations(app)).filter(({ path }) => /^\/(crm|_watchbell\/v1)\//.test(path)),
    compare: comparer(send, theirs.names, nobodyLike(theirs.names)),
    async close() {
      await close();
      await app.stop();
    },
  };
}

async function makeRevokedAdmin(app: LiveApp, send: Send): Promise<string> {
  const { adminToken, names } = await makeWorld(app, send, 'r');
  const path = `/_watchbell/v1/orgs/${names.org}/tokens`;
  const listed = await send('GET', path, bearer(adminToken));
  const { tokens } = JSON.parse(listed.text) as { tokens: { id: string; kind: string }[] };
  const [own] = tokens.filter(({ kind }) => kind === 'admin');
  expect((await send('DELETE', `${path}/${own?.id}`, bearer(adminToken))).status).toBe(200);
  return adminToken;
}

/** Another user of that organisation, with all scopes, whose profile denies what the names are of. */
export async function colleagueOf(app: LiveApp, theirs: World): Promise<string> {
  const { org, module, external } = theirs.names;
  const orgId = org as OrgId;
  const { accounts } = app.app;
  const deniedModules = [module, external, 'Contacts', 'Accounts', 'Notes'];
  const profile = await accounts.addProfile(orgId, { name: 'Narrow', deniedModules });
  const user = { email: 'colleague@a.example.com', firstName: '', lastName: 'Colleague', profileId: profile.id };
  const { id: userId } = await accounts.addUser(orgId, user);
  const { clientId, clientSecret } = theirs;
  const refreshToken = await accounts.makeRefreshToken({ orgId, userId, clientId });
  return signIn(app, { clientId, clientSecret, refreshToken });
}

/** An access token of its first user with one scope. */
export async function tokenWith(
  app: LiveApp,
  { clientId, clientSecret, names }: World,
  scope: string,
): Promise<string> {
  const orgId = names.org as OrgId;
  const userId = `${names.org}${FIRST_USER}` as UserId;
  const refreshToken = await app.app.accounts.makeRefreshToken({ orgId, userId, clientId, scopes: [scope] });
  return signIn(app, { clientId, clientSecret, refreshToken });
}

export function rowOf(rows: Rows, route: Route): Rows[string] {
  const row = rows[keyOf(route)];
  if (!row) throw new Error(`${keyOf(route)} has no row in test/tenancy/rows.ts`);
  return row;
}

function comparer(send: Send, theirs: Names, nobody: Names): Compare {
  return async (route, row, authorization, options = {}) => {
    const { version = 'v8', here = theirs, there = nobody, org = theirs.org, hidden } = options;
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
  };
}
