import type { FastifyInstance } from 'fastify';
import type { Auth } from '../../services/auth.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { requireAdmin } from '../admin.ts';
import type { RateLimiter } from '../rate-limit.ts';

/** Whether the server can do its work right now; the reason when not. */
export type Check = () => Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;

export interface HealthParts {
  readonly check: Check;
  readonly auth: Auth;
  readonly metrics: Metrics;
  readonly limiter: RateLimiter;
}

/** `/healthz` and `/readyz` for whoever runs the process, without a token; `/metrics` for the operator. */
export function healthRoutes(app: FastifyInstance, { check, auth, metrics, limiter }: HealthParts): void {
  app.get('/healthz', async () => ({ status: 'alive' }));

  app.get('/readyz', async (_request, reply) => {
    const state = await check();
    if (state.ok) return { status: 'ready' };
    return reply.code(503).header('retry-after', '1').send({ status: 'unready', reason: state.reason });
  });

  app.get('/metrics', { onRequest: requireAdmin(auth, limiter) }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}
