import { type AccessOptions, createAccess } from './access.ts';
import { ApiError } from './errors.ts';
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
import type { ApiVersion, ItemResult, OrgInfo } from './wire.ts';

export interface ClientOptions extends TransportOptions, AccessOptions {
  /** Version that calls are made under; v8 when absent. */
  readonly version?: ApiVersion;
}

/** The API on behalf of one user. Every method throws `ApiError` when refused, `UnreachableError` without an answer. */
export interface Client {
  readonly watch: Watch;
  readonly records: Records;
  readonly settings: Settings;
  /** The organisation that the credentials belong to. */
  org(): Promise<OrgInfo>;
}

/** Makes a client. It asks for an access token at the first call, keeps it, and renews it once when it is refused. */
export function createClient({ version = 'v8', ...options }: ClientOptions): Client {
  const transport = createTransport(options);
  const access = createAccess(transport, options);

  async function once(exchange: Exchange, token: string): Promise<Reply> {
    const headers = { ...exchange.headers, authorization: `Zoho-oauthtoken ${token}` };
    return transport({ ...exchange, path: `/crm/${version}${exchange.path}`, headers });
  }

  const call: Call = async (exchange) => {
    const token = await access.token();
    const reply = await once(exchange, token);
    if (reply.status !== 401) return accepted(reply);
    access.forget(token);
    return accepted(await once(exchange, await access.token()));
  };

  return {
    watch: createWatch(call),
    records: createRecords(call),
    settings: createSettings(call),
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
