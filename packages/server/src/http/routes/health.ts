import type { FastifyInstance } from 'fastify';
import type { Auth } from '../../services/auth.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { RateLimiter } from '../rate-limit.ts';
import { administersAll } from './admin/access.ts';

/** Whether the server can do its work right now; the reason when not. */
export type Check = () => Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;

export interface HealthParts {
  readonly check: Check;
  readonly auth: Auth;
  readonly metrics: Metrics;
  readonly limiter: RateLimiter;
}

/** `/healthz` and `/readyz` for whoever runs the process, without a token; `/metrics` for the operator of all organisations, as they count all of them. */
export function healthRoutes(app: FastifyInstance, { check, auth, metrics, limiter }: HealthParts): void {
  app.get('/healthz', async () => ({ status: 'alive' }));

  app.get('/readyz', async (_request, reply) => {
    const state = await check();
    if (state.ok) return { status: 'ready' };
    return reply.code(503).header('retry-after', '1').send({ status: 'unready', reason: state.reason });
  });

  app.get('/metrics', { onRequest: administersAll(auth, limiter) }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}
