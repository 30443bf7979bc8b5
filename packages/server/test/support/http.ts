import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createRecovery } from '../../src/app-recovery.ts';
import { createDevClock } from '../../src/dev-clock.ts';
import type { NotificationId } from '../../src/domain/ids.ts';
import { DEV_OAUTH_POLICY, type OAuthPolicy } from '../../src/domain/oauth/policy.ts';
import type { Principal } from '../../src/domain/org.ts';
import type { RateLimits } from '../../src/domain/rate-limit.ts';
import type { TrustedProxies } from '../../src/domain/trusted-proxies.ts';
import { DEFAULT_CHANNEL_POLICY } from '../../src/domain/watch.ts';
import { DEFAULT_COMPAT } from '../../src/domain/wire/compat.ts';
import { createCursors } from '../../src/http/cursor.ts';
import type { Check } from '../../src/http/routes/health.ts';
import { createHttp, type HttpParts } from '../../src/http/server.ts';
import { type Accounts, createAccounts, DEV_CREDENTIALS, DEV_MEMBER } from '../../src/services/accounts.ts';
import { createAdministration } from '../../src/services/administration.ts';
import { type Auth, createAuth } from '../../src/services/auth.ts';
import { createCatalogs } from '../../src/services/catalogs.ts';
import { createChannelControl } from '../../src/services/channel-control.ts';
import { createChannelTests } from '../../src/services/channel-tests.ts';
import { createChannels } from '../../src/services/channels.ts';
import { createClockControl } from '../../src/services/clock-control.ts';
import { createErasure } from '../../src/services/erasure.ts';
import { createExplainer } from '../../src/services/explain.ts';
import { createInbox } from '../../src/services/inbox.ts';
import { createIntake } from '../../src/services/intake.ts';
import { createMetadata } from '../../src/services/metadata.ts';
import { createNoticeDesk } from '../../src/services/notice-desk.ts';
import { createPageTokens } from '../../src/services/page-tokens.ts';
import { createRecordLists } from '../../src/services/record-lists.ts';
import { createRecordServices } from '../../src/services/record-services.ts';
import { createRecycleBin } from '../../src/services/recycle-bin.ts';
import { createSearch, DEFAULT_SEARCH_POLICY } from '../../src/services/search.ts';
import { createSignatures } from '../../src/services/signing.ts';
import { createWriter } from '../../src/services/writer.ts';
import { createCipher } from '../../src/storage/cipher.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createManualClock } from './manual-clock.ts';
import { checkInjected } from './oas/inject.ts';
import { openStoreIn, removeData } from './test-data.ts';

interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** The HTTP layer over a real store in a directory of its own, with the sample organisation and without delivery. */
export interface HttpFixture {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly auth: Auth;
  readonly accounts: Accounts;
  readonly principal: Principal;
  readonly log: readonly LogLine[];
  /** Real time as the server sees it, epoch ms: starts at a fixed moment. */
  readonly time: { now: number };
  /** An access token for the sample user, or for whom the refresh token was made. */
  signIn(refreshToken?: string): Promise<string>;
  /** Closes the server and the store and opens both anew on the same data. */
  restart(): Promise<HttpFixture>;
  close(): Promise<void>;
}

export interface HttpFixtureOptions {
  readonly devGuard?: boolean;
  readonly check?: Check;
  readonly adminToken?: string;
  readonly withoutInbox?: boolean;
  readonly saveOutcomes?: () => void;
  /** None when absent. */
  readonly rateLimits?: RateLimits;
  readonly trustProxy?: TrustedProxies;
  readonly isBasePublic?: boolean;
  /** Instead of the dev profile's. */
  readonly oauth?: OAuthPolicy;
  /** The consent page asks the sample user, too, for a sign-in key. */
  readonly withoutSignIn?: boolean;
  /** Routes of the test's own, added before the server starts. */
  readonly extend?: (app: FastifyInstance, auth: Auth) => void;
}

const SECRET_KEY = new Uint8Array(32).fill(7);

export async function openHttp(
  options: HttpFixtureOptions = {},
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-http-')),
  time = { now: Date.UTC(2026, 0, 5, 9) },
): Promise<HttpFixture> {
  const log: LogLine[] = [];
  const note = (level: LogLine['level']) => (fields: object, message: string) => {
    log.push({ level, fields: fields as LogLine['fields'], message });
  };
  const logger: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const clock = createManualClock(time.now);
  const realNow = () => time.now;
  const store = await openStoreIn(dataDir, { secretKey: SECRET_KEY, logger });
  const writer = createWriter({
    store: store.writing,
    clock,
    randomId: () => randomUUID() as NotificationId,
    onCommitted: () => {},
    maxQueued: 1000,
    maxBatchWeight: 1000,
  });
  const { accounts: accountStore, clients, tokens } = store;
  const { administration, erasure } = store;
  const accounts = createAccounts({
    accounts: accountStore,
    administration,
    clients,
    tokens,
    clock,
    realNow,
    random: randomBytes,
  });
  const { principal } = await accounts.ensureDev({ timeZone: 'Asia/Kolkata' });
  const auth = createAuth({
    accounts: accountStore,
    clients,
    tokens,
    policy: options.oauth ?? DEV_OAUTH_POLICY,
    ...(!options.withoutSignIn && { signedIn: DEV_MEMBER }),
    realNow,
    random: randomBytes,
    adminToken: options.adminToken ?? DEV_CREDENTIALS.adminToken,
  });
  const catalogs = createCatalogs({
    writer,
    accounts: accountStore,
    onChanged: (orgId) => auth.forget({ orgId }),
  });
  const parts: HttpParts = {
    logger,
    tellRequest: (fields) => logger.info(JSON.parse(`{${fields}}`), 'request'),
    metrics: createMetrics(),
    auth,
    cursors: createCursors(createCipher(SECRET_KEY)),
    channelControl: createChannelControl({ writer, store: administration, backlog: store.backlog, clock }),
    channelTests: createChannelTests({
      store: administration,
      sendTest: () => Promise.reject(new Error('Nothing is sent from here')),
      clock,
      realNow,
    }),
    signatures: createSignatures({
      writer,
      channels: administration,
      signings: store.delivery,
      realNow: Date.now,
      random: randomBytes,
    }),
    administration: createAdministration({
      store: administration,
      reads: accountStore,
      accounts,
      auth,
      writer,
      erasure: createErasure({ store: erasure, logger, quiet: async () => {}, onErased: () => {} }),
      clock,
    }),
    metadata: createMetadata({ accounts: accountStore }),
    catalogs,
    intake: createIntake({ writer, catalogs }),
    ...createRecovery({
      store,
      writer,
      delivery: { lookAtJobs() {} },
      clock,
      realNow,
      base: () => 'http://127.0.0.1:8686',
      compat: DEFAULT_COMPAT,
    }).parts,
    noticeDesk: createNoticeDesk({ store: store.notices, clock, onChanged() {} }),
    channels: createChannels({ writer, reads: store.channels, clock, policy: DEFAULT_CHANNEL_POLICY }),
    ...createRecordServices({ writer, reads: store.records, relatedReads: store.related, accounts: accountStore }),
    recordLists: createRecordLists({
      lists: store.recordLists,
      reads: store.records,
      accounts: accountStore,
      tokens: createPageTokens(SECRET_KEY),
      clock,
    }),
    recycleBin: createRecycleBin({
      writer,
      deleted: store.deleted,
      reads: store.records,
      accounts: accountStore,
      clock,
    }),
    search: createSearch({
      search: store.search,
      reads: store.records,
      accounts: accountStore,
      policy: DEFAULT_SEARCH_POLICY,
    }),
    explainer: createExplainer({
      reads: store.explaining,
      changes: store.housekeeping,
      accounts: store.accounts,
      delivery: store.delivery,
      clock,
    }),
    ...(!options.withoutInbox && {
      inbox: createInbox({ realNow }),
      clockControl: createClockControl({
        clock: createDevClock(clock, undefined, 0),
        store: store.clock,
        left: undefined,
        realNow,
        idle: async () => {},
      }),
    }),
    check: options.check ?? (() => store.check()),
    base: () => 'http://127.0.0.1:8686',
    isBasePublic: options.isBasePublic ?? false,
    trustProxy: options.trustProxy ?? 0,
    rateLimits: options.rateLimits ?? {},
    programVersion: '0.0.0',
    realNow,
    compat: DEFAULT_COMPAT,
    judgeReceiver: () => undefined,
    bodyLimit: 1_048_576,
    devGuard: options.devGuard ?? true,
    saveOutcomes: options.saveOutcomes ?? (() => undefined),
  };
  const app = createHttp(parts);
  checkInjected(app);
  options.extend?.(app, auth);
  await app.ready();
  const closeAll = async () => {
    await app.close();
    await writer.drain();
    await store.close();
  };
  return {
    app,
    store,
    auth,
    accounts,
    principal,
    log,
    time,
    async signIn(refreshToken = DEV_CREDENTIALS.refreshToken) {
      const answer = await auth.exchange({ grantType: 'refresh_token', ...DEV_CREDENTIALS, refreshToken });
      if (answer.kind !== 'issued') throw new Error(answer.error);
      return answer.accessToken;
    },
    async restart() {
      await closeAll();
      return openHttp(options, dataDir, time);
    },
    async close() {
      await closeAll();
      await removeData(dataDir);
    },
  };
}
