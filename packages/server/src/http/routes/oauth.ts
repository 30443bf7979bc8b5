import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import type { Auth, TokenAnswer } from '../../services/auth.ts';
import { type Answer, readQuery, refuseOtherMethods, sendAnswer } from '../call.ts';
import { readForm } from '../form.ts';
import type { RateLimiter, Verdict } from '../rate-limit.ts';

const TOKEN_PATH = '/oauth/v2/token';
const REVOKE_PATH = '/oauth/v2/token/revoke';
const MAX_TOKEN_BODY = 16_384;
const OTHER_METHODS: readonly HTTPMethods[] = ['GET', 'PUT', 'PATCH', 'DELETE'];

export interface OAuthRouteParts {
  readonly auth: Auth;
  readonly limiter: Pick<RateLimiter, 'signIn' | 'learn'>;
  readonly base: (request: FastifyRequest) => string;
}

/** The token endpoints (reference §6.2): multipart, urlencoded and query parameters, which may be mixed. */
export function oauthRoutes(app: FastifyInstance, { auth, limiter, base }: OAuthRouteParts): void {
  app.post(TOKEN_PATH, { bodyLimit: MAX_TOKEN_BODY }, async (request, reply) => {
    const given = await readParameters(request);
    const secret = `${given('client_id')} ${given('client_secret')}`;
    const exchange = () =>
      auth.exchange({
        grantType: given('grant_type'),
        clientId: given('client_id'),
        clientSecret: given('client_secret'),
        code: given('code'),
        redirectUri: given('redirect_uri'),
        refreshToken: given('refresh_token'),
        scope: given('scope'),
        soid: given('soid'),
      });
    const answer = await limiter.signIn(request, secret, exchange, { judge: judgeSecret });
    if (answer.kind === 'issued') limiter.learn(answer.accessToken);
    return sendAnswer(reply, render(answer, base(request)));
  });

  app.post(REVOKE_PATH, { bodyLimit: MAX_TOKEN_BODY }, async (request, reply) => {
    const token = (await readParameters(request))('token');
    if (token === undefined) return sendAnswer(reply, refusal('invalid_request', 'token is missing'));
    const isRevoked = await auth.issued.revoke(token);
    return sendAnswer(reply, isRevoked ? { status: 200, body: { status: 'success' } } : refusal('invalid_code'));
  });

  refuseOtherMethods(app, TOKEN_PATH, OTHER_METHODS);
  refuseOtherMethods(app, REVOKE_PATH, OTHER_METHODS);
}

function judgeSecret(answer: TokenAnswer): Verdict {
  if (answer.kind === 'issued') return 'right';
  return answer.error === 'invalid_client' || answer.error === 'invalid_client_secret' ? 'wrong' : 'open';
}

/** A parameter by name; the body's goes before the query's. An empty one counts as absent. */
async function readParameters(request: FastifyRequest): Promise<(name: string) => string | undefined> {
  const query = readQuery(request.query as Record<string, string | string[]>);
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  const form = await readForm(request.headers['content-type'], body);
  return (name) => form.get(name) || query.get(name) || undefined;
}

/** Refusals come with status 200, as the endpoint's clients expect. */
const refusal = (error: string, description?: string): Answer => ({
  status: 200,
  body: { error, ...(description !== undefined && { error_description: description }) },
});

/** `expires_in` is in seconds. */
function render(answer: TokenAnswer, base: string): Answer {
  if (answer.kind === 'refused') return refusal(answer.error, answer.description);
  return {
    status: 200,
    body: {
      access_token: answer.accessToken,
      ...(answer.refreshToken !== undefined && { refresh_token: answer.refreshToken }),
      scope: answer.scopes.join(' '),
      api_domain: base,
      token_type: 'Bearer',
      expires_in: answer.lifeMs / 1000,
    },
  };
}
