import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Auth } from '../../services/auth.ts';
import type { Inbox, InboxMessage } from '../../services/inbox.ts';
import { parseJson } from '../json.ts';
import type { RateLimiter } from '../rate-limit.ts';
import { administersAll } from './admin/access.ts';

const Name = Type.Object({ name: Type.String({ pattern: '^[A-Za-z0-9._~-]{1,64}$' }) });

const Query = Type.Object(
  {
    wait: Type.Integer({ minimum: 0, maximum: 30, default: 0, description: 'Seconds to wait for messages' }),
    count: Type.Integer({ minimum: 1, maximum: 1000, default: 1, description: 'Messages that end the waiting' }),
    after: Type.Integer({ minimum: 0, default: 0, description: 'Only messages with a higher sequence' }),
  },
  { additionalProperties: false },
);

const Message = Type.Object({
  sequence: Type.Integer(),
  received_at: Type.String({ description: 'ISO 8601, UTC' }),
  headers: Type.Record(Type.String(), Type.String()),
  body: Type.Unknown({ description: 'The JSON it is, else the text' }),
});

const Listing = Type.Object({
  messages: Type.Array(Message),
  dropped: Type.Integer({ description: 'Messages that the bounds of the inbox pushed out' }),
});

const Done = Type.Object({ status: Type.String() });

/** A receiver that comes with the dev profile: anybody may send to it, the operator of all organisations reads it. */
export function inboxRoutes(
  app: FastifyInstance,
  { inbox, auth, limiter }: { readonly inbox: Inbox; readonly auth: Auth; readonly limiter: RateLimiter },
): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const ownPath = '/_watchbell/v1/inbox/:name';
  const onRequest = administersAll(auth, limiter);

  typed.post(
    '/_watchbell/inbox/:name',
    { schema: { params: Name, response: { 200: Done } } },
    async ({ params, headers, body }) => {
      inbox.put(params.name, {
        headers: shownHeaders(headers),
        body: body instanceof Buffer ? body.toString('utf8') : '',
      });
      return { status: 'received' };
    },
  );

  typed.get(
    ownPath,
    { onRequest, schema: { params: Name, querystring: Query, response: { 200: Listing } } },
    async ({ params, query: { wait, count, after } }) => {
      const { messages, dropped } = await inbox.list(params.name, { after, count, waitMs: wait * 1000 });
      return { messages: messages.map(renderMessage), dropped };
    },
  );

  typed.delete(ownPath, { onRequest, schema: { params: Name, response: { 200: Done } } }, async ({ params }) => {
    inbox.clear(params.name);
    return { status: 'cleared' };
  });

  app.addHook('preClose', async () => inbox.close());
}

function shownHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const shown = Object.entries(headers).map(([name, value]) => [
    name,
    name === 'authorization' ? 'redacted' : [value ?? ''].flat().join(', '),
  ]);
  return Object.fromEntries(shown);
}

const renderMessage = ({ sequence, receivedAt, headers, body }: InboxMessage) => ({
  sequence,
  received_at: new Date(receivedAt).toISOString(),
  headers,
  body: jsonOrText(body),
});

function jsonOrText(text: string): unknown {
  try {
    parseJson(text);
    return JSON.parse(text);
  } catch {
    return text;
  }
}
