import type { ChannelId, Generation, NotificationId, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import type { Db, Row, Statement } from '../../src/storage/db.ts';
import type { LookStore } from '../../src/storage/look-store.ts';
import { createLookStore } from '../../src/storage/notification-lists.ts';

const ORG = '3652397' as OrgId;
const G = '3652397000010000001' as Generation;
const RECORD = '3652397000000000001' as RecordId;
const PLACE = { at: 5, generation: G, number: 5, attempt: 1 };
const RANGE = { first: 1, last: 9 };
const ASKED = { record: RECORD, lastAttempt: true };

/** How a read must go about it, in words of either engine's plan: the index of each table, and what is looked up by. */
export interface LookedUp {
  readonly table: string;
  /** Names of the index or key, on SQLite and on PostgreSQL. */
  readonly index: readonly [sqlite: string, postgres: string];
  /** Columns that are compared within the index. */
  readonly by: readonly string[];
}

const key = (table: string): readonly [string, string] => ['PRIMARY KEY', `${table}_pkey`];
const byNumber: LookedUp = {
  table: 'notification',
  index: key('notification'),
  by: ['org_id', 'generation', 'number'],
};
const log: LookedUp = {
  table: 'record_change',
  index: ['sqlite_autoindex_record_change_1', 'record_change_pkey'],
  by: ['org_id', 'number'],
};
const lastAttempts: LookedUp = { table: 'attempt', index: key('attempt'), by: ['org_id', 'generation', 'number'] };
const named = (table: string, index: string, by: readonly string[]): LookedUp => ({ table, index: [index, index], by });
const channel: LookedUp = { table: 'channel', index: key('channel'), by: ['org_id', 'generation'] };

type Read = (store: LookStore) => Promise<unknown>;

/** Everything that lists of notifications and attempts ask, with the index that each table is walked along. */
export const LOOKS: readonly (readonly [name: string, read: Read, tables: readonly LookedUp[]])[] = [
  ['changes by time', (store) => store.changesBetween(ORG, 1, 9), [log]],
  ['channels', (store) => store.channels(ORG, [G]), [channel]],
  [
    'channels of a user',
    (store) => store.generationsOf(ORG, { user: '1' as UserId }, 17),
    [named('channel', 'channel_user', ['org_id', 'user_id'])],
  ],
  [
    'channels of an id',
    (store) => store.generationsOf(ORG, { user: '1' as UserId, channelId: '1' as ChannelId }, 17),
    [named('channel', 'channel_name', ['org_id', 'channel_id', 'user_id'])],
  ],
  [
    'channels that are owed something',
    (store) => store.owing(ORG, G, 200),
    [{ table: 'owed', index: key('owed'), by: ['org_id', 'generation'] }, channel],
  ],
  [
    'where numbers begin',
    (store) => store.seek(ORG, [G], RANGE),
    [byNumber, named('notification', 'notification_rematched', ['org_id', 'change_number'])],
  ],
  [
    'numbers of a channel',
    (store) => store.below(ORG, 'all', [{ generation: G, below: 9 }], 50, ASKED),
    [byNumber, lastAttempts],
  ],
  [
    'what a channel was not delivered',
    (store) => store.below(ORG, 'given-up', [{ generation: G, below: 9 }], 50, ASKED),
    [
      { table: 'undelivered', index: key('undelivered'), by: ['org_id', 'generation', 'number'] },
      byNumber,
      lastAttempts,
    ],
  ],
  [
    'what a channel is owed',
    (store) => store.owed(ORG, [{ generation: G, after: 1, to: 9 }], 50, ASKED),
    [{ table: 'owed', index: key('owed'), by: ['org_id', 'generation', 'number'] }, byNumber, lastAttempts],
  ],
  [
    'what is parked',
    (store) => store.givenUp(ORG, 'parked', undefined, 50, ASKED),
    [named('undelivered', 'undelivered_state', ['org_id', 'state']), byNumber],
  ],
  [
    'what is parked, from a place on',
    (store) => store.givenUp(ORG, 'parked', PLACE, 50, ASKED),
    [named('undelivered', 'undelivered_state', ['org_id', 'state', 'settled_at']), byNumber],
  ],
  [
    'what failed',
    (store) => store.failed(ORG, undefined, 50, ASKED),
    [named('attempt', 'attempt_failed', ['org_id']), byNumber],
  ],
  [
    'what failed, from a place on',
    (store) => store.failed(ORG, PLACE, 50, ASKED),
    [named('attempt', 'attempt_failed', ['org_id', 'at']), byNumber],
  ],
  ['changes', (store) => store.changes(ORG, {}, RANGE, 50), [log]],
  [
    'changes of a module',
    (store) => store.changes(ORG, { module: 'Contacts' }, RANGE, 50),
    [{ table: 'change_subject', index: key('change_subject'), by: ['org_id', 'subject', 'change_number'] }, log],
  ],
  [
    'changes of a record',
    (store) => store.changes(ORG, { module: 'Contacts', record: RECORD }, RANGE, 50),
    [{ table: 'change_subject', index: key('change_subject'), by: ['org_id', 'subject', 'change_number'] }, log],
  ],
  [
    'what was matched again',
    (store) => store.rematched(ORG, {}, RANGE, 50),
    [named('notification', 'notification_rematched', ['org_id', 'change_number'])],
  ],
  [
    'what was matched again of a record',
    (store) => store.rematched(ORG, { module: 'Contacts', record: RECORD }, RANGE, 50),
    [
      { table: 'change_subject', index: key('change_subject'), by: ['org_id', 'subject', 'change_number'] },
      named('notification', 'notification_rematched', ['org_id', 'change_number']),
    ],
  ],
  [
    'spans of numbers',
    (store) => store.spans(ORG, [{ generation: G, from: 1, to: 2 }], ASKED),
    [byNumber, lastAttempts],
  ],
  [
    'what a list shows',
    (store) => store.listed(ORG, [{ generation: G, number: 1 }]),
    [byNumber, log, { table: 'owed', index: key('owed'), by: ['org_id', 'generation', 'number'] }, lastAttempts],
  ],
  [
    'one by its id',
    (store) => store.find(ORG, { id: 'msg_1' as NotificationId }),
    [named('notification', 'notification_id', ['org_id', 'id']), log],
  ],
  ['one by its number', (store) => store.find(ORG, { generation: G, number: 1 }), [byNumber, log]],
  ['attempts at one', (store) => store.attemptsOf(ORG, G, 1, 200), [lastAttempts]],
  [
    'attempts of a channel',
    (store) => store.attempts(ORG, G, { number: 5, attempt: 1 }, 50),
    [{ table: 'attempt', index: key('attempt'), by: ['org_id', 'generation', 'number'] }, byNumber],
  ],
  [
    'attempts that failed',
    (store) => store.failedAttempts(ORG, PLACE, 50),
    [named('attempt', 'attempt_failed', ['org_id', 'at']), byNumber],
  ],
];

/** The statements of one read. Their answer is that nothing is there. */
export async function statementsOf(dialect: Db['dialect'], read: Read): Promise<readonly Statement[]> {
  const asked: Statement[] = [];
  const none: Row[][] = [];
  await read(
    createLookStore({
      dialect,
      async read(statements) {
        asked.push(...statements);
        return none;
      },
    }),
  );
  return asked;
}
