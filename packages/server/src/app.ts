import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { createLifeCycle } from './app-life-cycle.ts';
import { createRecovery } from './app-recovery.ts';
import { openClocks } from './clocks.ts';
import type { Config } from './config.ts';
import { createDelivery } from './delivery/delivery.ts';
import { createGuard } from './delivery/guard.ts';
import type { Resolve } from './delivery/resolve.ts';
import type { Clock } from './domain/clock.ts';
import { clusterPolicy } from './domain/cluster-policy.ts';
import type { NotificationId, OrgId } from './domain/ids.ts';
import { DEFAULT_CHANNEL_POLICY } from './domain/watch.ts';
import { createCursors } from './http/cursor.ts';
import { createHttp } from './http/server.ts';
import { applyModuleFile } from './module-file.ts';
import { createLogger, credentials, cursorCipher, openStore, secretKeysOf, writeCredentials } from './opening.ts';
import { type Accounts, createAccounts, DEV_CREDENTIALS, DEV_MEMBER } from './services/accounts.ts';
import { createAdministration } from './services/administration.ts';
import { createAuth } from './services/auth.ts';
import { measureBacklog } from './services/backlog.ts';
import { createCatalogs } from './services/catalogs.ts';
import { createChannelControl } from './services/channel-control.ts';
import { createChannelTests } from './services/channel-tests.ts';
import { createChannels } from './services/channels.ts';
import { createClockControl } from './services/clock-control.ts';
import { watchDatabase } from './services/database-health.ts';
import { createErasure } from './services/erasure.ts';
import { createExplainer } from './services/explain.ts';
import { type Housekeeping, startHousekeeping } from './services/housekeeping.ts';
import { createInbox } from './services/inbox.ts';
import { createIntake } from './services/intake.ts';
import { createMetadata } from './services/metadata.ts';
import { createPageTokens } from './services/page-tokens.ts';
import { createRecordLists } from './services/record-lists.ts';
import { createRecordServices } from './services/record-services.ts';
import { createRecycleBin } from './services/recycle-bin.ts';
import { type Resealing, startResealing } from './services/resealing.ts';
import { seedSample } from './services/sample.ts';
import { createSearch, DEFAULT_SEARCH_POLICY } from './services/search.ts';
import { createSignatures } from './services/signing.ts';
import { createWriter } from './services/writer.ts';
import { StoreRefusal } from './storage/refusal.ts';
import { tellOfCommit } from './telemetry/commits.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { VERSION } from './version.ts';

/** What may be put in the place of the machine's own. */
export interface Surroundings {
  /** Real time, in the place of the machine's or the database's; the dev profile's own clock goes by it. */
  readonly clock?: Clock;
  /** For token life, epoch ms. */
  readonly realNow?: () => number;
  /** For jitter: [0, 1). */
  readonly random?: () => number;
  /** How the addresses of receivers are found. */
  readonly resolve?: Resolve;
}

export interface App {
  /** Resolves when requests are served and what is owed is on its way. */
  start(): Promise<{ readonly base: string }>;
  /** Takes no more requests, answers those begun, finishes attempts in flight, saves their outcomes, lets go of the data. */
  stop(): Promise<void>;
  /** Resolves when nothing is being tidied up or sent, and nothing could be sent now. */
  idle(): Promise<void>;
  /** To add organisations, users and clients while it runs. */
  readonly accounts: Accounts;
}

/** Most row weight that an organisation commits at once. */
const MAX_BATCH_WEIGHT = 2000;

/** Builds a server. Opens the store, so a second process on the same data is refused here, by name. */
export async function createApp(config: Config, surroundings: Surroundings = {}): Promise<App> {
  const { random = Math.random } = surroundings;
  const logger = createLogger(config);
  // Named anew at each start, so that no two are ever taken for one.
  const node = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const secretKeys = await secretKeysOf(config);
  const metrics = createMetrics();
  const store = await openStore(config, logger, {
    metrics,
    ...(config.isRestored && { isRestored: true }),
    time: surroundings.clock ? 'injected' : 'database',
    onRecovered() {
      delivery.recover();
      lifeCycle.lookAtAll();
    },
    onCommitting: () => delivery.saveOutcomes(),
  });
  const { clock, realNow, monotonic, storeClock, dev } = await openClocks(config.profile, store, surroundings).catch(
    async (error) => {
      await store.close();
      throw error;
    },
  );
  metrics.gauges.register(
    'watchbell_former_secret_keys',
    'Former secret keys under which something is still sealed',
    () => store.sealed.formerKeys().length,
  );
  let listening: string | undefined;
  const base = () => config.publicUrl ?? listening ?? '';

  const guard = createGuard({
    allow: config.egressAllow,
    ...(config.egressPorts && { ports: config.egressPorts }),
    ...(surroundings.resolve && { resolve: surroundings.resolve }),
  });
  const delivery = createDelivery({
    store: store.delivery,
    ...(store.cluster &&
      config.database && {
        cluster: {
          store: store.cluster,
          node,
          policy: clusterPolicy(config.database.leaseMs, config.delivery.deadline),
          monotonic,
          onTime(...said) {
            storeClock?.onTime(...said);
            // When the store fails, whoever looked tells of it.
            clockControl?.follow().catch(() => undefined);
          },
        },
      }),
    others: { changed: (org) => lifeCycle.changed(org), lookAtAll: () => lifeCycle.lookAtAll() },
    clock,
    random,
    policy: config.delivery,
    guard,
    base,
    compat: config.compat,
    version: VERSION,
    metrics,
    logger,
    tellDelivered: logger.lines(config.logDelivered ? 'info' : 'debug', 'notification delivered'),
    suspend: (org, request) => channelControl.ask(org, request),
    jobs: { store: store.jobs, steps: { rematch: (...step) => recovery.steps.rematch(...step) } },
  });
  const writer = createWriter({
    store: store.writing,
    clock,
    randomId: () => newNotificationId(realNow()),
    maxQueued: config.maxQueuedWrites,
    maxBatchWeight: MAX_BATCH_WEIGHT,
    maxBacklog: config.maxBacklog,
    onCommitted(org, writes, commands) {
      tellOfCommit(org, writes.changes);
      metrics.commits.observe(commands);
      metrics.changes.inc(writes.changes.length);
      metrics.notifications.inc(writes.notifications.length);
      lifeCycle.committed(org, writes);
      delivery.committed(org, writes);
      recovery.parts.feed.committed(org, writes);
    },
  });
  const recovery = createRecovery({ store, writer, delivery, clock, realNow, base, compat: config.compat });
  const lifeCycle = createLifeCycle({
    store,
    writer,
    clock,
    random,
    policy: config.delivery,
    guard,
    version: VERSION,
    isMine: delivery.isMine,
    metrics,
    logger,
  });
  const databaseWatch = watchDatabase({ database: store.database, metrics, logger });
  measureBacklog({ store: store.backlog, owing: delivery.owing, clock, metrics, logger });
  const channelControl = createChannelControl({ writer, store: store.administration, backlog: store.backlog, clock });
  const channelTests = createChannelTests({ store: store.administration, sendTest: delivery.sendTest, clock, realNow });
  const signatures = createSignatures({
    writer,
    channels: store.administration,
    signings: store.delivery,
    realNow,
    random: randomBytes,
  });
  const accounts = createAccounts({
    accounts: store.accounts,
    administration: store.administration,
    clients: store.clients,
    tokens: store.tokens,
    clock,
    realNow,
    random: randomBytes,
  });
  // Everybody knows the dev profile's, so it may be good for all organisations.
  const adminToken = config.adminToken ?? (config.profile === 'dev' ? DEV_CREDENTIALS.adminToken : undefined);
  const auth = createAuth({
    tokens: store.tokens,
    accounts: store.accounts,
    clients: store.clients,
    policy: config.oauth,
    realNow,
    random: randomBytes,
    ...(config.profile === 'dev' && { signedIn: DEV_MEMBER }),
    ...(adminToken !== undefined && { adminToken }),
  });
  const catalogs = createCatalogs({
    writer,
    accounts: store.accounts,
    onChanged: (orgId) => auth.forget({ orgId }),
  });
  const erasure = createErasure({
    store: store.erasure,
    logger,
    ...(store.cluster && { isMine: delivery.isMine }),
    async quiet(org) {
      await lifeCycle.quiet(org);
      await delivery.quiet(org);
      await housekeeping?.leave(org);
    },
    onErased(org) {
      delivery.forget(org);
      lifeCycle.forget(org);
      store.writing.forget(org);
      auth.forget({ orgId: org });
    },
  });
  const administration = createAdministration({
    store: store.administration,
    reads: store.accounts,
    accounts,
    auth,
    writer,
    erasure,
    clock,
  });
  const metadata = createMetadata({ accounts: store.accounts });
  const recordServices = createRecordServices({
    writer,
    reads: store.records,
    relatedReads: store.related,
    accounts: store.accounts,
  });
  const { records } = recordServices;
  const search = createSearch({
    search: store.search,
    reads: store.records,
    accounts: store.accounts,
    policy: DEFAULT_SEARCH_POLICY,
  });
  const recordLists = createRecordLists({
    lists: store.recordLists,
    reads: store.records,
    accounts: store.accounts,
    tokens: createPageTokens(secretKeys.key, secretKeys.former),
    clock,
  });
  const recycleBin = createRecycleBin({
    writer,
    deleted: store.deleted,
    reads: store.records,
    accounts: store.accounts,
    clock,
  });
  const channels = createChannels({
    writer,
    reads: store.channels,
    clock,
    policy: { ...DEFAULT_CHANNEL_POLICY, ...config.compat, retentionMs: config.retentionMs },
  });
  const explainer = createExplainer({
    reads: store.explaining,
    changes: store.housekeeping,
    accounts: store.accounts,
    delivery: store.delivery,
    clock,
  });
  const inbox = config.profile === 'dev' ? createInbox({ realNow }) : undefined;
  async function idle(): Promise<void> {
    await housekeeping?.idle();
    await delivery.idle();
    await lifeCycle.idle();
    await delivery.idle();
  }
  const clockControl = dev && createClockControl({ ...dev, store: store.clock, realNow, idle });
  let housekeeping: Housekeeping | undefined;
  let resealing: Resealing | undefined;
  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  const http = createHttp({
    logger,
    tellRequest: logger.lines('info', 'request'),
    saveOutcomes: delivery.saveOutcomes,
    metrics,
    auth,
    administration,
    cursors: createCursors(cursorCipher(secretKeys)),
    channelControl,
    channelTests,
    signatures,
    metadata,
    channels,
    catalogs,
    ...recovery.parts,
    noticeDesk: lifeCycle.desk,
    intake: createIntake({ writer, catalogs }),
    explainer,
    ...recordServices,
    recordLists,
    recycleBin,
    search,
    ...(inbox && { inbox }),
    ...(clockControl && { clockControl }),
    check: async () => (state === 'ready' ? store.check() : { ok: false, reason: `The server is ${state}` }),
    base,
    isBasePublic: config.publicUrl !== undefined,
    trustProxy: config.trustProxy,
    rateLimits: config.rateLimits,
    programVersion: VERSION,
    realNow,
    compat: config.compat,
    judgeReceiver: guard.judge,
    bodyLimit: config.maxBodyBytes,
    devGuard: config.profile === 'dev',
  });

  /** The sample organisation is made anew when it was erased, and not before. */
  async function finishErasing(org: OrgId): Promise<void> {
    if ((await store.accounts.findOrg(org))?.erasingAt !== undefined) await erasure.finish(org);
  }

  return {
    accounts,
    async start() {
      let sampleOrg: OrgId | undefined;
      if (config.profile === 'dev') {
        await finishErasing(DEV_MEMBER.orgId);
        const { isEmpty, principal } = await accounts.ensureDev({ timeZone: config.timeZone });
        if (isEmpty && principal.org.suspendedAt === undefined) await seedSample(records, principal);
        sampleOrg = principal.org.id;
      } else if (config.adminToken === undefined && (await store.accounts.listOrgs()).length === 0) {
        throw new StoreRefusal('NO_ORGANISATION', 'There is no organisation yet: run "watchbell setup" first');
      }
      if (config.modulesFile !== undefined) await applyModuleFile(config.modulesFile, catalogs, sampleOrg);
      await http.listen({ host: config.host, port: config.port });
      listening = originOf(http.server.address() as AddressInfo);
      await delivery.start();
      await lifeCycle.start();
      await erasure.start();
      resealing = startResealing({ store: store.sealed, logger, given: secretKeys.former.length });
      housekeeping = startHousekeeping({
        store: store.housekeeping,
        deleted: store.deleted,
        accounts: store.accounts,
        writer,
        clock,
        retentionMs: config.retentionMs,
        ...(store.cluster && { isMine: delivery.isMine }),
        metrics,
        logger,
      });
      if (config.profile === 'dev') await writeCredentials(config.dataDir, credentials(base(), DEV_CREDENTIALS));
      state = 'ready';
      logger.info({ base: base(), profile: config.profile, ...placeOf(config, node) }, 'ready');
      return { base: base() };
    },
    async stop() {
      state = 'stopping';
      inbox?.close();
      await http.close();
      await housekeeping?.stop();
      await resealing?.stop();
      await erasure.stop();
      await databaseWatch.stop();
      const noticesSent = lifeCycle.stop();
      await writer.drain();
      await Promise.all([noticesSent, delivery.stop()]);
      await store.close();
      logger.info({}, 'stopped');
    },
    idle,
  };
}

/** Where the data are, for the log: no credentials. */
const placeOf = ({ database, dataDir }: Config, node: string) =>
  database ? { engine: 'PostgreSQL', database: database.shown, node } : { engine: 'SQLite', dataDir };

function originOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Begins with the time, so that ids of one time stand together in the store; the rest is random. */
function newNotificationId(now: number): NotificationId {
  const random = randomUUID();
  return `msg_${hexOf(now)}${random.slice(14, 18)}${random.slice(19, 23)}${random.slice(24)}` as NotificationId;
}

/** Those of one commit share their time. */
let lastTime = { time: Number.NaN, hex: '' };

function hexOf(time: number): string {
  if (lastTime.time !== time) lastTime = { time, hex: time.toString(16).padStart(12, '0') };
  return lastTime.hex;
}
