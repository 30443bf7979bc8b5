import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterOptions } from '../../src/delivery/cluster.ts';
import { createDelivery, type Delivery } from '../../src/delivery/delivery.ts';
import { createGuard } from '../../src/delivery/guard.ts';
import type { Resolve } from '../../src/delivery/resolve.ts';
import type { ChangedRecord, Operation } from '../../src/domain/change.ts';
import type { Channel } from '../../src/domain/channel.ts';
import { DEFAULT_POLICY, type DeliveryPolicy } from '../../src/domain/delivery-policy.ts';
import type { ChannelId, Generation, NotificationId, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import { DEFAULT_COMPAT } from '../../src/domain/wire/compat.ts';
import { endChannel, loadedChannel, saveChannel } from '../../src/domain/working-channels.ts';
import { addChange, type WorkingSet } from '../../src/domain/working-set.ts';
import { type ChannelControl, createChannelControl } from '../../src/services/channel-control.ts';
import { createSignatures, type Signatures } from '../../src/services/signing.ts';
import { createWriter } from '../../src/services/writer.ts';
import type { ClusterStore, DeliveryStore, Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const ORG = '3652397' as OrgId;
const USER = '3652397000000000001' as UserId;
export const HOUR = 3_600_000;
const SECRET_KEY = new Uint8Array(32).fill(7);

export const recordId = (serial: number): RecordId => `3652397${String(serial).padStart(12, '0')}` as RecordId;

interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface StageOptions {
  readonly policy?: Partial<DeliveryPolicy>;
  readonly allow?: readonly string[];
  readonly resolve?: Resolve;
  readonly dataDir?: string;
  readonly clock?: ManualClock;
  /** Of whoever makes signing secrets. */
  readonly realNow?: () => number;
  /** Stands between delivery and what decides suspensions. */
  readonly asking?: (ask: ChannelControl['ask']) => ChannelControl['ask'];
  /** Stands between delivery and the store. */
  readonly between?: (store: DeliveryStore) => DeliveryStore;
  /** Makes it a node among others on the data; `between` stands between it and what nodes ask each other. */
  readonly node?: Omit<ClusterOptions, 'store'> & { readonly between?: (store: ClusterStore) => ClusterStore };
}

/** A real store, the real writer and delivery, wired as the server wires them, on a clock that stands still. */
export interface Stage {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly delivery: Delivery;
  readonly control: ChannelControl;
  readonly signatures: Signatures;
  readonly log: readonly LogLine[];
  readonly metrics: Metrics;
  /** Opens or replaces a channel on every change of contacts. */
  open(channelId: string, notifyUrl: string, differing?: Partial<Channel>, org?: OrgId): Promise<Channel>;
  /** Deletes a channel. */
  remove(channelId: string): Promise<void>;
  /** Commits one change of these contacts. */
  change(...serials: number[]): Promise<void>;
  changeIn(org: OrgId, ...serials: number[]): Promise<void>;
  /** Numbers of what is stored as pending, in order. */
  pending(channel: Channel): Promise<number[]>;
  /** Stops without saving what is in flight or unsaved, as far as that can be had in a process; keeps the data. */
  restart(options?: StageOptions): Promise<Stage>;
  /** As a server stops, with so long for what is in the air; keeps the data. */
  end(withinMs?: number): Promise<void>;
  readonly dataDir: string;
  close(): Promise<void>;
}

let generations = 0;
let ids = 0;

export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'watchbell-delivery-'));
  const clock = options.clock ?? createManualClock();
  const log: LogLine[] = [];
  const line = (level: string) => (fields: object, message: string) => {
    log.push({ level, fields: { ...fields }, message });
  };
  const logger: Logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const store = await openStoreIn(dataDir, {
    secretKey: SECRET_KEY,
    logger,
    onCommitting: () => delivery.saveOutcomes(),
  });
  const metrics = createMetrics();
  const delivery = createDelivery({
    store: options.between?.(store.delivery) ?? store.delivery,
    ...(options.node &&
      store.cluster && { cluster: { ...options.node, store: options.node.between?.(store.cluster) ?? store.cluster } }),
    clock,
    random: () => 0,
    policy: { ...DEFAULT_POLICY, ...options.policy },
    guard: createGuard({
      allow: options.allow ?? ['127.0.0.0/8'],
      ...(options.resolve && { resolve: options.resolve }),
    }),
    base: () => 'http://127.0.0.1:8686',
    compat: DEFAULT_COMPAT,
    version: '0.0.1',
    metrics,
    tellDelivered: (fields) => logger.info(JSON.parse(`{${fields}}`), 'notification delivered'),
    logger,
    suspend: (...asked) => (options.asking?.(control.ask) ?? control.ask)(...asked),
    jobs: { store: store.jobs, steps: { rematch: async () => 'rests' } },
  });
  const writer = createWriter({
    store: store.writing,
    clock,
    randomId: () => `n-${process.pid}-${++ids}` as NotificationId,
    onCommitted: (org, writes) => delivery.committed(org, writes),
    maxQueued: 100_000,
    maxBatchWeight: 1000,
  });
  const control = createChannelControl({ writer, store: store.administration, backlog: store.backlog, clock });
  const signatures = createSignatures({
    writer,
    channels: store.administration,
    signings: store.delivery,
    realNow: options.realNow ?? Date.now,
    random: randomBytes,
  });
  const submit = <Answer>(org: OrgId, channelId: string, decide: (set: WorkingSet) => Answer): Promise<Answer> =>
    writer.submit(org, {
      needs: { channels: [{ userId: USER, channelId: channelId as ChannelId }] },
      weight: 1,
      decide,
    });
  if (!(await store.accounts.findOrg(ORG))) {
    await store.accounts.addOrg({ id: ORG, name: 'Sample', timeZone: 'Asia/Kolkata' }, clock.now());
  }
  await delivery.start();

  const changeIn = (org: OrgId, ...serials: number[]): Promise<void> =>
    submit(org, '1', (set) => {
      const operation: Operation = 'update';
      const records: ChangedRecord[] = serials.map((serial) => ({
        id: recordId(serial),
        fields: ['Last_Name'],
        values: { Last_Name: 'Ostrander' },
        related: [],
      }));
      addChange(set, 'Contacts', operation, USER, records);
    });
  const end = async (withinMs = 0) => {
    await delivery.stop(withinMs);
    await writer.drain();
    await store.close();
  };

  return {
    clock,
    store,
    delivery,
    control,
    signatures,
    log,
    metrics,
    open: (channelId, notifyUrl, differing = {}, org = ORG) =>
      submit(org, channelId, (set) => {
        const known = loadedChannel(set, USER, channelId as ChannelId);
        const channel: Channel = {
          generation: known?.generation ?? (`g-${process.pid}-${++generations}` as Generation),
          userId: USER,
          channelId: channelId as ChannelId,
          version: 'v8',
          events: [{ module: 'Contacts', operation: 'update' }],
          notifyOnRelated: false,
          withValues: false,
          conditions: [],
          expiresAt: set.now + 24 * HOUR,
          lastNumber: known?.lastNumber ?? 0,
          epoch: 0,
          restarts: [],
          notifyUrl,
          token: 'secret-token',
          openedAt: set.now,
          modifiedAt: set.now,
          ...(known?.lapsedFrom !== undefined && { lapsedFrom: known.lapsedFrom }),
          ...differing,
        };
        saveChannel(set, channel, known ? 'replaced' : 'opened');
        return channel;
      }),
    remove: (channelId) =>
      submit(ORG, channelId, (set) => endChannel(set, loadedChannel(set, USER, channelId as ChannelId)!)),
    change: (...serials) => changeIn(ORG, ...serials),
    changeIn,
    async pending({ generation }) {
      const rows = await store.delivery.window(ORG, generation, 1, 100_000, 1e9);
      return rows.map(({ number }) => number);
    },
    async restart(differing = {}) {
      await end();
      return setStage({ ...options, ...differing, dataDir, clock });
    },
    end,
    dataDir,
    async close() {
      await end();
      await removeData(dataDir);
    },
  };
}
