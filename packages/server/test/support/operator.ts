import type { Answer } from './live-app.ts';

export type Operate = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Calls our own API below `/_watchbell/v1` with an admin token; paths begin with a slash. */
export const operatorOf =
  (base: string, token = 'dev-admin'): Operate =>
  async (method, path, body) => {
    const response = await fetch(`${base}/_watchbell/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
