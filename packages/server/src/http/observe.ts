import type { FastifyInstance } from 'fastify';
import type { WrittenLines } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { addressOf } from './proxies.ts';

/** One log line and one measurement for each request. Never its query string, which may hold secrets. */
export function observeRequests(
  app: FastifyInstance,
  { tellRequest, metrics }: { readonly tellRequest: WrittenLines; readonly metrics: Metrics },
): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const status = reply.statusCode;
    const ms = reply.elapsedTime;
    const route = request.routeOptions.url ?? 'none';
    metrics.requests.observe({ method, route, status: String(status) }, ms / 1000);
    const path = JSON.stringify(request.url.split('?', 1)[0]);
    const said = `"requestId":"${request.id}","method":"${method}","path":${path},"status":${status}`;
    tellRequest(`${said},"address":"${addressOf(request)}","ms":${Math.round(ms * 10) / 10}`);
    done();
  });
}
