import type { Planned } from '../crash/channel-plan.ts';
import { busy, type Character, choking, flaky, slow, well } from '../crash/receivers.ts';

const hangingNowAndThen: Character = () => (Math.random() < 0.2 ? 'hang' : { status: 200 });
const failing: Character = () => ({ status: 500 });

type Steady = Pick<Planned, 'name' | 'version' | 'events' | 'character'> & Partial<Planned>;

const steady = ({ withValues = true, ...rest }: Steady): Planned => ({ withValues, ...rest });

/** So many that every node has some: by when they are sent for again it is measured how long a hand-over takes. */
const MEASURED: readonly Planned[] = Array.from({ length: 16 }, (_, at) =>
  steady({
    name: `well ${at + 1}`,
    version: at % 2 ? 'v8' : 'v4',
    events: at % 4 === 3 ? ['Leads.all'] : ['Contacts.edit'],
    character: well,
  }),
);

/** The channels that live through a whole run; those of one receiver share its origin. */
export const PLAN: readonly Planned[] = [
  ...MEASURED,
  steady({ name: 'all', version: 'v8', events: ['Contacts.all', 'Leads.all'], character: well }),
  steady({
    name: 'slow',
    version: 'v7',
    events: ['Contacts.edit'],
    condition: { module: 'Contacts', field: 'Department' },
    character: slow,
  }),
  steady({ name: 'flaky', version: 'v6', events: ['Contacts.create', 'Contacts.delete'], character: flaky }),
  steady({ name: 'busy', version: 'v3', events: ['Leads.create'], withValues: false, character: busy }),
  steady({ name: 'gone', version: 'v2', events: ['Leads.delete'], withValues: false, character: well }),
  steady({ name: 'dead', version: 'v4', events: ['Leads.delete'], withValues: false, character: well }),
  steady({ name: 'choking', version: 'v5', events: ['Leads.edit', 'Contacts.create'], character: choking }),
  steady({ name: 'hanging', version: 'v8', events: ['Contacts.create'], character: hangingNowAndThen }),
  steady({ name: 'never', version: 'v8', events: ['Leads.delete'], character: failing }),
];

export const isMeasured = (name: string): boolean => name.startsWith('well ');

const FIRST_ID = 1_000_000_001;
export const channelIdOf = (name: string): string => String(FIRST_ID + PLAN.findIndex((one) => one.name === name));

/** Channels that come and go have other ids. */
export const nameOf = (channelId: string): string => PLAN[Number(channelId) - FIRST_ID]?.name ?? `channel ${channelId}`;
