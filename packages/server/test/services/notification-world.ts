import type { Outcome } from '../../src/domain/attempt.ts';
import { subjectOf } from '../../src/storage/subjects.ts';
import { changeIn } from '../support/test-data.ts';

// Notifications of every kind, written into a store row by row, and what a reader must find of them, by a plain filter.

export const ORG = '3652397';
export const START = Date.UTC(2026, 0, 5, 9);
export const NOW = START + 1_000_000;
export const USERS = ['3652397000000186017', '3652397000000186018'] as const;
export const MODULES = ['Contacts', 'Leads', 'Deals'] as const;

export interface Made {
  readonly generation: string;
  readonly number: number;
  readonly change: number;
  readonly at: number;
  readonly module: string;
  readonly ids: readonly string[];
  readonly user: string;
  readonly channelId: string;
  /** As it is told. */
  readonly state: string;
  readonly attempts: readonly { readonly at: number; readonly kind: Outcome['kind']; readonly status: number }[];
}

interface MadeChannel {
  readonly generation: string;
  readonly user: string;
  readonly channelId: string;
  readonly standing: 'live' | 'expired' | 'suspended' | 'ended';
  readonly cancelledTo: number;
  last: number;
}

export interface World {
  readonly notifications: readonly Made[];
  readonly channels: readonly MadeChannel[];
  /** Commits further changes with notifications. */
  grow(changes: number): Promise<void>;
}

export const recordId = (i: number): string => `${ORG}${String(20_000_000_000 + i).padStart(12, '0')}`;
const generationOf = (i: number): string => `${ORG}${String(10_000_000_000 + i).padStart(12, '0')}`;
const RECORDS = 6;

export async function makeWorld(
  dataDir: string,
  {
    channels: count,
    changes,
    random,
  }: { readonly channels: number; readonly changes: number; readonly random: () => number },
): Promise<World> {
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const channels: MadeChannel[] = Array.from({ length: count }, (_, i) => ({
    generation: generationOf(i),
    user: count > 16 || random() < 0.7 ? USERS[0] : USERS[1],
    channelId: String(i % 4 === 3 ? i - 1 : i),
    standing: i % 4 === 3 ? 'ended' : pick(['live', 'live', 'live', 'expired', 'suspended', 'ended'] as const),
    cancelledTo: random() < 0.3 ? 1 + below(20) : 0,
    last: 0,
  }));
  const notifications: Made[] = [];
  /** Changes that a channel missed, to be matched again. */
  const missed: { channel: MadeChannel; change: number; at: number; module: string }[] = [];
  let change = 0;
  let at = START;

  async function insert(table: string, rows: readonly (readonly (string | number | null)[])[]): Promise<void> {
    const text = (value: string | number | null) =>
      value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
    for (let i = 0; i < rows.length; i += 200) {
      const some = rows.slice(i, i + 200).map((row) => `(${row.map(text).join(', ')})`);
      await changeIn(dataDir, `INSERT INTO ${table} VALUES ${some.join(', ')} ON CONFLICT DO NOTHING`);
    }
  }

  interface Rows {
    readonly notification: (string | number | null)[][];
    readonly owed: (string | number | null)[][];
    readonly undelivered: (string | number | null)[][];
    readonly attempt: (string | number | null)[][];
  }

  function notify(
    channel: MadeChannel,
    about: { change: number; at: number; module: string },
    job: string | null,
    rows: Rows,
  ): void {
    channel.last += 1;
    const number = channel.last;
    const { generation, user, channelId, standing, cancelledTo } = channel;
    const ids = [recordId(below(RECORDS)), recordId(RECORDS + below(RECORDS))].slice(0, 1 + below(2));
    const stored = pick(['pending', 'delivered', 'delivered', 'delivered', 'parked', 'cancelled'] as const);
    const made = stored === 'pending' || stored === 'cancelled' ? below(3) : 1 + below(3);
    const failure = () => pick(['rejected', 'rejected', 'unreachable', 'forbidden'] as const);
    const kinds: Outcome['kind'][] = Array.from({ length: made }, (_, i) =>
      stored === 'delivered' && i === made - 1 ? 'delivered' : failure(),
    );
    // Sent again by hand afterwards, in vain.
    if (stored === 'delivered' && random() < 0.1) kinds.push('rejected');
    const attempts = kinds.map((kind, i) => ({
      at: about.at + i * 50 + below(40),
      kind,
      status: kind === 'delivered' ? 200 : 503,
    }));
    const settled = (attempts.at(-1)?.at ?? about.at) + below(500);
    // A row that retention removed leaves no trace but its number.
    if (stored === 'delivered' && random() < 0.05) return;
    rows.notification.push([
      ORG,
      generation,
      number,
      `msg_${generation}_${number}`,
      about.change,
      about.module,
      'update',
      JSON.stringify(ids),
      'v8',
      0,
      stored,
      stored === 'cancelled' ? 'skipped' : null,
      stored === 'pending' ? 0 : made,
      stored === 'pending' ? null : settled,
      job,
    ]);
    if (stored === 'pending') rows.owed.push([ORG, generation, number, about.change, made, made > 0 ? settled : null]);
    if (stored === 'parked' || stored === 'cancelled')
      rows.undelivered.push([ORG, generation, number, stored, stored === 'cancelled' ? 'skipped' : null, settled]);
    for (const [i, one] of attempts.entries()) {
      const outcome =
        one.kind === 'delivered' || one.kind === 'rejected'
          ? { kind: one.kind, status: one.status }
          : one.kind === 'unreachable'
            ? { kind: one.kind, reason: 'connect', message: 'refused' }
            : { kind: one.kind, address: '10.0.0.1', reason: 'private' };
      rows.attempt.push([
        ORG,
        generation,
        number,
        i + 1,
        one.at,
        5,
        one.kind,
        JSON.stringify(outcome),
        null,
        null,
        null,
        null,
      ]);
    }
    const state =
      stored !== 'pending'
        ? stored
        : standing === 'ended' || number <= cancelledTo
          ? 'cancelled'
          : standing === 'live'
            ? 'pending'
            : 'held';
    notifications.push({
      generation,
      number,
      change: about.change,
      at: about.at,
      module: about.module,
      ids,
      user,
      channelId,
      state,
      attempts,
    });
  }

  async function grow(more: number): Promise<void> {
    const known = notifications.length;
    const rows: Rows = { notification: [], owed: [], undelivered: [], attempt: [] };
    const log: (string | number)[][] = [];
    for (let i = 0; i < more; i += 1) {
      change += 1;
      if (random() < 0.6) at += below(2000);
      const numbered: Record<string, number> = {};
      for (const channel of channels) {
        if (random() < 0.55) continue;
        // Related ones too: several subjects of one change.
        const modules = [...MODULES].slice(0, random() < 0.15 ? 3 : 1 + below(2)).sort(() => random() - 0.5);
        for (const module of modules) {
          if (random() < 0.15) {
            missed.push({ channel, change, at, module });
            continue;
          }
          notify(channel, { change, at, module }, null, rows);
          numbered[channel.generation] = channel.last;
        }
      }
      log.push([ORG, change, 'Contacts', 'update', at, USERS[0], '[]', JSON.stringify(numbered), 0]);
      if (random() < 0.1) {
        for (const { channel, ...about } of missed.splice(0, below(missed.length + 1)))
          notify(channel, about, 'job_1', rows);
      }
    }
    const subjects = notifications
      .slice(known)
      .flatMap(({ module, ids, change: number }) =>
        [undefined, ...ids].map((id) => [ORG, subjectOf(module, id), number]),
      );
    await insert('record_change', log);
    await insert('notification', rows.notification);
    await insert('owed', rows.owed);
    await insert('undelivered', rows.undelivered);
    await insert('attempt', rows.attempt);
    await insert('change_subject', subjects);
    for (const { generation, last } of channels)
      await changeIn(
        dataDir,
        `UPDATE channel SET last_number = ${last} WHERE org_id = '${ORG}' AND generation = '${generation}'`,
      );
  }

  for (const { generation, user, channelId, standing, cancelledTo } of channels) {
    const suspended = standing === 'suspended' ? `${NOW}, 'operator'` : 'NULL, NULL';
    await changeIn(
      dataDir,
      `INSERT INTO channel (org_id, generation, user_id, channel_id, version, events, notify_on_related, with_values,
        conditions, expires_at, notify_url, last_number, opened_at, modified_at, cancelled_to, cancelled_why, suspended_at,
        suspended_why, epoch, restarts, ended_at, ended_reason)
      VALUES ('${ORG}', '${generation}', '${user}', '${channelId}', 'v8', '[]', 1, 0, '[]',
        ${standing === 'expired' ? NOW : NOW + 1}, '', 0, 0, 0, ${cancelledTo > 0 ? `${cancelledTo}, 'skipped'` : 'NULL, NULL'},
        ${suspended}, 0, '[]', ${standing === 'ended' ? `${NOW}, 'deleted'` : 'NULL, NULL'})`,
    );
  }
  await grow(changes);
  return { notifications, channels, grow };
}
