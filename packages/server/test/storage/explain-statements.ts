import type { ChannelId, Generation, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import { type Statement, sql } from '../../src/storage/db.ts';
import { selectChangesAbout, selectChannelsAt, selectNamed, selectPassed } from '../../src/storage/explaining.ts';

const ORG = '3652397' as OrgId;
const GENERATION = '1' as Generation;
const USER = '2' as UserId;
const CHANNEL = '3' as ChannelId;
const change = { number: 7, at: 1, channelVersion: 5 };
const modules = ['Contacts', 'Accounts'];
const watches = (column: Statement, module: string): Statement => sql`${column} = ${module}`;

const all = selectChannelsAt(ORG, { change, modules }, '', 1000, watches);
const own = selectChannelsAt(ORG, { change, modules, user: USER }, '', 1000, watches);
const [before, after, lapse, numbered, rematched] = selectPassed(ORG, {
  generation: GENERATION,
  change,
  numbers: { from: 1, to: 2 },
  lapse: 'expired',
});

/** What explaining asks of the store, with what each table must be looked up by. */
export const EXPLAIN_STATEMENTS: Readonly<
  Record<string, readonly [Statement | undefined, Readonly<Record<string, readonly string[]>>]>
> = {
  'changes about a record': [
    selectChangesAbout(ORG, { module: 'Contacts', id: '1' as RecordId }, 0, 9, 50),
    { change_subject: ['org_id', 'subject', 'change_number'] },
  ],
  'channels at a change': [
    all.found,
    { x: ['org_id', 'version'], channel_revision: ['org_id', 'generation'], channel: ['org_id', 'generation'] },
  ],
  'how far these were looked at': [all.looked, { channel: ['org_id', 'generation'] }],
  'channels of a user at a change': [
    own.found,
    {
      x: ['org_id', 'version'],
      channel_revision: ['org_id', 'generation'],
      channel: ['org_id', 'generation', 'user_id'],
    },
  ],
  'how far those were looked at': [own.looked, { channel: ['org_id', 'user_id', 'generation'] }],
  'channels of a name': [
    selectNamed(ORG, CHANNEL, change, { after: '' }, 1000),
    { x: ['org_id', 'version'], channel_revision: ['org_id', 'generation'], channel: ['org_id'] },
  ],
  'a channel of a user by its name': [
    selectNamed(ORG, CHANNEL, change, { user: USER, after: '' }, 1000),
    { x: ['org_id', 'version'], channel_revision: ['org_id', 'generation'], channel: ['org_id'] },
  ],
  'what was last said of a suspension': [before, { channel_revision: ['org_id', 'generation', 'version'] }],
  'what was said of it next': [after, { channel_revision: ['org_id', 'generation', 'version'] }],
  'its lapse': [lapse, { lapse: ['org_id', 'generation', 'from_change'] }],
  'its notifications': [
    numbered,
    {
      notification: ['org_id', 'generation', 'number'],
      owed: ['org_id', 'generation', 'number'],
      attempt: ['org_id', 'generation', 'number'],
    },
  ],
  'those of a re-match': [
    rematched,
    {
      notification: ['org_id', 'change_number', 'generation'],
      owed: ['org_id', 'generation', 'number'],
      attempt: ['org_id', 'generation', 'number'],
    },
  ],
};
