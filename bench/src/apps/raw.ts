import { type Dispatcher, Pool } from 'undici';
import { bodyOf } from '../event.ts';
import type { App, AppSetting } from './app.ts';

/** As many requests at once as all others make to the sink; to as many origins as there are. */
const AT_ONCE = 50;

/** One POST; resolves when it was answered 200. */
export type Send = (pool: Pool, path: string, headers: Record<string, string>, body: string) => Promise<void>;

/** As an application calls it. */
export const byRequest: Send = async (pool, path, headers, body) => {
  const answer = await pool.request({ method: 'POST', path, headers, body });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
};

/** Without promises and streams for answers. */
export const byDispatch: Send = (pool, path, headers, body) =>
  new Promise((resolve, reject) => {
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_controller, statusCode) {
        status = statusCode;
      },
      onResponseData() {},
      onResponseEnd: () => (status === 200 ? resolve() : reject(new Error(`answered ${status}`))),
      onResponseError: (_controller, error) => reject(error),
    };
    pool.dispatch({ method: 'POST', path, headers, body }, handler);
  });

/** POSTs what it takes and keeps nothing: the ceiling of what Node and undici can send. */
export const startRaw =
  (send: Send) =>
  async ({ shape: { urls, to } }: AppSetting): Promise<App> => {
    const parsed = urls.map((url) => new URL(url));
    const pools = new Map<string, Pool>();
    for (const { origin } of parsed) pools.set(origin, new Pool(origin, { connections: AT_ONCE }));
    const targets = parsed.flatMap(({ origin, pathname: path }) => {
      const pool = pools.get(origin);
      return pool ? [{ pool, path }] : [];
    });
    const perEvent = to === 'each' ? targets.length : 1;

    async function take(from: number, events: number): Promise<void> {
      const count = events * perEvent;
      let next = 0;
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          while (next < count) {
            const n = next++;
            const target = targets[n % targets.length];
            if (!target) return;
            const serial = from + Math.floor(n / perEvent);
            const headers = { 'content-type': 'application/json', 'webhook-id': `raw_${serial}_${n}` };
            await send(target.pool, target.path, headers, bodyOf(serial));
          }
        }),
      );
    }

    return {
      take,
      takeOne: (serial) => take(serial, 1),
      async stop() {
        await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      },
    };
  };
