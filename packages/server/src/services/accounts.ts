import type { Clock } from '../domain/clock.ts';
import { idFromSerial, isOrgId, type OrgId, type ProfileId, type UserId } from '../domain/ids.ts';
import type { Org, Principal, Profile, User } from '../domain/org.ts';
import type { AccountStore, AdministrationStore, ClientStore, TokenStore } from '../storage/store.ts';
import { checkText, checkTimeZone, checkUser } from './account-input.ts';
import { SAMPLE_CHANGES } from './sample.ts';
import { hashSecret, hex, newToken, type RandomBytes } from './secret.ts';

export interface SetupInput {
  readonly orgName: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly email: string;
  /** May be empty. */
  readonly firstName: string;
  readonly lastName: string;
  readonly clientName: string;
}

/** Secrets in clear: shown once, only their hashes are kept. */
export interface NewCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly adminToken: string;
}

/** With the organisation that they open. */
export interface NewOrg extends NewCredentials {
  readonly orgId: OrgId;
  readonly userId: UserId;
}

type NewUser = Omit<User, 'id'>;
type NewProfile = Omit<Profile, 'id'>;

export interface Accounts {
  /** Makes an organisation with its first user, an OAuth client and an admin token. `AppError` INVALID_DATA names a bad field. */
  setup(input: SetupInput): Promise<NewOrg>;
  /**
   * The sample organisation of the dev profile with its fixed credentials, made where they are missing, also after a
   * start that was cut short. Empty: nothing was ever written but, perhaps, a part of the sample.
   */
  ensureDev(input: {
    readonly timeZone: string;
  }): Promise<{ readonly isEmpty: boolean; readonly principal: Principal }>;
  newUserId(org: OrgId): UserId;
  addProfile(org: OrgId, profile: NewProfile): Promise<Profile>;
  addUser(org: OrgId, user: NewUser): Promise<User>;
  addClient(org: OrgId, name: string): Promise<{ readonly clientId: string; readonly clientSecret: string }>;
  /** A refresh token that lives until it is revoked. Without `scopes`: all that the API knows. */
  makeRefreshToken(input: {
    readonly orgId: OrgId;
    readonly userId: UserId;
    readonly clientId: string;
    readonly scopes?: readonly string[];
  }): Promise<string>;
}

export interface AccountsOptions {
  readonly accounts: AccountStore;
  readonly administration: Pick<AdministrationStore, 'nextOrg'>;
  readonly clients: ClientStore;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  /** Real time, epoch ms: for tokens. */
  readonly realNow: () => number;
  readonly random: RandomBytes;
}

export const ALL_SCOPES: readonly string[] = [
  'ZohoCRM.notifications.ALL',
  'ZohoCRM.modules.ALL',
  'ZohoCRM.mass_update.ALL',
  'ZohoCRM.mass_delete.ALL',
  'ZohoCRM.settings.ALL',
  'ZohoCRM.org.ALL',
  'ZohoCRM.users.ALL',
];

/** The same on every engine and node; only ever in the dev profile, which answers loopback alone. */
export const DEV_CREDENTIALS: NewCredentials = {
  clientId: '1000.DEV',
  clientSecret: 'dev-secret',
  refreshToken: '1000.dev.refresh',
  adminToken: 'dev-admin',
};
const DEV_ORG = '3652397' as OrgId;

/** Serials of an organisation's first profile and user; later ones are random in a range that records never reach. */
const FIRST_PROFILE = 26_011;
const FIRST_USER = 186_017;
const ADDED_FROM = 900_000_000_000;
const ADDED_RANGE = 100_000_000_000;

/** The sample user. */
export const DEV_MEMBER = { orgId: DEV_ORG, userId: idFromSerial(DEV_ORG, FIRST_USER) as UserId };

/** Organisations' ids go through all seven-digit ones in a scattered order, so that none is given twice. */
const FIRST_ORG = 1_000_000;
const ORG_RANGE = 8_000_000;
/** Without a common divisor with the range. */
const ORG_STRIDE = 4_871_933;

export function createAccounts({
  accounts,
  administration,
  clients,
  tokens,
  clock,
  realNow,
  random,
}: AccountsOptions): Accounts {
  const addedSerial = (): number => ADDED_FROM + Number(BigInt(`0x${hex(random(8))}`) % BigInt(ADDED_RANGE));

  async function freeOrgId(): Promise<OrgId> {
    for (;;) {
      const start = Number.parseInt(hex(random(4)), 16) % ORG_RANGE;
      const number = await administration.nextOrg(start);
      const id = String(FIRST_ORG + ((number * ORG_STRIDE) % ORG_RANGE));
      if (isOrgId(id) && id !== DEV_ORG && !(await accounts.findOrg(id))) return id;
    }
  }

  async function addFirstMember(org: Org, user: Omit<NewUser, 'profileId'>): Promise<void> {
    const profile: Profile = { id: profileId(org.id, FIRST_PROFILE), name: 'Administrator', deniedModules: [] };
    await accounts.addProfile(org.id, profile);
    await accounts.addUser(org.id, { ...user, id: userId(org.id, FIRST_USER), profileId: profile.id }, clock.now());
  }

  async function addClient(org: OrgId, name: string, id: string, secret: string, actsAs?: UserId): Promise<void> {
    const secretHash = hashSecret(secret);
    const actingUser = actsAs === undefined ? {} : { actingUserId: actsAs };
    await clients.add({ id, orgId: org, name, secretHash, redirectUris: [], ...actingUser, createdAt: realNow() });
  }

  async function keepRefreshToken(
    token: string,
    owner: { orgId: OrgId; userId: UserId; clientId: string; scopes: readonly string[] },
  ): Promise<void> {
    await tokens.add({ ...owner, hash: hashSecret(token), kind: 'refresh', createdAt: realNow() });
  }

  async function keepAdminToken(token: string, orgId: OrgId): Promise<void> {
    await tokens.add({ hash: hashSecret(token), kind: 'admin', orgId, scopes: [], createdAt: realNow() });
  }

  return {
    async setup(input) {
      checkSetup(input);
      const org: Org = { id: await freeOrgId(), name: input.orgName, timeZone: input.timeZone };
      await accounts.addOrg(org, clock.now());
      await addFirstMember(org, { email: input.email, firstName: input.firstName, lastName: input.lastName });
      const made: NewCredentials = {
        clientId: newClientId(random),
        clientSecret: hex(random(24)),
        refreshToken: newToken(random),
        adminToken: hex(random(32)),
      };
      await addClient(org.id, input.clientName, made.clientId, made.clientSecret);
      const owner = { orgId: org.id, userId: userId(org.id, FIRST_USER), clientId: made.clientId, scopes: ALL_SCOPES };
      await keepRefreshToken(made.refreshToken, owner);
      await keepAdminToken(made.adminToken, org.id);
      return { ...made, orgId: org.id, userId: owner.userId };
    },

    async ensureDev({ timeZone }) {
      const { clientId, clientSecret, refreshToken, adminToken } = DEV_CREDENTIALS;
      const { orgId, userId: first } = DEV_MEMBER;
      const org: Org = { id: orgId, name: 'Watchbell Sample', timeZone };
      await ensure(
        () => accounts.findOrg(orgId),
        () => accounts.addOrg(org, clock.now()),
      );
      await ensure(
        () => accounts.findMember(orgId, first),
        () => addFirstMember(org, { email: 'patricia@example.com', firstName: 'Patricia', lastName: 'Boyle' }),
      );
      await ensure(
        () => clients.find(clientId),
        () => addClient(orgId, 'Dev client', clientId, clientSecret, first),
      );
      await ensure(
        () => tokens.find(hashSecret(refreshToken)),
        () => keepRefreshToken(refreshToken, { orgId, userId: first, clientId, scopes: ALL_SCOPES }),
      );
      await ensure(
        () => tokens.find(hashSecret(adminToken)),
        () => keepAdminToken(adminToken, orgId),
      );
      const member = await accounts.findMember(orgId, first);
      if (!member) throw new Error('The sample user that was just made cannot be found');
      const isEmpty = (await accounts.countChanges(orgId)) < SAMPLE_CHANGES;
      return { isEmpty, principal: { ...member, clientId, scopes: ALL_SCOPES } };
    },

    newUserId: (org) => userId(org, addedSerial()),

    async addProfile(org, input) {
      checkText('name', input.name);
      const profile: Profile = { ...input, id: profileId(org, addedSerial()) };
      await accounts.addProfile(org, profile);
      return profile;
    },

    async addUser(org, input) {
      checkUser(input);
      const user: User = { ...input, id: userId(org, addedSerial()) };
      await accounts.addUser(org, user, clock.now());
      return user;
    },

    async addClient(org, name) {
      checkText('name', name);
      const made = { clientId: newClientId(random), clientSecret: hex(random(24)) };
      await addClient(org, name, made.clientId, made.clientSecret);
      return made;
    },

    async makeRefreshToken({ scopes = ALL_SCOPES, ...owner }) {
      const token = newToken(random);
      await keepRefreshToken(token, { ...owner, scopes });
      return token;
    },
  };
}

/** Makes what is not there; another node that starts at the same moment may be the one that does. */
async function ensure(find: () => Promise<unknown>, make: () => Promise<void>): Promise<void> {
  if ((await find()) !== undefined) return;
  try {
    await make();
  } catch (error) {
    if ((await find()) === undefined) throw error;
  }
}

const userId = (org: OrgId, serial: number): UserId => idFromSerial(org, serial) as UserId;
const profileId = (org: OrgId, serial: number): ProfileId => idFromSerial(org, serial) as ProfileId;

const newClientId = (random: RandomBytes): string => `1000.${hex(random(15)).toUpperCase()}`;

function checkSetup(input: SetupInput): void {
  checkText('name', input.orgName);
  checkTimeZone('time_zone', input.timeZone);
  checkUser(input);
  checkText('client_name', input.clientName);
}
