import type { Channel, ChannelRevision, Lapse } from '../domain/channel.ts';
import type { ChannelHealth } from '../domain/channel-health.ts';
import type { ChannelId, Generation, OrgId, ProfileId, UserId } from '../domain/ids.ts';
import type { Catalog } from '../domain/modules/catalog.ts';
import type { Org, Profile, User, UserStatus } from '../domain/org.ts';

export interface Member {
  readonly org: Org;
  readonly user: User;
  readonly profile: Profile;
}

/** A member with all that says what it may see. */
export interface Membership extends Member {
  readonly catalog: Catalog;
}

export interface MemberPage {
  readonly members: readonly Member[];
  readonly moreMembers: boolean;
}

/** Organisations and who may act in them. */
export interface AccountStore {
  addOrg(org: Org, at: number): Promise<void>;
  findOrg(id: OrgId): Promise<Org | undefined>;
  /** Undefined when there is no such organisation. */
  findCatalog(id: OrgId): Promise<Catalog | undefined>;
  /** Record changes that were ever committed. */
  countChanges(id: OrgId): Promise<number>;
  listOrgs(): Promise<Org[]>;
  /** Adds a profile, or puts it in the place of the one with its id. */
  addProfile(org: OrgId, profile: Profile): Promise<void>;
  addUser(org: OrgId, user: User, at: number): Promise<void>;
  findMember(org: OrgId, user: UserId): Promise<Membership | undefined>;
  findUsers(org: OrgId, ids: readonly UserId[]): Promise<User[]>;
  /** By user id, ascending. `page` from 1, `perPage` 1 … 200. */
  listMembers(org: OrgId, page: number, perPage: number, statuses?: readonly UserStatus[]): Promise<MemberPage>;
  setDeniedModules(org: OrgId, profile: ProfileId, modules: readonly string[]): Promise<void>;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
}

/** Whose channels; all that is given must fit. */
export interface ChannelFilter {
  readonly userId?: UserId | undefined;
  readonly clientId?: string | undefined;
  /** Those that have ended instead of the others, live or lapsed. */
  readonly ended: boolean;
}

/** A channel as the operator sees it. */
export interface ChannelEntry {
  readonly channel: Channel;
  /** Undefined: its last attempt succeeded, or there was none. */
  readonly health?: ChannelHealth;
}

/** All of a user, or all that were opened by a client. */
export type ChannelOwner =
  | { readonly userId: UserId; readonly clientId?: undefined }
  | { readonly userId?: undefined; readonly clientId: string };

/** What only the operator does. `page` from 1, `perPage` 1 … 200; lists are by id, ascending. */
export interface AdministrationStore {
  /** A number for a new organisation: `start` for the store's first, then one more each time, so that none comes twice. */
  nextOrg(start: number): Promise<number>;
  listOrgs(page: number, perPage: number): Promise<Page<Org>>;
  /**
   * False when somebody else in the organisation, who was not removed, has the e-mail address (letter case ignored), or
   * there is no such profile.
   */
  addUser(org: OrgId, user: User, at: number): Promise<boolean>;
  /** False as above, or when there is no such user, or no more. What is not given stays as it is. */
  changeUser(org: OrgId, id: UserId, change: Partial<Omit<User, 'id'>>): Promise<boolean>;
  listProfiles(org: OrgId, page: number, perPage: number): Promise<Page<Profile>>;
  findProfile(org: OrgId, id: ProfileId): Promise<Profile | undefined>;
  /** As it is then; undefined when there is none. What is not given stays as it is. */
  changeProfile(org: OrgId, id: ProfileId, change: Partial<Omit<Profile, 'id'>>): Promise<Profile | undefined>;
  /** False when it is used, also by a removed user, or not there. */
  removeProfile(org: OrgId, id: ProfileId): Promise<boolean>;
  listChannels(org: OrgId, filter: ChannelFilter, page: number, perPage: number): Promise<Page<ChannelEntry>>;
  /** Of any generation, ended or not. */
  findChannel(org: OrgId, generation: Generation): Promise<ChannelEntry | undefined>;
  /** What was made of a channel, newest first, at most `limit`: those before a version, or the newest. */
  revisions(org: OrgId, generation: Generation, before: number | undefined, limit: number): Promise<ChannelRevision[]>;
  /** Newest first, at most `limit`. */
  newestLapses(org: OrgId, generation: Generation, limit: number): Promise<Lapse[]>;
  /** Channels of a user or a client that have not ended, at most `limit`. */
  currentChannels(
    org: OrgId,
    whose: ChannelOwner,
    limit: number,
  ): Promise<{ readonly userId: UserId; readonly channelId: ChannelId }[]>;
}
