import { Pool } from 'undici';

const CONNECTIONS = 50;
const TIMEOUT_MS = 10_000;

/** Resolves when it was acknowledged; rejects when it was refused or not answered. */
export type Post = (channel: number, webhookId: string, body: string) => Promise<void>;

export interface Poster {
  readonly post: Post;
  close(): Promise<void>;
}

/** POSTs to the channels' URLs with 50 connections to each origin, by undici's quickest way. */
export function createPoster(urls: readonly string[]): Poster {
  const pools = new Map<string, Pool>();
  const channels = urls.map((text) => {
    const { origin, pathname: path } = new URL(text);
    const pool =
      pools.get(origin) ??
      new Pool(origin, { connections: CONNECTIONS, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
    pools.set(origin, pool);
    return { origin, path, pool };
  });

  const post: Post = (channel, webhookId, body) =>
    new Promise((resolve, reject) => {
      const target = channels[channel];
      if (target === undefined) return reject(new Error(`no channel ${channel}`));
      const { origin, path, pool } = target;
      const headers = ['content-type', 'application/json', 'webhook-id', webhookId];
      let status = 0;
      pool.dispatch(
        { origin, path, method: 'POST', headers, body },
        {
          onRequestStart() {},
          onResponseStart(_controller, statusCode) {
            status = statusCode;
          },
          onResponseData() {},
          onResponseEnd() {
            if (status >= 200 && status < 300) resolve();
            else reject(new Error(`answered with ${status}`));
          },
          onResponseError(_controller, error) {
            reject(error);
          },
        },
      );
    });

  return {
    post,
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
