import { changesOf, type Facts, owedOf, type StoredChannel, sentOf } from '../crash/facts.ts';
import type { Query } from '../crash/store-copy.ts';
import { channelIdOf, nameOf, PLAN } from './plan.ts';

/** What the store says of all generations, those too that ended. `now`: epoch ms. */
export function clusterFacts(query: Query, afterChange: number, now: number): Facts {
  const changes = changesOf(query);
  const channels = query('SELECT * FROM channel').map((row): StoredChannel => {
    const channelId = String(row.channel_id);
    const plan = PLAN.find(({ name }) => channelIdOf(name) === channelId);
    const isExpired = row.lapsed_from !== null || Number(row.expires_at) <= now;
    const end = row.ended_at !== null ? 'cancelled' : isExpired ? 'held' : undefined;
    const { notifications, ...sent } = sentOf(query, String(row.generation));
    return {
      name: nameOf(channelId),
      lastNumber: Number(row.last_number),
      // Of those that come and go, every revision is held against the change log.
      ...(plan && { owed: owedOf(changes, plan, afterChange) }),
      ...(end && { end }),
      ...sent,
      // What is owed and is not sent any more, or not now, says so by its channel.
      notifications: notifications.map((one) => (end && one.state === 'pending' ? { ...one, state: end } : one)),
    };
  });
  return { changes, channels };
}
