import { AppError } from './error.ts';
import type { Idempotency } from './idempotency.ts';
import type { OrgId, ProfileId, UserId } from './ids.ts';
import type { Catalog } from './modules/catalog.ts';

export interface Org {
  readonly id: OrgId;
  readonly name: string;
  /** IANA name; times are rendered in its offset. */
  readonly timeZone: string;
  /** Since when (epoch ms) it is served nothing and its channels send nothing; undefined while it is in use. */
  readonly suspendedAt?: number;
  /** Since when it is being erased, which cannot be taken back; it is suspended then, too. */
  readonly erasingAt?: number;
}

/** Throws NO_PERMISSION while the organisation is suspended or being erased. */
export function requireOpen({ suspendedAt }: Org): void {
  if (suspendedAt !== undefined) throw new AppError('NO_PERMISSION', 'The organization is suspended');
}

/** Throws NO_PERMISSION while the organisation is being erased: then it takes no act of an operator either. */
export function requireStays({ erasingAt }: Org): void {
  if (erasingAt !== undefined) throw new AppError('NO_PERMISSION', 'The organization is being erased');
}

/** An inactive user may come back; a removed one stays as the name that its records show. */
export type UserStatus = 'active' | 'inactive' | 'removed';

export interface User {
  readonly id: UserId;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly profileId: ProfileId;
  /** Active when absent; nobody else may do anything. */
  readonly status?: UserStatus;
}

export const isActive = ({ status = 'active' }: Pick<User, 'status'>): boolean => status === 'active';

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
  /** When the token that it came with ends, epoch ms of real time; absent: not known. */
  readonly tokenExpiresAt?: number;
  /** Of this request, when its caller gave it a key. */
  readonly idempotency?: Idempotency;
  readonly scopes: readonly string[];
}
