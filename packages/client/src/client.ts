import { type AccessOptions, createAccess } from './access.ts';
import { type Changes, sendChanges } from './changes.ts';
import type { AdminChannel } from './channel-wire.ts';
import { type ChannelHandle, createChannelHandle } from './channels.ts';
import { ApiError } from './errors.ts';
import { type ExplainPage, type ExplainQuery, readExplanations } from './explain.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createNotices, type Notices } from './notices.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { createRecords, type Records } from './records.ts';
import { createSettings, type Settings } from './settings.ts';
import {
  accepted,
  type Call,
  createTransport,
  type Exchange,
  listIn,
  type Reply,
  type TransportOptions,
} from './transport.ts';
import { createWatch, type Watch } from './watch.ts';
import type { ApiVersion, ItemResult, OrgInfo, PageInfo } from './wire.ts';

export interface ClientOptions extends TransportOptions, AccessOptions {
  /** Version that calls are made under; v8 when absent. */
  readonly version?: ApiVersion;
}

/** The API on behalf of one user. Every method throws `ApiError` when refused, `UnreachableError` without an answer. */
export interface Client {
  readonly watch: Watch;
  readonly records: Records;
  readonly settings: Settings;
  /** The caller's own channels, as our own API shows them. */
  readonly channels: {
    /** In the order in which they were opened; those that have ended instead, if asked for. */
    list(filter?: {
      readonly client?: string;
      readonly ended?: boolean;
      readonly page?: number;
      /** 1 to 200. */
      readonly perPage?: number;
    }): Promise<{ readonly items: readonly AdminChannel[]; readonly info: PageInfo }>;
  };
  /** One own channel, and all that can be seen and done of it; an earlier one of that id by its generation. */
  channel(channelId: string, generation?: string): ChannelHandle;
  /** What was sent for own channels, and what came of it. */
  readonly notifications: Notifications;
  /** What was told of the life of own channels. */
  readonly notices: Notices;
  /** Of own channels. */
  readonly jobs: Jobs;
  /** Changes of records that live elsewhere, in the name of the user. */
  readonly changes: Changes;
  /** Why own channels were, or were not, notified of what happened to a record. */
  explain(query: ExplainQuery): Promise<ExplainPage>;
  /** The organisation that the credentials belong to. */
  org(): Promise<OrgInfo>;
}

const OWN_CHANNELS = '/_watchbell/v1/channels';

/** Makes a client. It asks for an access token at the first call, keeps it, and renews it once when it is refused. */
export function createClient({ version = 'v8', ...options }: ClientOptions): Client {
  const transport = createTransport(options);
  const access = createAccess(transport, options);

  async function once(exchange: Exchange, token: string): Promise<Reply> {
    const headers = { ...exchange.headers, authorization: `Zoho-oauthtoken ${token}` };
    return transport({ ...exchange, headers });
  }

  /** Below the root: our own API. */
  const own: Call = async (exchange) => {
    const token = await access.token();
    const reply = await once(exchange, token);
    if (reply.status !== 401) return accepted(reply);
    access.forget(token);
    return accepted(await once(exchange, await access.token()));
  };
  const call: Call = (exchange) => own({ ...exchange, path: `/crm/${version}${exchange.path}` });

  return {
    watch: createWatch(call),
    records: createRecords(call),
    settings: createSettings(call),
    channels: {
      async list({ client, ended, page, perPage } = {}) {
        const query = { client, ended: ended ? 'true' : undefined, page, per_page: perPage };
        const { body } = await own({ method: 'GET', path: OWN_CHANNELS, query });
        return { items: listIn<AdminChannel>(body, 'channels'), info: (body as { readonly info: PageInfo }).info };
      },
    },
    channel: (channelId, generation) =>
      createChannelHandle(own, `${OWN_CHANNELS}/${encodeURIComponent(channelId)}`, generation),
    changes: { send: (changes, options) => sendChanges(own, '/_watchbell/v1/changes', changes, options) },
    explain: (query) => readExplanations(own, '/_watchbell/v1/explain', query),
    notifications: createNotifications(own, '/_watchbell/v1'),
    notices: createNotices(own, '/_watchbell/v1'),
    jobs: createJobs(own, '/_watchbell/v1/jobs'),
    async org() {
      const { status, body } = await call({ method: 'GET', path: '/org' });
      const [org] = listIn<OrgInfo>(body, 'org');
      if (!org) throw new ApiError('UNEXPECTED_ANSWER', 'The server named no organisation', status);
      return org;
    },
  };
}

/** The details of every item; throws the first refusal as an `ApiError`. The others may have been carried out. */
export function expectSuccess<Details>(results: readonly ItemResult<Details>[]): readonly Details[] {
  return results.map((result) => {
    if (result.status === 'success') return result.details;
    throw new ApiError(result.code, result.message, 200, result.details);
  });
}
