import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Flags } from '../../src/settings.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { dataFlags, removeData } from './test-data.ts';

export interface Answer {
  readonly status: number;
  /** Parsed; undefined when there was none. */
  readonly body: unknown;
}

export interface Caller {
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  readonly accessToken: string;
}

export interface LiveApp {
  readonly base: string;
  readonly clock: ManualClock;
  readonly app: App;
  /** The sample organisation's first user, with all scopes. */
  readonly owner: Caller;
  /** Another user of the sample organisation, with a profile that denies modules, or narrower scopes. */
  colleague(options?: { deniedModules?: readonly string[]; scopes?: readonly string[] }): Promise<Caller>;
  /** The first user of another organisation. */
  stranger(): Promise<Caller>;
  /** Stops and starts again on the same data and clock; `base` changes. */
  restart(): Promise<LiveApp>;
  stop(): Promise<void>;
}

const SAMPLE = { orgId: '3652397', clientId: '1000.DEV', clientSecret: 'dev-secret', refreshToken: '1000.dev.refresh' };

/** The whole server in this process, on a free port and data of its own, with a clock that stands still. */
export async function startLiveApp(
  options: { flags?: Flags; clock?: ManualClock; dataDir?: string; realNow?: () => number } = {},
): Promise<LiveApp> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'watchbell-test-'));
  const clock = options.clock ?? createManualClock();
  const config = loadConfig(
    'dev',
    { port: '0', ...(await dataFlags(dataDir)), logLevel: 'silent', ...options.flags },
    {},
  );
  const { realNow } = options;
  const app = await createApp(config, { clock, ...(realNow && { realNow }) });
  const { base } = await app.start();

  async function signIn(client: { clientId: string; clientSecret: string; refreshToken: string }): Promise<Caller> {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      refresh_token: client.refreshToken,
    });
    const response = await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: form });
    const { access_token: accessToken } = (await response.json()) as { access_token: string };
    return { accessToken, call: (method, path, body) => request(base, accessToken, method, path, body) };
  }

  return {
    base,
    clock,
    app,
    owner: await signIn(SAMPLE),
    async colleague({ deniedModules = [], scopes } = {}) {
      const org = SAMPLE.orgId as Parameters<App['accounts']['addProfile']>[0];
      const profile = await app.accounts.addProfile(org, { name: 'Colleagues', deniedModules });
      const user = await app.accounts.addUser(org, {
        email: `colleague${Math.random()}@example.com`,
        firstName: 'Ada',
        lastName: 'Colleague',
        profileId: profile.id,
      });
      const refreshToken = await app.accounts.makeRefreshToken({
        orgId: org,
        userId: user.id,
        clientId: SAMPLE.clientId,
        ...(scopes && { scopes }),
      });
      return signIn({ ...SAMPLE, refreshToken });
    },
    async stranger() {
      const made = await app.accounts.setup({
        orgName: 'Elsewhere',
        timeZone: 'UTC',
        email: 'stranger@example.com',
        firstName: '',
        lastName: 'Stranger',
        clientName: 'Test',
      });
      return signIn(made);
    },
    async restart() {
      await app.stop();
      return startLiveApp({ ...options, clock, dataDir });
    },
    async stop() {
      await app.stop();
      await removeData(dataDir);
    },
  };
}

/** What stands at a path in an answer, as text: `at(body, 'data', 0, 'details', 'id')`. */
export function at(value: unknown, ...path: readonly (string | number)[]): string {
  const found = path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key],
    value,
  );
  if (typeof found !== 'string') throw new Error(`no text at ${path.join('.')} of ${JSON.stringify(value)}`);
  return found;
}

async function request(base: string, token: string, method: string, path: string, body: unknown): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Zoho-oauthtoken ${token}` },
    ...(body !== undefined && {
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
