import { channelKey } from '../domain/channel.ts';
import { type ChannelIndex, createChannelIndex } from '../domain/channel-index.ts';
import { AppError } from '../domain/error.ts';
import type { OrgId, RecordId } from '../domain/ids.ts';
import { STANDARD_CATALOG } from '../domain/modules/catalog.ts';
import { keyRef, recordKey } from '../domain/record.ts';
import type { Needs, WriteSet } from '../domain/working-set.ts';
import { readCounters, readOrg, readUser, saveCounters, saveOrg, selectOrg, selectUsers } from './accounts.ts';
import { saveChanges } from './changes.ts';
import {
  readChannel,
  readLiveChannel,
  saveChannels,
  saveLapses,
  saveRevisions,
  selectCurrent,
  selectLive,
} from './channels.ts';
import type { Cipher } from './cipher.ts';
import { openPlan, type Row, type Statement, type Write } from './db.ts';
import { saveNotifications } from './notifications.ts';
import { readKey, readRecord, saveKeys, saveRecords, selectKeys, selectRecords } from './records.ts';
import type { Loaded } from './store.ts';

// The parts of an org transaction that all engines share; an engine adds its lock and its commit.

/** Loads what a batch starts from in one message; the index only when the engine has none. */
export async function loadBatch(
  query: (statements: readonly Statement[]) => Promise<Row[][]>,
  id: OrgId,
  needs: Needs,
  cipher: Cipher,
  known: ChannelIndex | undefined,
): Promise<Loaded> {
  const plan = openPlan();
  const orgs = plan.add(selectOrg(id));
  const records = selectRecords(id, needs.records ?? []).map(plan.add);
  const keyed = selectKeys(id, needs.keys ?? []).map((key) => ({
    holders: plan.add(key.holders),
    records: plan.add(key.records),
  }));
  const users = needs.users?.length ? plan.add(selectUsers(id, needs.users)) : () => [];
  const channels = selectCurrent(id, needs.channels ?? []).map(plan.add);
  const live = known ? () => [] : plan.add(selectLive(id));
  await plan.run(query);

  const [org] = orgs();
  if (!org) throw new AppError('INVALID_TOKEN', 'invalid oauth token');
  return {
    org: readOrg(org),
    catalog: STANDARD_CATALOG,
    counters: readCounters(org),
    records: new Map(
      [...records, ...keyed.map((key) => key.records)]
        .flatMap((rows) => rows().map(readRecord))
        .map((record) => [recordKey(record.module, record.id), record]),
    ),
    keys: holdersByKey(keyed.flatMap((key) => key.holders())),
    users: new Map(
      users()
        .map((row) => readUser(row))
        .map((user) => [user.id, user]),
    ),
    channels: new Map(
      channels
        .flatMap((rows) => rows().map((row) => readChannel(row, id, cipher)))
        .map((channel) => [channelKey(channel.userId, channel.channelId), channel]),
    ),
    index: known ?? createChannelIndex(live().map(readLiveChannel)),
  };
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

/** The whole write set, to be committed as one. Empty when a batch changed nothing: its time is not worth a commit. */
export function saveBatch(org: OrgId, writes: WriteSet, cipher: Cipher): Write[] {
  const rows = [
    ...(writes.org ? [saveOrg(writes.org)] : []),
    ...saveChannels(org, writes, cipher),
    saveRevisions(org, writes.revisions),
    saveLapses(org, writes.lapses),
    ...saveRecords(org, writes.records),
    ...saveKeys(org, writes),
    saveChanges(org, writes.changes),
    saveNotifications(writes.notifications),
  ].filter((write) => !('rows' in write) || write.rows.length > 0);
  return rows.length > 0 ? [...rows, saveCounters(org, writes.counters)] : [];
}
