import type { OrgId, ProfileId, UserId } from '../domain/ids.ts';
import type { Org, Profile, User, UserStatus } from '../domain/org.ts';
import type { OrgCounters } from '../domain/working-set.ts';
import type { Catalogs } from './catalogs.ts';
import { type Db, type Dialect, insertRows, list, type Row, type Statement, sql, type Write } from './db.ts';
import { integer, integerOrNone, oneOf, text, textList } from './rows.ts';
import type { AccountStore } from './store.ts';

/** Serials below it are never given to records: users and profiles have theirs there. */
const FIRST_SERIAL = 10_000_000;

const STATUSES: readonly UserStatus[] = ['active', 'inactive', 'removed'];

const ORG_COLUMNS = sql`id, name, time_zone, created_at, suspended_at, erasing_at, next_serial, last_change,
  channel_version, catalog_version, last_time`;
const USER_COLUMNS = sql`u.id, u.email, u.first_name, u.last_name, u.profile_id, u.status`;

/** By id. */
export const selectOrgs = (limit: number, offset: number): Statement =>
  sql`SELECT ${ORG_COLUMNS} FROM org ORDER BY id LIMIT ${limit} OFFSET ${offset}`;

export const selectOrg = (id: OrgId): Statement => sql`SELECT ${ORG_COLUMNS} FROM org WHERE id = ${id}`;

/** What is done to users and profiles of an organisation goes one after the other. */
export const lockOrg = ({ lock }: Dialect, id: OrgId): Statement => sql`SELECT id FROM org WHERE id = ${id} ${lock}`;

export function readOrg(row: Row): Org {
  const suspendedAt = integerOrNone(row, 'suspended_at');
  const erasingAt = integerOrNone(row, 'erasing_at');
  return {
    id: text<OrgId>(row, 'id'),
    name: text(row, 'name'),
    timeZone: text(row, 'time_zone'),
    ...(suspendedAt === undefined ? {} : { suspendedAt }),
    ...(erasingAt === undefined ? {} : { erasingAt }),
  };
}

/** All but its counters. */
export const saveOrg = ({ id, name, timeZone, suspendedAt, erasingAt }: Org): Write => sql`
  UPDATE org SET name = ${name}, time_zone = ${timeZone}, suspended_at = ${suspendedAt ?? null},
    erasing_at = ${erasingAt ?? null}
  WHERE id = ${id}`;

export const readCounters = (row: Row): OrgCounters => ({
  nextSerial: integer(row, 'next_serial'),
  lastChange: integer(row, 'last_change'),
  channelVersion: integer(row, 'channel_version'),
  catalogVersion: integer(row, 'catalog_version'),
  lastTime: integer(row, 'last_time'),
});

export const saveCounters = (org: OrgId, counters: OrgCounters): Write => sql`
  UPDATE org SET next_serial = ${counters.nextSerial}, last_change = ${counters.lastChange},
    channel_version = ${counters.channelVersion}, catalog_version = ${counters.catalogVersion}, last_time = ${counters.lastTime}
  WHERE id = ${org}`;

export const selectUsers = (org: OrgId, ids: readonly UserId[]): Statement => sql`
  SELECT ${USER_COLUMNS} FROM user_account u WHERE u.org_id = ${org} AND u.id IN ${list(ids)} ORDER BY u.id`;

export function readUser(row: Row): User {
  const status = oneOf(row, 'status', STATUSES);
  return {
    id: text<UserId>(row, 'id'),
    email: text(row, 'email'),
    firstName: text(row, 'first_name'),
    lastName: text(row, 'last_name'),
    profileId: text<ProfileId>(row, 'profile_id'),
    ...(status === 'active' ? {} : { status }),
  };
}

export const readProfile = (row: Row): Profile => ({
  id: text<ProfileId>(row, 'profile_id'),
  name: text(row, 'profile_name'),
  deniedModules: textList(row, 'denied_modules'),
});

export function createAccountStore(db: Db, catalogs: Catalogs): AccountStore {
  const one = async (statement: Statement): Promise<Row | undefined> => (await db.read([statement]))[0]?.[0];
  const all = async (statement: Statement): Promise<readonly Row[]> => (await db.read([statement]))[0] ?? [];
  return {
    async addOrg(org, at) {
      await db.write([
        insertRows(
          'org (id, name, time_zone, created_at, next_serial, last_change, channel_version, catalog_version, last_time)',
          [[org.id, org.name, org.timeZone, at, FIRST_SERIAL, 0, 0, 0, at]],
        ),
      ]);
    },

    async findOrg(id) {
      const row = await one(selectOrg(id));
      return row && readOrg(row);
    },

    async findCatalog(id) {
      const row = await one(selectOrg(id));
      return row && catalogs.get(id, readCounters(row).catalogVersion, db.read);
    },

    async countChanges(id) {
      const row = await one(sql`SELECT last_change FROM org WHERE id = ${id}`);
      return row ? integer(row, 'last_change') : 0;
    },

    async listOrgs() {
      return (await all(sql`SELECT ${ORG_COLUMNS} FROM org ORDER BY id`)).map(readOrg);
    },

    async addProfile(org, { id, name, deniedModules }) {
      await db.write([
        insertRows(
          'profile (org_id, id, name, denied_modules)',
          [[org, id, name, JSON.stringify(deniedModules)]],
          'ON CONFLICT (org_id, id) DO UPDATE SET name = excluded.name, denied_modules = excluded.denied_modules',
        ),
      ]);
    },

    async addUser(org, { id, email, firstName, lastName, profileId, status = 'active' }, at) {
      await db.write([
        lockOrg(db.dialect, org),
        insertRows('user_account (org_id, id, email, first_name, last_name, profile_id, status, created_at)', [
          [org, id, email, firstName, lastName, profileId, status, at],
        ]),
      ]);
    },

    async findMember(org, user) {
      const [orgs, members] = await db.read([
        selectOrg(org),
        sql`
          SELECT ${USER_COLUMNS}, p.name AS profile_name, p.denied_modules
          FROM user_account u JOIN profile p ON p.org_id = u.org_id AND p.id = u.profile_id
          WHERE u.org_id = ${org} AND u.id = ${user}`,
      ]);
      const [orgRow] = orgs ?? [];
      const [member] = members ?? [];
      if (!orgRow || !member) return undefined;
      const catalog = await catalogs.get(org, readCounters(orgRow).catalogVersion, db.read);
      return { org: readOrg(orgRow), user: readUser(member), profile: readProfile(member), catalog };
    },

    async findUsers(org, ids) {
      return (await all(selectUsers(org, ids))).map(readUser);
    },

    async listMembers(org, page, perPage, statuses = STATUSES) {
      const [orgs, members] = await db.read([
        selectOrg(org),
        sql`
          SELECT ${USER_COLUMNS}, p.name AS profile_name, p.denied_modules
          FROM user_account u JOIN profile p ON p.org_id = u.org_id AND p.id = u.profile_id
          WHERE u.org_id = ${org} AND u.status IN ${list(statuses)} ORDER BY u.id LIMIT ${perPage + 1} OFFSET ${(page - 1) * perPage}`,
      ]);
      const [orgRow] = orgs ?? [];
      if (!orgRow || !members) return { members: [], moreMembers: false };
      const inOrg = readOrg(orgRow);
      return {
        members: members
          .slice(0, perPage)
          .map((row) => ({ org: inOrg, user: readUser(row), profile: readProfile(row) })),
        moreMembers: members.length > perPage,
      };
    },

    async setDeniedModules(org, profile, modules) {
      await db.write([
        sql`UPDATE profile SET denied_modules = ${JSON.stringify(modules)} WHERE org_id = ${org} AND id = ${profile}`,
      ]);
    },
  };
}
