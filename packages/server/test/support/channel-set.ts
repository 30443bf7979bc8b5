import type { Channel, LiveChannel } from '../../src/domain/channel.ts';
import { channelKey } from '../../src/domain/channel.ts';
import { createChannelIndex } from '../../src/domain/channel-index.ts';
import type { ChannelId, Generation, NotificationId, OrgId, UserId } from '../../src/domain/ids.ts';
import { STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import { FIRST_EPOCH } from '../../src/domain/restart.ts';
import { emptyWrites, type OrgCounters, type WorkingSet } from '../../src/domain/working-set.ts';

export const NOW = Date.UTC(2026, 0, 5, 9);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const USER = '3652397000000000001' as UserId;
export const channelId = (text: string): ChannelId => text as ChannelId;

export const COUNTERS: OrgCounters = {
  nextSerial: 10_000_000,
  lastChange: 40,
  channelVersion: 7,
  catalogVersion: 0,
  lastTime: NOW,
};

/** A stored channel on `Contacts.edit`, opened an hour ago and with an hour to live. */
export const aChannel = (differing: Partial<Channel> = {}): Channel => ({
  generation: 'g1' as Generation,
  userId: USER,
  channelId: channelId('1'),
  version: 'v8',
  events: [{ module: 'Contacts', operation: 'update' }],
  notifyOnRelated: false,
  withValues: false,
  conditions: [],
  expiresAt: NOW + HOUR,
  lastNumber: 3,
  epoch: 0,
  restarts: [],
  notifyUrl: 'https://example.com/hook',
  token: 'secret',
  openedAt: NOW - HOUR,
  modifiedAt: NOW - HOUR,
  ...(differing.lapsedFrom === undefined && { noticeAt: NOW + HOUR / 2 }),
  ...differing,
});

/** A batch at `now` over these channels, as the writer would open it: those that have lapsed are not in the index. */
export function channelSet(channels: readonly Channel[] = [], now = NOW): WorkingSet {
  return {
    org: { id: '3652397' as OrgId, name: 'Sample', timeZone: 'Asia/Kolkata' },
    catalog: STANDARD_CATALOG,
    epoch: FIRST_EPOCH,
    modulesInUse: new Set(),
    now,
    maxBacklog: 1_000_000,
    records: new Map(),
    keys: new Map(),
    present: new Set(),
    lapses: [],
    answers: new Map(),
    deleted: new Map(),
    users: new Map(),
    channels: new Map(channels.map((channel) => [channelKey(channel.userId, channel.channelId), channel])),
    index: createChannelIndex(channels.filter(({ lapsedFrom }) => lapsedFrom === undefined).map(inMemory)),
    writes: emptyWrites({ ...COUNTERS, lastTime: now }),
    randomId: () => 'n' as NotificationId,
  };
}

/** What the index holds of a channel: its own copy, since numbers are counted up in place. */
const inMemory = (channel: Channel): LiveChannel => ({ ...channel });
