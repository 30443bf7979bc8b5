import type { OrgId, ProfileId, UserId } from './ids.ts';
import type { Catalog } from './modules/catalog.ts';

export interface Org {
  readonly id: OrgId;
  readonly name: string;
  /** IANA name; times are rendered in its offset. */
  readonly timeZone: string;
}

export interface User {
  readonly id: UserId;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly profileId: ProfileId;
}

export interface Profile {
  readonly id: ProfileId;
  readonly name: string;
  /** API names of the modules its users may neither read, write nor watch. */
  readonly deniedModules: readonly string[];
}

export const fullName = (user: Pick<User, 'firstName' | 'lastName'>): string =>
  `${user.firstName} ${user.lastName}`.trim();

/** Who is calling: one user of one organisation, by one OAuth client, within scopes. */
export interface Principal {
  readonly org: Org;
  readonly user: User;
  readonly profile: Profile;
  /** The organisation's modules and fields. */
  readonly catalog: Catalog;
  readonly clientId: string;
  readonly scopes: readonly string[];
}
