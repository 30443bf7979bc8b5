import { type ExternalChange, type SendOptions, sendChanges, type TakenChange } from './changes.ts';
import type { AdminChannel, ChannelDetails } from './channel-wire.ts';
import { type ChannelHandle, createChannelHandle } from './channels.ts';
import { type Clock, createClock } from './clock.ts';
import { type ExplainPage, type ExplainQuery, readExplanations } from './explain.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createNotices, type Notices } from './notices.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { accepted, createTransport, type Exchange, listIn, type TransportOptions } from './transport.ts';
import type {
  AdminClient,
  AdminOrg,
  AdminProfile,
  AdminSigning,
  AdminToken,
  AdminUser,
  ChannelsEnded,
  ClientWithSecret,
  MadeOrg,
  PageInfo,
} from './wire.ts';

export interface AdminOptions extends TransportOptions {
  readonly adminToken: string;
}

export interface AdminPage {
  readonly page?: number;
  /** 1 to 200. */
  readonly perPage?: number;
}

export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly info: PageInfo;
}

export interface NewOrg {
  readonly name: string;
  /** IANA name; UTC when absent. */
  readonly time_zone?: string;
  readonly email: string;
  readonly first_name?: string;
  readonly last_name: string;
  readonly client_name?: string;
}

export interface NewUser {
  readonly email: string;
  readonly first_name?: string;
  readonly last_name: string;
  /** Id of a profile. */
  readonly profile: string;
}

export interface NewClient {
  readonly name: string;
  readonly redirect_uris?: readonly string[];
  /** Id of the user whom client_credentials act as. */
  readonly acting_user?: string;
}

export interface NewGrant {
  /** Id of the user to act as. */
  readonly user: string;
  readonly scopes: readonly string[];
  readonly redirect_uri?: string;
}

/** Whose; all that is given must fit. */
export interface Whose {
  readonly user?: string;
  readonly client?: string;
}

export type ProfileValues = Pick<AdminProfile, 'name' | 'denied_modules'>;

/** What an operator may do. Every method throws `ApiError` when refused, `UnreachableError` without an answer. */
export interface Admin {
  /** Without one for an organisation: organisations themselves. With the token of one organisation, only that. */
  readonly orgs: {
    list(page?: AdminPage): Promise<Listing<AdminOrg>>;
    /** Secrets are in the answer and nowhere else. */
    add(org: NewOrg): Promise<MadeOrg>;
    show(org: string): Promise<AdminOrg>;
    change(org: string, change: Partial<Pick<AdminOrg, 'name' | 'time_zone'>>): Promise<AdminOrg>;
    /** Serves it nothing and sends nothing for it until it is resumed. */
    suspend(org: string): Promise<AdminOrg>;
    resume(org: string): Promise<AdminOrg>;
    /** Cannot be taken back. Goes on in the background; `show` is NOT_FOUND when it is done. */
    erase(org: string): Promise<AdminOrg>;
  };
  readonly users: {
    list(org: string, page?: AdminPage): Promise<Listing<AdminUser>>;
    add(org: string, user: NewUser): Promise<AdminUser>;
    show(org: string, user: string): Promise<AdminUser>;
    /** `inactive` ends their tokens and channels. */
    change(
      org: string,
      user: string,
      change: Partial<NewUser> & { readonly status?: 'active' | 'inactive' },
    ): Promise<AdminUser & ChannelsEnded>;
    remove(org: string, user: string): Promise<ChannelsEnded>;
    /** A new key to sign in with on the consent page; the one before is good no more. */
    makeSignInKey(org: string, user: string): Promise<string>;
    removeSignInKey(org: string, user: string): Promise<void>;
  };
  readonly profiles: {
    list(org: string, page?: AdminPage): Promise<Listing<AdminProfile>>;
    add(org: string, profile: Partial<ProfileValues> & { readonly name: string }): Promise<AdminProfile>;
    show(org: string, profile: string): Promise<AdminProfile>;
    change(org: string, profile: string, change: Partial<ProfileValues>): Promise<AdminProfile>;
    /** Refused while a user has it. */
    remove(org: string, profile: string): Promise<void>;
  };
  readonly clients: {
    list(org: string, page?: AdminPage): Promise<Listing<AdminClient>>;
    add(org: string, client: NewClient): Promise<ClientWithSecret>;
    show(org: string, client: string): Promise<AdminClient>;
    change(
      org: string,
      client: string,
      change: Partial<Omit<NewClient, 'acting_user'>> & { readonly acting_user?: string | null },
    ): Promise<AdminClient>;
    /** The present secret stays good for `keepSeconds` (0 to 30 days). */
    rotateSecret(org: string, client: string, keepSeconds?: number): Promise<ClientWithSecret>;
    remove(org: string, client: string): Promise<ChannelsEnded>;
    /** A grant code, good once and for three minutes. */
    makeGrant(org: string, client: string, grant: NewGrant): Promise<string>;
  };
  readonly tokens: {
    /** Live ones, newest first. */
    list(org: string, whose?: Whose, page?: AdminPage): Promise<Listing<AdminToken>>;
    revoke(org: string, token: string): Promise<void>;
    /** All of a user, of a client, or of a user by a client; says how many. */
    revokeAll(org: string, whose: Whose): Promise<number>;
  };
  /** Of all users; one is named by its generation. */
  readonly channels: {
    /** Those that have ended instead, if asked for. */
    list(org: string, filter?: Whose & { readonly ended?: boolean }, page?: AdminPage): Promise<Listing<AdminChannel>>;
    /** Ended ones too. */
    show(org: string, generation: string): Promise<ChannelDetails>;
    /** Nothing is sent for it until it is resumed, here or by a POST or PUT of its owner. */
    suspend(org: string, generation: string): Promise<ChannelDetails>;
    /** What it owes flows on (`backlog`), or is cancelled (`skip`). */
    resume(org: string, generation: string, mode?: 'backlog' | 'skip'): Promise<ChannelDetails>;
  };
  /** One channel of an organisation, and all that can be seen and done of it. */
  channel(org: string, generation: string): ChannelHandle;
  /** Signatures of notifications: of all channels of an organisation, or of one, named by its generation. */
  readonly signing: {
    show(org: string, channel?: string): Promise<AdminSigning>;
    /** A new secret, shown here and never again; the one before signs beside it for a day, or as said (0 to 30 days). */
    renew(
      org: string,
      options?: { readonly channel?: string; readonly keepSeconds?: number },
    ): Promise<AdminSigning & { readonly secret: string }>;
    end(org: string, channel?: string): Promise<void>;
  };
  /** Of records that live elsewhere. */
  readonly changes: {
    /** Up to 100, with 1,000 records in all: all are taken, or none. In the name of a user (`by`), or of nobody. */
    send(
      org: string,
      changes: readonly ExternalChange[],
      options?: SendOptions & { readonly by?: string },
    ): Promise<readonly TakenChange[]>;
  };
  /** Why channels, of all users or of one, were, or were not, notified of what happened to a record. */
  explain(org: string, query: ExplainQuery & { readonly user?: string }): Promise<ExplainPage>;
  /** What was sent for an organisation's channels, and what came of it. */
  notifications(org: string): Notifications;
  /** What was told of the life of an organisation's channels. */
  notices(org: string): Notices;
  /** Where an organisation is told of channels without a life-cycle URL of their own: origin and path, or null. */
  readonly lifecycle: {
    show(org: string): Promise<{ readonly url: string | null }>;
    change(org: string, url: string | null): Promise<{ readonly url: string | null }>;
  };
  /** Redeliveries, replays and re-matches, of all channels of an organisation. */
  jobs(org: string): Jobs;
  /** Of a server that runs in the dev profile. */
  readonly clock: Clock;
}

/** Administers a server with an admin token: of one organisation, or of all. */
export function createAdmin({ adminToken, ...options }: AdminOptions): Admin {
  const transport = createTransport(options);
  const headers = { authorization: `Bearer ${adminToken}` };

  const send = async (exchange: Exchange) =>
    accepted(await transport({ ...exchange, headers: { ...exchange.headers, ...headers } }));
  const channel = (org: string, generation: string) =>
    createChannelHandle(send, `/_watchbell/v1/orgs${at(org, 'channels', generation)}`);

  // What an answer holds is the server's promise, not checked again.
  async function call<Answer>(method: Exchange['method'], path: string, json?: object): Promise<Answer> {
    const reply = await transport({ method, path: `/_watchbell/v1/orgs${path}`, headers, ...(json && { json }) });
    return accepted(reply).body as Answer;
  }

  async function list<Item>(path: string, key: string, query: Exchange['query']): Promise<Listing<Item>> {
    const { body } = accepted(
      await transport({ method: 'GET', path: `/_watchbell/v1/orgs${path}`, query: query ?? {}, headers }),
    );
    return { items: listIn<Item>(body, key), info: (body as { readonly info: PageInfo }).info };
  }
  return {
    orgs: {
      list: (page) => list('', 'orgs', pageQuery(page)),
      add: (org) => call('POST', '', org),
      show: (org) => call('GET', at(org)),
      change: (org, change) => call('PATCH', at(org), change),
      suspend: (org) => call('POST', at(org, 'suspend')),
      resume: (org) => call('POST', at(org, 'resume')),
      erase: (org) => call('DELETE', at(org)),
    },
    users: {
      list: (org, page) => list(at(org, 'users'), 'users', pageQuery(page)),
      add: (org, user) => call('POST', at(org, 'users'), user),
      show: (org, user) => call('GET', at(org, 'users', user)),
      change: (org, user, change) => call('PATCH', at(org, 'users', user), change),
      remove: (org, user) => call('DELETE', at(org, 'users', user)),
      async makeSignInKey(org, user) {
        const { sign_in_key } = await call<{ sign_in_key: string }>('POST', at(org, 'users', user, 'sign_in_key'));
        return sign_in_key;
      },
      removeSignInKey: (org, user) => call('DELETE', at(org, 'users', user, 'sign_in_key')),
    },
    profiles: {
      list: (org, page) => list(at(org, 'profiles'), 'profiles', pageQuery(page)),
      add: (org, profile) => call('POST', at(org, 'profiles'), profile),
      show: (org, profile) => call('GET', at(org, 'profiles', profile)),
      change: (org, profile, change) => call('PATCH', at(org, 'profiles', profile), change),
      remove: (org, profile) => call('DELETE', at(org, 'profiles', profile)),
    },
    clients: {
      list: (org, page) => list(at(org, 'clients'), 'clients', pageQuery(page)),
      add: (org, client) => call('POST', at(org, 'clients'), client),
      show: (org, client) => call('GET', at(org, 'clients', client)),
      change: (org, client, change) => call('PATCH', at(org, 'clients', client), change),
      rotateSecret: (org, client, keepSeconds = 0) =>
        call('POST', at(org, 'clients', client, 'secret'), { keep_seconds: keepSeconds }),
      remove: (org, client) => call('DELETE', at(org, 'clients', client)),
      async makeGrant(org, client, grant) {
        return (await call<{ code: string }>('POST', at(org, 'clients', client, 'grants'), grant)).code;
      },
    },
    tokens: {
      list: (org, whose, page) => list(at(org, 'tokens'), 'tokens', { ...whose, ...pageQuery(page) }),
      revoke: (org, token) => call('DELETE', at(org, 'tokens', token)),
      async revokeAll(org, { user, client }) {
        const query = { user, client };
        const path = `/_watchbell/v1/orgs${at(org, 'tokens')}`;
        const { body } = accepted(await transport({ method: 'DELETE', path, query, headers }));
        return (body as { readonly tokens_ended: number }).tokens_ended;
      },
    },
    channels: {
      list: (org, { ended, ...whose } = {}, page = {}) =>
        list(at(org, 'channels'), 'channels', { ...whose, ...(ended && { ended: 'true' }), ...pageQuery(page) }),
      show: (org, generation) => channel(org, generation).show(),
      suspend: (org, generation) => channel(org, generation).suspend(),
      resume: (org, generation, mode) => channel(org, generation).resume(mode),
    },
    channel,
    signing: {
      show: (org, channel) => call('GET', signingPath(org, channel)),
      renew: (org, { channel, keepSeconds } = {}) =>
        call('PUT', signingPath(org, channel), { ...(keepSeconds !== undefined && { keep_seconds: keepSeconds }) }),
      end: (org, channel) => call('DELETE', signingPath(org, channel)),
    },
    changes: {
      send: (org, changes, options) => sendChanges(send, `/_watchbell/v1/orgs${at(org, 'changes')}`, changes, options),
    },
    explain: (org, query) => readExplanations(send, `/_watchbell/v1/orgs${at(org, 'explain')}`, query),
    notifications: (org) => createNotifications(send, `/_watchbell/v1/orgs${at(org)}`),
    notices: (org) => createNotices(send, `/_watchbell/v1/orgs${at(org)}`),
    lifecycle: {
      show: (org) => call('GET', at(org, 'lifecycle')),
      change: (org, url) => call('PUT', at(org, 'lifecycle'), { url }),
    },
    jobs: (org) => createJobs(send, `/_watchbell/v1/orgs${at(org, 'jobs')}`),
    clock: createClock({ adminToken, ...options }),
  };
}

const at = (...parts: readonly string[]): string => parts.map((part) => `/${encodeURIComponent(part)}`).join('');

const signingPath = (org: string, channel: string | undefined): string =>
  channel === undefined ? at(org, 'signing') : at(org, 'channels', channel, 'signing');

const pageQuery = ({ page, perPage }: AdminPage = {}) => ({ page, per_page: perPage });
