import { onTestFinished } from 'vitest';
import type { ChangedRecord, Operation } from '../../../src/domain/change.ts';
import type { Channel } from '../../../src/domain/channel.ts';
import type {
  ChannelId,
  Generation,
  NotificationId,
  OrgId,
  ProfileId,
  RecordId,
  UserId,
} from '../../../src/domain/ids.ts';
import type { KeyRef, StoredRecord, Values } from '../../../src/domain/record.ts';
import { endChannel, expireDue, loadedChannel, saveChannel } from '../../../src/domain/working-channels.ts';
import {
  addChange,
  type Needs,
  putRecord,
  saveOrg,
  takeId,
  type WorkingSet,
  type WriteSet,
} from '../../../src/domain/working-set.ts';
import { createWriter } from '../../../src/services/writer.ts';
import type { Store } from '../../../src/storage/store.ts';

export interface Opened {
  readonly store: Store;
  /** Closes the store and opens it again on what it kept. */
  reopen(): Promise<Store>;
  /** A further store on the same data, as another node opens it; absent where only one process may. */
  second?(): Promise<Store>;
}

/** An engine opens an empty store for one test and removes it when that has finished. */
export type Open = () => Promise<Opened>;

export const START = Date.UTC(2026, 0, 5, 9);
export const HOUR = 3_600_000;
export const ORG = '3652397' as OrgId;
export const OTHER_ORG = '4111111' as OrgId;
export const PATRICIA = '3652397000000186017' as UserId;
const PROFILE = '3652397000000026011' as ProfileId;

export const channelId = (text: string) => text as ChannelId;

/** Organisations with the same user in each. */
export async function addOrgs(store: Store, ...orgs: readonly OrgId[]): Promise<void> {
  for (const id of orgs) {
    await store.accounts.addOrg({ id, name: `Org ${id}`, timeZone: 'Europe/Berlin' }, START);
    await store.accounts.addProfile(id, { id: PROFILE, name: 'Administrator', deniedModules: [] });
    await store.accounts.addUser(
      id,
      { id: PATRICIA, email: 'p@example.com', firstName: 'Patricia', lastName: 'Boyle', profileId: PROFILE },
      START,
    );
  }
}

/** Decides and saves in one org transaction, as the writer does. */
export interface Batches {
  run<T>(org: OrgId, needs: Needs, decide: (set: WorkingSet) => T): Promise<T>;
  /** What was committed, in order. */
  readonly commits: readonly WriteSet[];
  now: number;
}

export function openBatches(store: Store, options: { readonly maxBacklog?: number } = {}): Batches {
  const commits: WriteSet[] = [];
  let ids = commits.length;
  const batches: Batches = {
    commits,
    now: START,
    run: (org, needs, decide) => writer.submit(org, { needs, weight: 1, decide }),
  };
  const prefix = Math.random().toString(36).slice(2);
  const writer = createWriter({
    store: store.writing,
    clock: { now: () => batches.now, at: () => () => undefined },
    randomId: () => `${prefix}-${++ids}` as NotificationId,
    onCommitted: (_, writes) => void commits.push(writes),
    maxQueued: 10_000,
    maxBatchWeight: 50,
    ...options,
  });
  onTestFinished(() => writer.drain());
  return batches;
}

/** Opens the channel, or replaces it as a POST on a live or lapsed one does. */
export function openChannel(set: WorkingSet, id: string, changes: Partial<Channel> = {}): Channel {
  const known = loadedChannel(set, PATRICIA, channelId(id));
  const channel: Channel = {
    generation: known?.generation ?? (takeId(set) as Generation),
    userId: PATRICIA,
    channelId: channelId(id),
    version: 'v8',
    events: [{ module: 'Contacts', operation: 'insert' }],
    notifyOnRelated: false,
    withValues: true,
    conditions: [],
    expiresAt: set.now + HOUR,
    lastNumber: 0,
    epoch: 0,
    restarts: [],
    notifyUrl: `https://receiver.example/${id}?secret=plain-url-secret`,
    token: 'plain-token-secret',
    openedAt: set.now,
    modifiedAt: set.now,
    ...(known?.lapsedFrom === undefined ? {} : { lapsedFrom: known.lapsedFrom }),
    ...changes,
  };
  return saveChannel(set, channel, known ? 'replaced' : 'opened');
}

export function closeChannel(set: WorkingSet, id: string): void {
  const known = loadedChannel(set, PATRICIA, channelId(id));
  if (known) endChannel(set, known);
}

export const aboutChannel = (...ids: readonly string[]): Needs => ({
  channels: ids.map((id) => ({ userId: PATRICIA, channelId: channelId(id) })),
});

export function addRecord(
  set: WorkingSet,
  values: Values = { Last_Name: 'Boyle' },
  module = 'Contacts',
  keys: readonly KeyRef[] = [],
): StoredRecord {
  const record: StoredRecord = {
    module,
    id: takeId(set) as RecordId,
    values,
    createdAt: set.now,
    createdBy: PATRICIA,
    modifiedAt: set.now,
    modifiedBy: PATRICIA,
  };
  putRecord(set, record, keys);
  return record;
}

/** Adds records and the change that tells of them. */
export function createRecords(set: WorkingSet, count = 1, values?: Values): StoredRecord[] {
  const records = Array.from({ length: count }, () => addRecord(set, values));
  change(set, 'insert', records);
  return records;
}

export function change(set: WorkingSet, operation: Operation, records: readonly StoredRecord[]): void {
  const changed = records.map(({ id, values }): ChangedRecord => ({ id, fields: [], values, related: [] }));
  addChange(set, records[0]?.module ?? 'Contacts', operation, PATRICIA, changed);
}

/** Commits the expiries that are due and nothing else. */
export const passTime = (batches: Batches, org: OrgId): Promise<void> => batches.run(org, {}, expireDue);

/** What its rows may be taken out for. */
export const markErasing = (batches: Batches, org: OrgId): Promise<void> =>
  batches.run(org, {}, (set) => saveOrg(set, { ...set.org, erasingAt: set.now }));
