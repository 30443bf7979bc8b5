import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/error.ts';
import type { Auth, TokenAnswer } from '../../services/auth.ts';
import { type Answer, readQuery, sendAnswer } from '../call.ts';
import { readForm } from '../form.ts';

const TOKEN_PATH = '/oauth/v2/token';
const MAX_TOKEN_BODY = 16_384;

/** The token endpoint (reference §6.2): multipart, urlencoded and query parameters, which may be mixed. */
export function oauthRoutes(
  app: FastifyInstance,
  { auth, base }: { readonly auth: Auth; readonly base: () => string },
): void {
  app.post(TOKEN_PATH, { bodyLimit: MAX_TOKEN_BODY }, async (request, reply) => {
    const given = await readParameters(request);
    const answer = await auth.exchange({
      grantType: given('grant_type'),
      clientId: given('client_id'),
      clientSecret: given('client_secret'),
      code: given('code'),
      redirectUri: given('redirect_uri'),
      refreshToken: given('refresh_token'),
    });
    return sendAnswer(reply, render(answer, base()));
  });

  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE'],
    url: TOKEN_PATH,
    handler: () => {
      throw new AppError('INVALID_REQUEST_METHOD', 'The http request method type is not a valid one');
    },
  });
}

/** A parameter by name; the body's goes before the query's. An empty one counts as absent. */
async function readParameters(request: FastifyRequest): Promise<(name: string) => string | undefined> {
  const query = readQuery(request.query as Record<string, string | string[]>);
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  const form = await readForm(request.headers['content-type'], body);
  return (name) => form.get(name) || query.get(name) || undefined;
}

/** Refusals come with status 200, as the endpoint's clients expect. `expires_in` is in seconds. */
function render(answer: TokenAnswer, base: string): Answer {
  if (answer.kind === 'refused') return { status: 200, body: { error: answer.error } };
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
