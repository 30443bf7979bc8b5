import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { withParameters } from '../../domain/oauth/redirect-uri.ts';
import type { Auth } from '../../services/auth.ts';
import type { Consent, ConsentEnd, ConsentRequest } from '../../services/oauth/consent.ts';
import { readQuery, refuseOtherMethods } from '../call.ts';
import { isOwnForm, openForm } from '../consent/csrf.ts';
import { faultPage, messagePage, type Page, questionPage } from '../consent/page.ts';
import { readForm } from '../form.ts';
import { addressOf } from '../proxies.ts';
import { networkOf } from '../rate-limit.ts';

const PATH = '/oauth/v2/auth';
const MAX_FORM = 16_384;
/** The data centre that clients are told; there is one only, and `accounts-server` says where it is. */
const LOCATION = 'us';

type Opened = Awaited<ReturnType<Consent['allow']>>;

/** The consent page: an application sends a person here, and the person goes back with a grant code or a refusal. */
export function consentRoutes(
  app: FastifyInstance,
  {
    auth: { consent },
    base,
  }: { readonly auth: Pick<Auth, 'consent'>; readonly base: (request: FastifyRequest) => string },
): void {
  const isSecure = (request: FastifyRequest): boolean => base(request).startsWith('https:');

  function answer(request: FastifyRequest, reply: FastifyReply, opened: Opened, alert?: string): FastifyReply {
    switch (opened.kind) {
      case 'ask':
      case 'not-signed-in': {
        const { token, cookie } = openForm(request, isSecure(request));
        reply.header('set-cookie', cookie);
        return sendPage(reply, questionPage(opened.question, token, alert));
      }
      case 'fault':
        return sendPage(reply.code(opened.fault === 'suspended' ? 403 : 400), faultPage(opened.fault));
      case 'granted':
      case 'refused':
        return reply
          .code(request.method === 'POST' ? 303 : 302)
          .header('location', locationOf(opened, readRequest(request).state, base(request)))
          .send();
    }
  }

  app.get(PATH, async (request, reply) => answer(request, reply, await consent.open(readRequest(request))));

  app.post(PATH, { bodyLimit: MAX_FORM }, async (request, reply) => {
    const asked = readRequest(request);
    const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
    const form = await readForm(request.headers['content-type'], body);
    if (!isOwnForm(request, form.get('csrf') ?? '', isSecure(request))) {
      return answer(
        request,
        reply.code(403),
        await consent.open(asked),
        'This form was out of date. Answer once more.',
      );
    }
    const decision = form.get('decision');
    if (decision === 'deny') return answer(request, reply, await consent.deny(asked));
    if (decision !== 'allow') return sendPage(reply.code(400), messagePage('The form was sent without an answer.'));
    const opened = await consent.allow(asked, form.get('key') ?? '', networkOf(addressOf(request)));
    if (opened.kind !== 'not-signed-in') return answer(request, reply, opened);
    if (opened.waitMs === undefined) return answer(request, reply.code(403), opened, 'This sign-in key is not known.');
    const seconds = Math.ceil(opened.waitMs / 1000);
    reply.code(429).header('retry-after', String(seconds));
    return answer(request, reply, opened, `Too many wrong keys. Try again in ${Math.ceil(seconds / 60)} minutes.`);
  });

  refuseOtherMethods(app, PATH, ['PUT', 'PATCH', 'DELETE']);
}

function readRequest({ query }: FastifyRequest): ConsentRequest {
  const given = readQuery(query as Record<string, string | string[]>);
  const text = (name: string) => given.get(name) || undefined;
  return {
    clientId: text('client_id'),
    redirectUri: text('redirect_uri'),
    responseType: text('response_type'),
    accessType: text('access_type'),
    scope: text('scope'),
    state: text('state'),
  };
}

function locationOf(end: ConsentEnd, state: string | undefined, base: string): string {
  const said: (readonly [string, string])[] =
    end.kind === 'granted'
      ? [
          ['code', end.code],
          ['location', LOCATION],
          ['accounts-server', base],
        ]
      : [
          ['error', end.error],
          ['error_description', end.description],
        ];
  if (state !== undefined) said.push(['state', state]);
  return withParameters(end.redirectUri, said);
}

/** Referrers stay on this server, but go with our own form: without them browsers do not say where it came from. */
const sendPage = (reply: FastifyReply, { text, policy }: Page): FastifyReply =>
  reply
    .headers({ 'content-security-policy': policy, 'referrer-policy': 'same-origin', 'x-frame-options': 'DENY' })
    .type('text/html; charset=utf-8')
    .send(text);
