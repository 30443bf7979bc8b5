import type { UserId } from '../../../src/domain/ids.ts';
import { DEFAULT_OAUTH_POLICY } from '../../../src/domain/oauth/policy.ts';
import { ALL_SCOPES, DEV_CREDENTIALS } from '../../../src/services/accounts.ts';
import type { GrantInput, TokenAnswer } from '../../../src/services/auth.ts';
import { type HttpFixture, openHttp } from '../../support/http.ts';

export const MINUTE = 60_000;
export const { clientId, clientSecret, refreshToken } = DEV_CREDENTIALS;
export const REFRESH = { grantType: 'refresh_token', clientId, clientSecret, refreshToken };

/** The services with the limits of production. */
export const openLimited = (): Promise<HttpFixture> => openHttp({ oauth: DEFAULT_OAUTH_POLICY, withoutSignIn: true });

export function issued(answer: TokenAnswer) {
  if (answer.kind !== 'issued') throw new Error(`refused: ${answer.error}`);
  return answer;
}

export const grantInput = ({ principal }: HttpFixture, more: Partial<GrantInput> = {}): GrantInput => ({
  clientId,
  orgId: principal.org.id,
  userId: principal.user.id,
  scopes: ALL_SCOPES,
  ...more,
});

export const redeem = ({ auth }: HttpFixture, code: string, more: object = {}): Promise<TokenAnswer> =>
  auth.exchange({ grantType: 'authorization_code', clientId, clientSecret, code, ...more });

/** Whether an access token is good. */
export const isGood = ({ auth }: HttpFixture, token: string): Promise<boolean> =>
  auth.authenticate(`Bearer ${token}`).then(
    () => true,
    () => false,
  );

export async function addColleague({ accounts, principal }: HttpFixture): Promise<UserId> {
  const { id: profileId } = principal.profile;
  const user = { email: 'ada@example.com', firstName: 'Ada', lastName: 'Colleague', profileId };
  return (await accounts.addUser(principal.org.id, user)).id;
}
