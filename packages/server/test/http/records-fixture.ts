import { DEV_CREDENTIALS } from '../../src/services/accounts.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';

interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked into freely.
  readonly body: any;
}

interface Caller {
  send(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Reply>;
}

export interface RecordsFixture extends Caller {
  readonly http: HttpFixture;
  /** A second user of the organisation, whose profile denies these modules and whose token has these scopes. */
  colleague(limits: { deniedModules?: readonly string[]; scopes?: readonly string[] }): Promise<Caller>;
  /** The first user of another organisation. */
  stranger(): Promise<Caller>;
}

export async function openRecords(): Promise<RecordsFixture> {
  const http = await openHttp();
  const callerWith = (token: string): Caller => ({
    async send(method, path, body) {
      const response = await http.app.inject({
        method,
        url: `/crm/${path}`,
        headers: { authorization: `Zoho-oauthtoken ${token}`, host: 'localhost' },
        ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return { status: response.statusCode, body: response.body === '' ? undefined : JSON.parse(response.body) };
    },
  });
  const { org } = http.principal;
  return {
    ...callerWith(await http.signIn()),
    http,
    async colleague({ deniedModules = [], scopes }) {
      const profile = await http.accounts.addProfile(org.id, { name: 'Limited', deniedModules });
      const name = { firstName: 'Lim', lastName: 'Ited' };
      const user = await http.accounts.addUser(org.id, {
        email: `l${Math.random()}@example.com`,
        ...name,
        profileId: profile.id,
      });
      const { clientId } = DEV_CREDENTIALS;
      const grant = { orgId: org.id, userId: user.id, clientId, ...(scopes && { scopes }) };
      const refreshToken = await http.accounts.makeRefreshToken(grant);
      const answer = await http.auth.exchange({ grantType: 'refresh_token', ...DEV_CREDENTIALS, refreshToken });
      if (answer.kind !== 'issued') throw new Error(answer.error);
      return callerWith(answer.accessToken);
    },
    async stranger() {
      const made = await http.accounts.setup({
        orgName: 'Elsewhere',
        timeZone: 'UTC',
        email: 's@elsewhere.example',
        firstName: 'Str',
        lastName: 'Anger',
        clientName: 'Elsewhere',
      });
      const answer = await http.auth.exchange({ grantType: 'refresh_token', ...made });
      if (answer.kind !== 'issued') throw new Error(answer.error);
      return callerWith(answer.accessToken);
    },
  };
}
