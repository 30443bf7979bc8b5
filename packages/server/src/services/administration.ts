import type { EndedReason } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { OrgId, ProfileId, UserId } from '../domain/ids.ts';
import { findModule } from '../domain/modules/catalog.ts';
import { type Org, type Profile, requireStays, type User, type UserStatus } from '../domain/org.ts';
import { saveOrg, type WorkingSet } from '../domain/working-set.ts';
import type { AccountStore, AdministrationStore, Member, Page } from '../storage/store.ts';
import { badField, checkText, checkTimeZone, checkUser } from './account-input.ts';
import type { Accounts, NewOrg, SetupInput } from './accounts.ts';
import type { Auth } from './auth.ts';
import { createChannelEnds } from './channel-ends.ts';
import type { Erasure } from './erasure.ts';
import type { Writer } from './writer.ts';

export type { Member };

export interface UserInput {
  readonly email: string;
  /** May be empty. */
  readonly firstName: string;
  readonly lastName: string;
  readonly profileId: string;
}

export type UserChange = Partial<UserInput> & { readonly status?: Exclude<UserStatus, 'removed'> };

export interface ProfileInput {
  readonly name: string;
  readonly deniedModules: readonly string[];
}

/**
 * What an operator does to organisations and who acts in them; every act holds for the very next request. What is not
 * there is `AppError` NOT_FOUND, a bad value INVALID_DATA that names the field; an organisation that is being erased
 * takes no act any more (NO_PERMISSION).
 */
export interface Administration {
  listOrgs(page: number, perPage: number): Promise<Page<Org>>;
  findOrg(org: OrgId): Promise<Org>;
  /** Throws where an act within it would. */
  requireKept(org: OrgId): Promise<void>;
  addOrg(input: SetupInput): Promise<NewOrg>;
  changeOrg(org: OrgId, change: { readonly name?: string; readonly timeZone?: string }): Promise<Org>;
  /** Serves it nothing and sends nothing for it, until it is resumed. What is owed stays owed. */
  suspend(org: OrgId): Promise<Org>;
  resume(org: OrgId): Promise<Org>;
  /** Suspends it for good and removes all of it, in the background. */
  erase(org: OrgId): Promise<Org>;
  listUsers(org: OrgId, page: number, perPage: number): Promise<Page<Member>>;
  findUser(org: OrgId, user: UserId): Promise<Member>;
  addUser(org: OrgId, input: UserInput): Promise<Member>;
  /** Taking a user out of use ends their tokens and channels. */
  changeUser(
    org: OrgId,
    user: UserId,
    change: UserChange,
  ): Promise<{ readonly member: Member; readonly ended: number }>;
  /** For good; the name stays with the records. Says how many channels ended. */
  removeUser(org: OrgId, user: UserId): Promise<number>;
  listProfiles(org: OrgId, page: number, perPage: number): Promise<Page<Profile>>;
  findProfile(org: OrgId, profile: ProfileId): Promise<Profile>;
  addProfile(org: OrgId, input: ProfileInput): Promise<Profile>;
  changeProfile(org: OrgId, profile: ProfileId, change: Partial<ProfileInput>): Promise<Profile>;
  removeProfile(org: OrgId, profile: ProfileId): Promise<void>;
  /** With its tokens; says how many channels ended. */
  removeClient(org: OrgId, client: string): Promise<number>;
}

export interface AdministrationOptions {
  readonly store: AdministrationStore;
  readonly reads: AccountStore;
  readonly accounts: Accounts;
  readonly auth: Pick<Auth, 'forget' | 'clients' | 'issued'>;
  readonly writer: Writer;
  readonly erasure: Erasure;
  readonly clock: Clock;
}

const MAX_DENIED = 200;

export function createAdministration(options: AdministrationOptions): Administration {
  const { store, reads, accounts, auth, writer, erasure, clock } = options;
  const endChannels = createChannelEnds({ writer, store });

  async function findOrg(id: OrgId): Promise<Org> {
    const org = await reads.findOrg(id);
    if (!org) throw notFound('org');
    return org;
  }

  /** For acts within it. */
  const requireKept = async (id: OrgId): Promise<void> => requireStays(await findOrg(id));

  /** Changes the organisation's own entry, in line with everything else that is written to it. */
  async function changeEntry(id: OrgId, change: (org: Org, set: WorkingSet) => Org): Promise<Org> {
    await findOrg(id);
    const changed = await writer.submit(id, {
      needs: {},
      weight: 1,
      isAdministration: true,
      decide(set) {
        const org = change(set.org, set);
        saveOrg(set, org);
        return org;
      },
    });
    auth.forget({ orgId: id });
    return changed;
  }

  async function findUser(org: OrgId, id: UserId): Promise<Member> {
    const member = await reads.findMember(org, id);
    if (!member || member.user.status === 'removed') throw notFound('user');
    return member;
  }

  async function findProfile(org: OrgId, id: ProfileId): Promise<Profile> {
    const profile = await store.findProfile(org, id);
    if (!profile) throw notFound('profile');
    return profile;
  }

  async function checkProfile(org: OrgId, id: string | undefined): Promise<void> {
    if (id !== undefined && !(await store.findProfile(org, id as ProfileId))) {
      throw badField('profile', 'is no profile of the organisation');
    }
  }

  async function checkDenied(org: OrgId, modules: readonly string[] | undefined): Promise<void> {
    if (modules === undefined) return;
    if (modules.length > MAX_DENIED) throw badField('denied_modules', `must be at most ${MAX_DENIED}`);
    const catalog = await reads.findCatalog(org);
    if (!catalog) throw notFound('org');
    const unknown = modules.findIndex((name) => findModule(catalog, name)?.apiName !== name);
    if (unknown >= 0) throw badField(`denied_modules.${unknown}`, 'is no module of the organisation');
    if (new Set(modules).size < modules.length) throw badField('denied_modules', 'holds one twice');
  }

  async function saveUser(org: OrgId, id: UserId, change: Partial<Omit<User, 'id'>>): Promise<void> {
    if (!(await store.changeUser(org, id, change))) {
      await findUser(org, id);
      await checkProfile(org, change.profileId);
      throw emailTaken();
    }
    auth.forget({ orgId: org, userId: id });
  }

  async function endAll(org: OrgId, userId: UserId, reason: EndedReason): Promise<number> {
    await auth.issued.removeOf(org, { userId });
    return endChannels(org, { userId }, reason);
  }

  return {
    findOrg,
    requireKept,
    listOrgs: store.listOrgs,
    addOrg: accounts.setup,

    async changeOrg(id, { name, timeZone }) {
      if (name !== undefined) checkText('name', name);
      if (timeZone !== undefined) checkTimeZone('time_zone', timeZone);
      return changeEntry(id, (org) => {
        requireStays(org);
        return { ...org, ...(name !== undefined && { name }), ...(timeZone !== undefined && { timeZone }) };
      });
    },

    suspend: (id) =>
      changeEntry(id, (org, { now }) => {
        requireStays(org);
        return { ...org, suspendedAt: org.suspendedAt ?? now };
      }),

    resume: (id) =>
      changeEntry(id, (org) => {
        requireStays(org);
        const { suspendedAt: _since, ...open } = org;
        return open;
      }),

    async erase(id) {
      const org = await changeEntry(id, (known, { now }) => ({
        ...known,
        name: '',
        timeZone: 'UTC',
        suspendedAt: known.suspendedAt ?? now,
        erasingAt: known.erasingAt ?? now,
      }));
      erasure.begin(id);
      return org;
    },

    async listUsers(org, page, perPage) {
      await findOrg(org);
      const { members, moreMembers } = await reads.listMembers(org, page, perPage);
      return { items: members, hasMore: moreMembers };
    },

    findUser,

    async addUser(org, input) {
      await requireKept(org);
      checkUser(input);
      await checkProfile(org, input.profileId);
      const user: User = { ...input, profileId: input.profileId as ProfileId, id: accounts.newUserId(org) };
      if (!(await store.addUser(org, user, clock.now()))) {
        await checkProfile(org, input.profileId);
        throw emailTaken();
      }
      return findUser(org, user.id);
    },

    async changeUser(org, id, { status, profileId, ...given }) {
      await requireKept(org);
      const { user } = await findUser(org, id);
      checkUser({ ...user, ...given });
      await checkProfile(org, profileId);
      // First the row, so that nothing new begins meanwhile.
      await saveUser(org, id, {
        ...given,
        ...(profileId !== undefined && { profileId: profileId as ProfileId }),
        ...(status && { status }),
      });
      const ended = status === 'inactive' ? await endAll(org, id, 'user-deactivated') : 0;
      return { member: await findUser(org, id), ended };
    },

    async removeUser(org, id) {
      await requireKept(org);
      // Removed last, so that a removal which was cut short can be asked for again.
      await saveUser(org, id, { status: 'inactive' });
      const ended = await endAll(org, id, 'user-removed');
      await saveUser(org, id, { status: 'removed' });
      return ended + (await endAll(org, id, 'user-removed'));
    },

    async listProfiles(org, page, perPage) {
      await findOrg(org);
      return store.listProfiles(org, page, perPage);
    },

    findProfile,

    async addProfile(org, input) {
      await requireKept(org);
      checkText('name', input.name);
      await checkDenied(org, input.deniedModules);
      return accounts.addProfile(org, input);
    },

    async changeProfile(org, id, change) {
      await requireKept(org);
      await findProfile(org, id);
      if (change.name !== undefined) checkText('name', change.name);
      await checkDenied(org, change.deniedModules);
      const changed = await store.changeProfile(org, id, change);
      if (!changed) throw notFound('profile');
      auth.forget({ orgId: org });
      return changed;
    },

    async removeProfile(org, id) {
      await requireKept(org);
      await findProfile(org, id);
      if (await store.removeProfile(org, id)) return;
      throw new AppError('NO_PERMISSION', 'The profile belongs to users, active or not', { api_name: 'profile' });
    },

    async removeClient(org, id) {
      await requireKept(org);
      if (!(await auth.clients.find(org, id))) throw notFound('client');
      // Removed last, so that a removal which was cut short can be asked for again; then what it opened meanwhile.
      const ended = await endChannels(org, { clientId: id }, 'client-removed');
      await auth.clients.remove(org, id);
      return ended + (await endChannels(org, { clientId: id }, 'client-removed'));
    },
  };
}

const notFound = (what: string): AppError => new AppError('NOT_FOUND', `There is no such ${what}`, { api_name: what });

const emailTaken = (): AppError =>
  new AppError('DUPLICATE_DATA', 'Another user has this e-mail address', { api_name: 'email' });
