import { Pool } from 'undici';

/** A change that was answered 2xx and so must reach every channel that is owed it. */
export interface Acknowledged {
  readonly operation: 'insert' | 'update' | 'delete';
  readonly id: string;
  /** What Description was set to; unique to the change. */
  readonly description?: string;
}

export interface Load {
  readonly acknowledged: readonly Acknowledged[];
  /** Calls that got no answer, or not a good one: they may have happened. */
  readonly unanswered: () => number;
  stop(): Promise<void>;
}

/** Keeps writing contacts with some workers, through all kills, until stopped. Each worker changes its own records only. */
export function startLoad(base: string, accessToken: string, workers: number): Load {
  const acknowledged: Acknowledged[] = [];
  const pool = new Pool(base, { connections: workers });
  let stopped = false;
  let unanswered = 0;
  let serial = 0;

  async function call(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<string[] | undefined> {
    try {
      const response = await pool.request({
        method,
        path: `/crm/v8/Contacts${path}`,
        headers: { authorization: `Zoho-oauthtoken ${accessToken}` },
        ...(body && { body: JSON.stringify({ data: [body].flat() }) }),
      });
      const text = await response.body.text();
      if (response.statusCode >= 300) throw new Error(text);
      const { data } = JSON.parse(text) as { data: { code: string; details: { id: string } }[] };
      if (data.some(({ code }) => code !== 'SUCCESS')) throw new Error(text);
      return data.map(({ details }) => details.id);
    } catch {
      unanswered += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined;
    }
  }

  async function work(): Promise<void> {
    const own: string[] = [];
    while (!stopped) {
      const dice = Math.random();
      const description = `d${++serial}`;
      if (own.length < 5 || dice < 0.3) {
        const several = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, (_, i) => ({
          Last_Name: `Crash ${i}`,
          Description: `${description}.${i}`,
        }));
        const ids = await call('POST', '', several);
        ids?.forEach((id, i) => {
          acknowledged.push({ operation: 'insert', id, description: `${description}.${i}` });
          own.push(id);
        });
        continue;
      }
      const at = Math.floor(Math.random() * own.length);
      const id = own[at] as string;
      if (dice < 0.9) {
        if (await call('PUT', `/${id}`, { Description: description })) {
          acknowledged.push({ operation: 'update', id, description });
        }
      } else {
        own.splice(at, 1);
        if (await call('DELETE', `?ids=${id}`)) acknowledged.push({ operation: 'delete', id });
      }
    }
  }

  const running = Array.from({ length: workers }, work);
  return {
    acknowledged,
    unanswered: () => unanswered,
    async stop() {
      stopped = true;
      await Promise.all(running);
      await pool.close();
    },
  };
}
