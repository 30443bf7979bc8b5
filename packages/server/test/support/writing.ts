import { setTimeout as delay } from 'node:timers/promises';

/** A token of the dev profile's sample user. */
export async function signIn(base: string, credentials: Readonly<Record<string, string>>): Promise<string> {
  const { client_id = '', client_secret = '', refresh_token = '' } = credentials;
  const form = { grant_type: 'refresh_token', client_id, client_secret, refresh_token };
  const response = await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  return ((await response.json()) as { access_token: string }).access_token;
}

export interface Writing {
  /** Ids of the contacts whose creation was answered. */
  readonly created: readonly string[];
  stop(): Promise<void>;
}

/** Keeps creating contacts until stopped, also while nobody answers. */
export function keepWriting(base: string, token: string, workers = 4): Writing {
  const created: string[] = [];
  let isStopped = false;
  async function work(): Promise<void> {
    while (!isStopped) {
      const id = await create(base, token).catch(() => undefined);
      if (id === undefined) await delay(20);
      else created.push(id);
    }
  }
  const running = Array.from({ length: workers }, work);
  return {
    created,
    async stop() {
      isStopped = true;
      await Promise.all(running);
    },
  };
}

/** Undefined when it was refused. */
async function create(base: string, token: string): Promise<string | undefined> {
  const response = await fetch(`${base}/crm/v8/Contacts`, {
    method: 'POST',
    headers: { authorization: `Zoho-oauthtoken ${token}` },
    body: JSON.stringify({ data: [{ Last_Name: 'Boyle' }] }),
  });
  const { data } = (await response.json()) as { data?: readonly { readonly details: { readonly id: string } }[] };
  return response.status === 201 ? data?.[0]?.details.id : undefined;
}
