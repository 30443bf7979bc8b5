import { channelKey } from '../domain/channel.ts';
import { catchUp } from '../domain/channel-catch-up.ts';
import { type ChannelIndex, createChannelIndex, putChannel } from '../domain/channel-index.ts';
import { AppError } from '../domain/error.ts';
import { answerKey } from '../domain/idempotency.ts';
import type { OrgId, RecordId } from '../domain/ids.ts';
import { keyRef, type RecordRef, recordKey, type StoredRecord } from '../domain/record.ts';
import { unknownTargets } from '../domain/records/targets.ts';
import type { StoreEpoch } from '../domain/restart.ts';
import type { Needs, OrgCounters, WriteSet } from '../domain/working-set.ts';
import { readCounters, readOrg, readUser, saveCounters, saveOrg, selectOrg, selectUsers } from './accounts.ts';
import { type Catalogs, saveAdditions, selectInUse } from './catalogs.ts';
import { readNumbered, saveChanges, selectNumbered } from './changes.ts';
import {
  afterLive,
  readChannel,
  readLapse,
  readLiveChannel,
  readRevision,
  saveChannels,
  saveLapses,
  saveRevisions,
  selectCurrent,
  selectLapses,
  selectLive,
  selectRevisions,
} from './channels.ts';
import type { Cipher } from './cipher.ts';
import { isNeeded, openPlan, type Row, type Statement, together, type Write } from './db.ts';
import { readDeleted, saveDeleted, selectDeleted } from './deleted-records.ts';
import { readAnswer, saveAnswers, selectAnswers } from './idempotency.ts';
import { saveJobSteps, saveNewJobs } from './jobs.ts';
import { saveNotifications } from './notifications.ts';
import { readSigning, saveSigning, selectSigning } from './org-signing.ts';
import { readKey, readRecord, saveKeys, saveRecords, selectKeys, selectPresent, selectRecords } from './records.ts';
import { integer, text } from './rows.ts';
import type { Loaded } from './store.ts';

// The parts of an org transaction that all engines share; an engine adds its lock and its commit.

type Query = (statements: readonly Statement[]) => Promise<Row[][]>;

/** More than so many revisions or changes are not read one by one: the index is built anew. */
const MAX_MISSED = 1000;

/** An organisation's index that an engine kept. */
export interface KnownIndex {
  readonly index: ChannelIndex;
  /** How far it had come; what others committed since is read with the batch. Undefined: nobody else writes. */
  readonly seen?: Seen;
}

interface Seen {
  readonly channelVersion: number;
  readonly lastChange: number;
  /** Number of the store's. */
  readonly epoch: number;
  readonly orgCreatedAt: number;
}

/** What is to be kept when the batch is committed. */
export const knownAfter = ({ index, epoch, orgCreatedAt }: Loaded, { counters }: WriteSet): KnownIndex => {
  const { channelVersion, lastChange } = counters;
  return { index, seen: { channelVersion, lastChange, epoch: epoch.number, orgCreatedAt } };
};

/**
 * Loads what a batch starts from in one message; the index only when the engine has none, or one that lags too far
 * behind. `epochOf` is asked when that message was answered.
 */
export async function loadBatch(
  query: Query,
  id: OrgId,
  needs: Needs,
  cipher: Cipher,
  known: KnownIndex | undefined,
  catalogs: Catalogs,
  epochOf: () => StoreEpoch,
): Promise<Loaded> {
  const plan = openPlan();
  const orgs = plan.add(selectOrg(id));
  const records = selectRecords(id, needs.records ?? []).map(plan.add);
  const keyed = selectKeys(id, needs.keys ?? []).map((key) => ({
    holders: plan.add(key.holders),
    records: plan.add(key.records),
  }));
  const deleted = needs.deleted?.length ? plan.add(selectDeleted(id, needs.deleted)) : () => [];
  const users = needs.users?.length ? plan.add(selectUsers(id, needs.users)) : () => [];
  const channels = selectCurrent(id, needs.channels ?? []).map(plan.add);
  const answers = selectAnswers(id, needs.answers ?? []).map(plan.add);
  const signing = needs.orgSigning ? plan.add(selectSigning(id)) : () => [];
  const live = known ? () => [] : plan.add(selectLive(id));
  const seen = known?.seen;
  const revisions = seen ? plan.add(selectRevisions(id, seen.channelVersion, MAX_MISSED)) : () => [];
  const changes = seen ? plan.add(selectNumbered(id, seen.lastChange, MAX_MISSED)) : () => [];
  const lapses = needs.lapses?.length ? plan.add(selectLapses(id, needs.lapses)) : () => [];
  const inUse = selectInUse(id, needs.modulesInUse ?? []).map(plan.add);
  await plan.run(query);

  const [org] = orgs();
  if (!org) throw new AppError('INVALID_TOKEN', 'invalid oauth token');
  const counters = readCounters(org);
  const epoch = epochOf();
  const orgCreatedAt = integer(org, 'created_at');
  const index = known
    ? caughtUp(known, { ...counters, epoch, orgCreatedAt }, { revisions: revisions(), changes: changes() })
    : await buildIndex(query, id, live());
  const catalog = await catalogs.get(id, counters.catalogVersion, query);
  const loaded = new Map<string, StoredRecord>();
  for (const rows of [...records, ...keyed.map((key) => key.records)]) {
    for (const row of rows()) {
      const record = readRecord(row);
      loaded.set(recordKey(record.module, record.id), record);
    }
  }
  return {
    org: readOrg(org),
    orgCreatedAt,
    catalog,
    epoch,
    counters,
    records: loaded,
    present: await loadPresent(query, id, [...unknownTargets(catalog, loaded), ...(needs.present ?? [])]),
    keys: holdersByKey(keyed.flatMap((key) => key.holders())),
    deleted: new Map(
      deleted()
        .map(readDeleted)
        .map((record) => [record.id, record]),
    ),
    users: new Map(
      users()
        .map((row) => readUser(row))
        .map((user) => [user.id, user]),
    ),
    modulesInUse: new Set(inUse.flatMap((rows) => rows().map((row) => text(row, 'module')))),
    channels: new Map(
      channels
        .flatMap((rows) => rows().map((row) => readChannel(row, id, cipher)))
        .map((channel) => [channelKey(channel.userId, channel.channelId), channel]),
    ),
    orgSigning: readSigning(signing()[0], id, cipher),
    answers: new Map(
      answers.flatMap((rows) => rows().map(readAnswer)).map((answer) => [answerKey(answer.userId, answer.key), answer]),
    ),
    lapses: lapses().map(readLapse),
    index: index ?? (await buildIndex(query, id)),
  };
}

/** Undefined when something is missing in between: old revisions and changes are removed in time. */
function caughtUp(
  { index, seen }: KnownIndex,
  { channelVersion, lastChange, epoch, orgCreatedAt }: OrgCounters & Pick<Loaded, 'epoch' | 'orgCreatedAt'>,
  { revisions, changes }: { readonly revisions: readonly Row[]; readonly changes: readonly Row[] },
): ChannelIndex | undefined {
  if (!seen) return index;
  // Of an older epoch it may tell of what was lost, and of what was erased when the organisation was made anew.
  const isWhole =
    seen.epoch === epoch.number &&
    seen.orgCreatedAt === orgCreatedAt &&
    revisions.length === channelVersion - seen.channelVersion &&
    changes.length === lastChange - seen.lastChange;
  if (!isWhole) return undefined;
  catchUp(index, { revisions: revisions.map(readRevision), numbers: readNumbered(changes) }, epoch);
  return index;
}

/** From what was read already, or from the start. Nobody changes them meanwhile. */
async function buildIndex(query: Query, org: OrgId, first?: readonly Row[]): Promise<ChannelIndex> {
  const index = createChannelIndex([]);
  let rows = first ?? (await query([selectLive(org)]))[0] ?? [];
  for (;;) {
    for (const row of rows) putChannel(index, readLiveChannel(row));
    const after = afterLive(rows);
    if (!after) return index;
    [rows = []] = await query([selectLive(org, after)]);
  }
}

/** Which of the records are there. A second look, taken only when something points at what was not loaded. */
async function loadPresent(query: Query, org: OrgId, refs: readonly RecordRef[]): Promise<Set<string>> {
  if (refs.length === 0) return new Set();
  const rows = await query(selectPresent(org, refs));
  return new Set(rows.flat().map((row) => recordKey(text(row, 'module'), text<RecordId>(row, 'id'))));
}

function holdersByKey(rows: readonly Row[]): Map<string, Set<RecordId>> {
  const holders = new Map<string, Set<RecordId>>();
  for (const row of rows) {
    const key = readKey(row);
    const ids = holders.get(keyRef(key));
    if (ids) ids.add(key.id);
    else holders.set(keyRef(key), new Set([key.id]));
  }
  return holders;
}

export interface SaveOptions {
  /** Many rows are inserted by one statement. */
  readonly isBulk?: boolean;
  /** What the batch started from, where it is known to be so still. */
  readonly loaded?: Pick<Loaded, 'records'>;
}

/** The whole write set, to be committed as one. Empty when a batch changed nothing: its time is not worth a commit. */
export function saveBatch(
  org: OrgId,
  writes: WriteSet,
  cipher: Cipher,
  { isBulk = false, loaded }: SaveOptions = {},
): Write[] {
  const rows = [
    ...(writes.org ? [saveOrg(writes.org)] : []),
    ...saveSigning(org, writes, cipher),
    ...saveChannels(org, writes, cipher),
    saveRevisions(org, writes.revisions),
    saveLapses(org, writes.lapses),
    ...saveAdditions(org, writes.additions),
    ...saveRecords(org, writes.records, loaded?.records),
    ...saveKeys(org, writes),
    ...saveDeleted(org, writes.deleted),
    ...saveAnswers(org, writes.answers),
    saveNewJobs(writes.newJobs),
    saveJobSteps(org, writes.jobs, writes.counters.lastTime),
  ].filter(isNeeded);
  const told = [
    ...saveChanges(org, writes.changes, writes.notifications),
    ...saveNotifications(writes.notifications, isBulk),
  ].filter(isNeeded);
  if (rows.length + told.length === 0) return [];
  return [...rows, ...together([saveCounters(org, writes.counters), ...told])];
}
