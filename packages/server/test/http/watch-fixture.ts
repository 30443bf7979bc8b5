import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { AppError } from '../../src/domain/error.ts';
import { idFromSerial, type NotificationId, type OrgId, type ProfileId, type UserId } from '../../src/domain/ids.ts';
import { STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import type { Org, Principal, Profile, User } from '../../src/domain/org.ts';
import { grants } from '../../src/domain/scope.ts';
import { type ChannelPolicy, DEFAULT_CHANNEL_POLICY } from '../../src/domain/watch.ts';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { type Compat, DEFAULT_COMPAT } from '../../src/domain/wire/compat.ts';
import { toWire } from '../../src/http/errors.ts';
import { watchRoutes } from '../../src/http/routes/watch.ts';
import { createChannels } from '../../src/services/channels.ts';
import { createWriter } from '../../src/services/writer.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { checkInjected } from '../support/oas/inject.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const BASE = 'https://bell.example.com';

interface WireItem {
  readonly code: string;
  readonly details: Record<string, unknown> & { readonly events?: readonly Record<string, unknown>[] };
  readonly message: string;
  readonly status: string;
}

interface WatchReply {
  readonly status: number;
  /** As sent: key order counts. */
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked into freely.
  readonly body: any;
  readonly items: readonly WireItem[];
}

export interface WatchFixture {
  readonly clock: ManualClock;
  /** Calls as one of the users; by default Patricia on v8 with all scopes. */
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', body?: unknown, as?: CallAs): Promise<WatchReply>;
  close(): Promise<void>;
}

interface CallAs {
  readonly version?: string;
  readonly user?: 'patricia' | 'amelia' | 'stranger';
  readonly scopes?: readonly string[];
  readonly query?: string;
}

const zylker: Org = { id: '3652397' as OrgId, name: 'Zylker', timeZone: 'Asia/Kolkata' };
const elsewhere: Org = { id: '4000001' as OrgId, name: 'Elsewhere', timeZone: 'UTC' };
const profileIn = (org: Org): Profile => ({
  id: idFromSerial(org.id, 26_011) as ProfileId,
  name: 'Standard',
  deniedModules: ['Invoices'],
});
const userIn = (org: Org, serial: number, name: string): User => ({
  id: idFromSerial(org.id, serial) as UserId,
  email: `${name}@example.com`,
  firstName: name,
  lastName: 'Boyle',
  profileId: profileIn(org).id,
});
const people: Readonly<Record<string, readonly [Org, User]>> = {
  patricia: [zylker, userIn(zylker, 186_017, 'patricia')],
  amelia: [zylker, userIn(zylker, 186_018, 'amelia')],
  stranger: [elsewhere, userIn(elsewhere, 186_017, 'stranger')],
};

/** The watch routes over the real service, writer and store, with signed-in users of two organisations. */
export async function openWatch(
  options: { readonly compat?: Partial<Compat>; readonly policy?: Partial<ChannelPolicy> } = {},
): Promise<WatchFixture> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-watch-'));
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32).fill(1), logger: silent });
  for (const org of [zylker, elsewhere]) {
    await store.accounts.addOrg(org, 0);
    await store.accounts.addProfile(org.id, profileIn(org));
  }
  for (const [org, user] of Object.values(people)) await store.accounts.addUser(org.id, user, 0);
  const clock = createManualClock();
  const writer = createWriter({
    store: store.writing,
    clock,
    randomId: () => randomUUID() as NotificationId,
    onCommitted: () => {},
    maxQueued: 1000,
    maxBatchWeight: 1000,
  });
  const policy = { ...DEFAULT_CHANNEL_POLICY, ...options.policy };
  const channels = createChannels({ writer, reads: store.channels, clock, policy });
  const app = serve({ channels, compat: { ...DEFAULT_COMPAT, ...options.compat }, judgeReceiver: () => undefined });
  return {
    clock,
    async call(
      method,
      body,
      { version = 'v8', user = 'patricia', scopes = ['ZohoCRM.notifications.ALL'], query } = {},
    ) {
      const response = await app.inject({
        method,
        url: `/crm/${version}/actions/watch${query === undefined ? '' : `?${query}`}`,
        headers: { authorization: JSON.stringify({ user, scopes }) },
        ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = response.body;
      const parsed = text === '' ? undefined : JSON.parse(text);
      return { status: response.statusCode, text, body: parsed, items: parsed?.watch ?? [] };
    },
    async close() {
      await app.close();
      await writer.drain();
      await store.close();
      await removeData(dataDir);
    },
  };
}

function serve(parts: Parameters<typeof watchRoutes>[2]): FastifyInstance {
  const app = Fastify();
  checkInjected(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = toWire(error);
    return reply.code(status).send(body);
  });
  for (const version of API_VERSIONS) {
    const context = {
      version,
      baseOf: () => BASE,
      begin: () => () => {},
      authenticate: async (header: string | undefined) => principalOf(header ?? '{}'),
      requireScope(principal: Principal, need: Parameters<typeof grants>[1]) {
        if (!grants(principal.scopes, need))
          throw new AppError('OAUTH_SCOPE_MISMATCH', 'invalid oauth scope to access this URL');
      },
    };
    app.register(async (crm) => watchRoutes(crm, context, parts), { prefix: `/crm/${version}` });
  }
  return app;
}

function principalOf(header: string): Principal {
  const { user: name, scopes } = JSON.parse(header) as { user: string; scopes: string[] };
  const [org, user] = people[name]!;
  return { org, user, profile: profileIn(org), catalog: STANDARD_CATALOG, clientId: '1000.TEST', scopes };
}
