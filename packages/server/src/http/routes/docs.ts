import type { FastifyInstance, FastifyRequest } from 'fastify';
import { apiDocument } from '../openapi/document.ts';
import { readDocsPage } from '../openapi/page.ts';
import type { ServedRoute } from '../openapi/routes.ts';

export interface DocsParts {
  /** All that is served, once the server is ready. */
  readonly routes: readonly ServedRoute[];
  readonly base: (request: FastifyRequest) => string;
  readonly programVersion: string;
}

/** The API document, and a page to browse it. Neither needs a token. */
export function docsRoutes(app: FastifyInstance, { routes, base, programVersion }: DocsParts): void {
  const page = readDocsPage();

  let last: { readonly base: string; readonly text: string } | undefined;
  /** Made once for as long as everybody reaches the server in the same way. */
  function documentFor(reachedAt: string): string {
    if (last?.base !== reachedAt) {
      last = { base: reachedAt, text: JSON.stringify(apiDocument(routes, reachedAt, programVersion)) };
    }
    return last.text;
  }

  app.get('/_watchbell/openapi.json', async (request, reply) =>
    reply.type('application/json;charset=UTF-8').send(documentFor(base(request))),
  );

  app.get('/_watchbell/docs', async (_request, reply) =>
    reply
      .headers({ 'content-security-policy': page.policy, 'referrer-policy': 'no-referrer' })
      .type('text/html;charset=UTF-8')
      .send(page.html),
  );
}
