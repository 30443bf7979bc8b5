import type { FastifyInstance } from 'fastify';
import { recordAnswer } from './record.ts';

/** Compares what is answered to injected requests, too, with the public OpenAPI files. */
export function checkInjected(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    // A compressed one is no text any more.
    if (payload !== null && payload !== undefined && typeof payload !== 'string') return;
    recordAnswer({
      method: request.method,
      path: request.url,
      status: reply.statusCode,
      contentType: String(reply.getHeader('content-type') ?? ''),
      body: payload ?? '',
    });
  });
}
