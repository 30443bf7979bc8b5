import { DAY, HOUR, written } from './watch-client.ts';

/** How clients in the wild subscribe: what each sends, what it then reads back, and what it is told of. */
export interface Habit {
  readonly version: string;
  /** The id as JSON text, as it is sent; and as text, as it comes back. */
  readonly sent: string;
  readonly id: string;
  readonly query?: string;
  readonly entry: (now: number) => Record<string, unknown>;
  readonly lasts: number;
  readonly token?: string;
  readonly related: boolean;
  readonly values?: boolean;
  /** Events of the row of each module. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  /** Which of creating, changing and deleting a record of the first module it is told of. */
  readonly told: readonly string[];
}

const all = (module: string) => [`${module}.edit`, `${module}.create`, `${module}.delete`];
const allOf = (...modules: string[]) => Object.fromEntries(modules.map((module) => [module, all(module)]));
const EVERY = ['insert', 'update', 'delete'];
const field = (api_name: string) => ({ field: { api_name } });
const either = (...group: unknown[]) => ({ group_operator: 'or', group });
export const five = either(
  field('Company'),
  either(field('Email'), either(field('City'), either(field('Last_Name'), field('Phone')))),
);
export const conditionOn = (module: string, field_selection: object) => [
  { type: 'field_selection', module: { api_name: module }, field_selection },
];
const SIX = ['Leads', 'Contacts', 'Accounts', 'Deals', 'Tasks', 'Calls'];

export const habits: Readonly<Record<string, Habit>> = {
  'one entry for two modules, a negative 64-bit id as text, a condition of five fields in pairs, no related flag': {
    version: 'v7',
    sent: '"-7046029254386353131"',
    id: '-7046029254386353131',
    entry: (now) => ({
      events: ['Leads.create', 'Leads.edit', 'Leads.delete', 'Contacts.create', 'Contacts.edit', 'Contacts.delete'],
      channel_expiry: written(now + 7 * DAY),
      token: 'conn_6a1f2b0e-3c55-4e0b-9c39-0c9f6f1c4a10',
      return_affected_field_values: true,
      notification_condition: conditionOn('Leads', five),
    }),
    lasts: 7 * DAY,
    token: 'conn_6a1f2b0e-3c55-4e0b-9c39-0c9f6f1c4a10',
    related: true,
    values: true,
    rows: allOf('Leads', 'Contacts'),
    told: EVERY,
  },
  'a random number below 2^48 as id and twelve hours': {
    version: 'v2',
    sent: '271828182845904',
    id: '271828182845904',
    entry: (now) => ({
      events: ['Contacts.create', 'Contacts.edit'],
      channel_expiry: written(now + 12 * HOUR),
      token: `${'aZ9+/'.repeat(9)}QUJ=`,
    }),
    lasts: 12 * HOUR,
    token: `${'aZ9+/'.repeat(9)}QUJ=`,
    related: true,
    rows: { Contacts: ['Contacts.edit', 'Contacts.create'] },
    told: ['insert', 'update'],
  },
  'no expiry at all, values on and related off': {
    version: 'v8',
    sent: '2718281',
    id: '2718281',
    entry: () => ({
      events: ['Accounts.all', 'Contacts.all'],
      token: 'f'.repeat(40),
      return_affected_field_values: true,
      notify_on_related_action: false,
    }),
    lasts: HOUR,
    token: 'f'.repeat(40),
    related: false,
    values: true,
    rows: allOf('Accounts', 'Contacts'),
    told: EVERY,
  },
  'the milliseconds of now as text for an id, and all of six modules for 21 hours': {
    version: 'v3',
    sent: '"1767603600123"',
    id: '1767603600123',
    entry: (now) => ({
      events: SIX.map((module) => `${module}.all`),
      channel_expiry: written(now + 21 * HOUR, '+00:00'),
      token: 'x'.repeat(43),
    }),
    lasts: 21 * HOUR,
    token: 'x'.repeat(43),
    related: false,
    values: false,
    rows: allOf(...SIX),
    told: EVERY,
  },
  'a small fixed id, an offset of its own and an HMAC cut to 50 as token': {
    version: 'v8',
    sent: '"1001"',
    id: '1001',
    entry: (now) => ({
      events: ['Leads.create'],
      channel_expiry: written(now + DAY, '+05:30'),
      token: '0123456789'.repeat(5),
    }),
    lasts: DAY,
    token: '0123456789'.repeat(5),
    related: true,
    values: false,
    rows: { Leads: ['Leads.create'] },
    told: ['insert'],
  },
  'the milliseconds of now as a number, for a module of its own': {
    version: 'v8',
    sent: '1767603600456',
    id: '1767603600456',
    entry: (now) => ({
      events: ['Visits.all', 'Leads.all'],
      channel_expiry: written(now + 23 * HOUR, '+00:00'),
      token: 'dealer-7',
    }),
    lasts: 23 * HOUR,
    token: 'dealer-7',
    related: true,
    values: false,
    rows: allOf('Visits', 'Leads'),
    told: EVERY,
  },
  'the largest id there is, and both flags said to be false': {
    version: 'v8',
    sent: '"9223372036854775807"',
    id: '9223372036854775807',
    entry: (now) => ({
      events: ['Leads.create', 'Leads.edit'],
      channel_expiry: written(now + 7 * DAY, '+00:00'),
      token: 't'.repeat(50),
      notify_on_related_action: false,
      return_affected_field_values: false,
    }),
    lasts: 7 * DAY,
    token: 't'.repeat(50),
    related: false,
    values: false,
    rows: { Leads: ['Leads.edit', 'Leads.create'] },
    told: ['insert', 'update'],
  },
  'the same id as a number that no floating-point number holds': {
    version: 'v4',
    sent: '-9223372036854775807',
    id: '-9223372036854775807',
    entry: () => ({ events: ['Leads.create'] }),
    lasts: HOUR,
    related: true,
    values: false,
    rows: { Leads: ['Leads.create'] },
    told: ['insert'],
  },
  'the id "1" and two hours': {
    version: 'v6',
    sent: '"1"',
    id: '1',
    entry: (now) => ({
      events: ['Tasks.create', 'Tasks.edit', 'Tasks.delete'],
      channel_expiry: written(now + 2 * HOUR, '+00:00'),
      token: 'tasks',
    }),
    lasts: 2 * HOUR,
    token: 'tasks',
    related: true,
    values: false,
    rows: allOf('Tasks'),
    told: EVERY,
  },
  'its token in the address too': {
    version: 'v8',
    sent: '"1767603600314159"',
    id: '1767603600314159',
    query: '?token=s3cr3t-_x',
    entry: (now) => ({
      events: ['Leads.create', 'Leads.edit'],
      channel_expiry: written(now + 7 * DAY, '+00:00'),
      token: 's3cr3t-_x',
    }),
    lasts: 7 * DAY,
    token: 's3cr3t-_x',
    related: true,
    values: false,
    rows: { Leads: ['Leads.edit', 'Leads.create'] },
    told: ['insert', 'update'],
  },
  'an expiry in the next year, far beyond the maximum': {
    version: 'v2',
    sent: '"778899"',
    id: '778899',
    entry: () => ({ events: ['Leads.create'], channel_expiry: '2027-12-31T23:59:59+00:00', token: 'voice' }),
    lasts: HOUR,
    token: 'voice',
    related: true,
    rows: { Leads: ['Leads.create'] },
    told: ['insert'],
  },
  'notes, without a token, for a day': {
    version: 'v2',
    sent: '"1"',
    id: '1',
    query: '?isdebug=false',
    entry: (now) => ({ events: ['Notes.create', 'Notes.edit'], channel_expiry: written(now + DAY, '+05:30') }),
    lasts: DAY,
    related: true,
    rows: { Notes: ['Notes.edit', 'Notes.create'] },
    told: ['insert', 'update'],
  },
  'eight in the morning of today, which is past, and a channel_id in the address': {
    version: 'v2',
    sent: '"555"',
    id: '555',
    query: '?module=Leads&channel_id=999',
    entry: (now) => ({
      events: ['Leads.all'],
      channel_expiry: `${new Date(now).toISOString().slice(0, 10)}T08:00:00+05:30`,
    }),
    lasts: HOUR,
    related: true,
    rows: allOf('Leads'),
    told: EVERY,
  },
  'one event, no expiry, never to be renewed': {
    version: 'v2',
    sent: '"42"',
    id: '42',
    entry: () => ({ events: ['Deals.edit'], token: 'analytics' }),
    lasts: HOUR,
    token: 'analytics',
    related: true,
    rows: { Deals: ['Deals.edit'] },
    told: ['update'],
  },
  'all of a module with a nested condition, no expiry': {
    version: 'v6',
    sent: '"10000"',
    id: '10000',
    entry: () => ({
      events: ['Deals.all'],
      token: 'office',
      return_affected_field_values: true,
      notification_condition: conditionOn(
        'Deals',
        either(field('Stage'), either(field('Amount'), field('Closing_Date'))),
      ),
    }),
    lasts: HOUR,
    token: 'office',
    related: true,
    values: true,
    rows: allOf('Deals'),
    told: EVERY,
  },
  'a key that no version knows and a token that can be guessed': {
    version: 'v8',
    sent: '1767603600789',
    id: '1767603600789',
    entry: () => ({
      events: ['Contacts.create'],
      token: 'TOKEN_FOR_VERIFICATION_OF_1767603600789',
      channel_type: 'web',
    }),
    lasts: HOUR,
    token: 'TOKEN_FOR_VERIFICATION_OF_1767603600789',
    related: true,
    values: false,
    rows: { Contacts: ['Contacts.create'] },
    told: ['insert'],
  },
  'the number of its organisation as id, and no token': {
    version: 'v8',
    sent: '3652397',
    id: '3652397',
    entry: () => ({ events: ['Calls.create'] }),
    lasts: HOUR,
    related: true,
    values: false,
    rows: { Calls: ['Calls.create'] },
    told: ['insert'],
  },
  'null where it has nothing to say': {
    version: 'v2',
    sent: '"31337"',
    id: '31337',
    entry: () => ({ events: ['Leads.delete'], channel_expiry: null, token: null }),
    lasts: HOUR,
    related: true,
    rows: { Leads: ['Leads.delete'] },
    told: ['delete'],
  },
};
