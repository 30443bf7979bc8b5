import type { FastifyInstance } from 'fastify';
import { AppError } from '../domain/error.ts';

/** A loopback name with any port, as it stands in `Host`. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * The dev profile's credentials are known to everybody, so a web page must not reach it: neither by a name of its own
 * that points at loopback (foreign `Host`), nor by a request of its own (foreign `Origin`).
 */
export function guardDev(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers: { host, origin } }) => {
    if (!LOOPBACK.test(host ?? '')) {
      throw new AppError('NO_PERMISSION', 'The dev profile answers only on localhost, 127.x.x.x and [::1]', {
        header: 'Host',
      });
    }
    if (origin !== undefined && !isLoopbackOrigin(origin)) {
      throw new AppError('NO_PERMISSION', 'The dev profile does not answer requests of other web pages', {
        header: 'Origin',
      });
    }
  });
}

const isLoopbackOrigin = (origin: string): boolean => LOOPBACK.test(origin.replace(/^https?:\/\//i, ''));
