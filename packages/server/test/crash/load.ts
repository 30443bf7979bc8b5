import { Pool } from 'undici';

/** A change that was answered 2xx and so must be in the change log, and reach every channel that is owed it. */
export interface Acknowledged {
  readonly module: string;
  readonly operation: 'insert' | 'update' | 'delete';
  readonly id: string;
  /** What Description was set to; unique to the change. */
  readonly description?: string;
}

/** Writes as a client does, remembering what was answered. */
export interface Client {
  readonly acknowledged: readonly Acknowledged[];
  /** What was asked for and got no answer, or not a good one: it may have happened. The ids of inserts are not known. */
  readonly unknown: readonly Acknowledged[];
  /** Calls of these. */
  readonly unanswered: () => number;
  /** Ids of the new records; undefined when it was not answered. */
  insert(module: string, count: number): Promise<readonly string[] | undefined>;
  /** Sets Description of all of them, and the other field of some. */
  update(module: string, ids: readonly string[], more?: Readonly<Record<string, string>>): Promise<boolean>;
  remove(module: string, ids: readonly string[]): Promise<boolean>;
  /** A watch call; the status, or undefined when it was not answered. */
  watch(method: 'POST' | 'PUT', version: string, entries: readonly object[]): Promise<number | undefined>;
  /** Called in the turn in which a write's answer has come. */
  onAnswer: (() => void) | undefined;
  close(): Promise<void>;
}

const VERSIONS = ['v2', 'v4', 'v6', 'v8'];
const REQUIRED: Readonly<Record<string, (name: string) => object>> = {
  Contacts: (name) => ({ Last_Name: name }),
  Leads: (name) => ({ Last_Name: name, Company: 'Crash' }),
  Accounts: (name) => ({ Account_Name: name }),
  Vendors: (name) => ({ Vendor_Name: name }),
};

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How the client reaches servers. Rejects when there was no answer. */
export interface Line {
  call(method: Method, path: string, body?: object): Promise<{ readonly statusCode: number; readonly text: string }>;
  close(): Promise<void>;
}

/** To one server. */
export function lineTo(base: string, accessToken: string, connections: number): Line {
  const pool = new Pool(base, { connections });
  return {
    async call(method, path, body) {
      const { statusCode, body: answer } = await pool.request({
        method,
        path,
        headers: { authorization: `Zoho-oauthtoken ${accessToken}` },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { statusCode, text: await answer.text() };
    },
    close: () => pool.destroy(),
  };
}

export function createClient({ call, close }: Line): Client {
  const acknowledged: Acknowledged[] = [];
  const unknown: Acknowledged[] = [];
  let unanswered = 0;
  let serial = 0;

  async function write(
    asked: readonly Acknowledged[],
    method: Method,
    path: string,
    body?: object,
  ): Promise<string[] | undefined> {
    try {
      const version = VERSIONS[serial % VERSIONS.length];
      const { statusCode, text } = await call(method, `/crm/${version}/${path}`, body);
      if (statusCode >= 300) throw new Error(text);
      const { data } = JSON.parse(text) as { data: { code: string; details: { id: string } }[] };
      if (data.some(({ code }) => code !== 'SUCCESS')) throw new Error(text);
      client.onAnswer?.();
      return data.map(({ details }) => details.id);
    } catch {
      unanswered += 1;
      unknown.push(...asked);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined;
    }
  }

  const client: Client = {
    acknowledged,
    unknown,
    unanswered: () => unanswered,
    onAnswer: undefined,
    async insert(module, count) {
      const descriptions = Array.from({ length: count }, () => `d${++serial}`);
      const data = descriptions.map((Description) => ({ ...REQUIRED[module]?.(`Crash ${Description}`), Description }));
      const asked = descriptions.map((description) => ({ module, operation: 'insert' as const, id: '', description }));
      const ids = await write(asked, 'POST', module, { data });
      if (ids) acknowledged.push(...asked.map((one, at) => ({ ...one, id: ids[at] as string })));
      return ids;
    },
    async update(module, ids, more = {}) {
      const data = ids.map((id) => ({ id, Description: `d${++serial}`, ...more }));
      const asked = data.map(({ id, Description: description }) => ({
        module,
        operation: 'update' as const,
        id,
        description,
      }));
      if (!(await write(asked, 'PUT', module, { data }))) return false;
      acknowledged.push(...asked);
      return true;
    },
    async remove(module, ids) {
      serial += 1;
      const asked = ids.map((id) => ({ module, operation: 'delete' as const, id }));
      if (!(await write(asked, 'DELETE', `${module}?ids=${ids.join(',')}`))) return false;
      acknowledged.push(...asked);
      return true;
    },
    async watch(method, version, entries) {
      try {
        return (await call(method, `/crm/${version}/actions/watch`, { watch: entries })).statusCode;
      } catch {
        return undefined;
      }
    },
    close,
  };
  return client;
}

export interface Load {
  stop(): Promise<void>;
}

const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item;

/**
 * Keeps writing contacts and leads with some workers, through all kills, until stopped: one record a call and many. Each
 * worker changes its own records only, and rests for `pauseMs` after each call.
 */
export function startLoad(client: Client, workers: number, pauseMs: number): Load {
  let isStopped = false;

  async function work(module: string): Promise<void> {
    const own: string[] = [];
    const some = () => [...new Set(Array.from({ length: Math.random() < 0.2 ? 4 : 1 }, () => oneOf(own)))];
    while (!isStopped) {
      const dice = Math.random();
      if (own.length < 5 || dice < 0.25) {
        const count = Math.random() < 0.02 ? 100 : 1 + Math.floor(Math.random() * 3);
        own.push(...((await client.insert(module, count)) ?? []));
      } else if (dice < 0.85) {
        const ids = some();
        const field = module === 'Contacts' ? 'Department' : 'Designation';
        await client.update(module, ids, Math.random() < 0.2 ? { [field]: `${field} ${Math.random()}` } : {});
      } else {
        const ids = some();
        for (const id of ids) own.splice(own.indexOf(id), 1);
        await client.remove(module, ids);
      }
      if (own.length > 200) own.splice(0, 100);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * pauseMs));
    }
  }

  const running = Array.from({ length: workers }, (_, at) => work(at % 3 === 2 ? 'Leads' : 'Contacts'));
  return {
    async stop() {
      isStopped = true;
      await Promise.all(running);
    },
  };
}
