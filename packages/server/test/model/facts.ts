// What the documentation says, as plain data.

export const VERSIONS = ['v2', 'v2.1', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'] as const;
export type Version = (typeof VERSIONS)[number];
export const HOUR = 3_600_000;
export const RETENTION = 24 * HOUR;

export type Values = Readonly<Record<string, unknown>>;
export type Operation = 'insert' | 'update' | 'delete';

/** What the documentation says of the modules that are used. */
export interface ModuleFacts {
  readonly mandatory: readonly string[];
  /** Lookup fields with the module that they point at; the value names it when it may be any. */
  readonly lookups: Readonly<Record<string, string>>;
  readonly subforms: readonly string[];
  /** Fields by which an upsert finds the record that it updates, tried in this order. */
  readonly upsertBy?: readonly string[];
  readonly unique?: string;
  readonly name: (values: Values) => unknown;
}

const fullName = ({ First_Name: first, Last_Name: last }: Values) => [first, last].filter(Boolean).join(' ');
const none = { lookups: {}, subforms: [] };

export const MODULES: Readonly<Record<string, ModuleFacts>> = {
  Leads: { ...none, mandatory: ['Last_Name', 'Company'], upsertBy: ['Email'], name: fullName },
  Accounts: {
    ...none,
    mandatory: ['Account_Name'],
    lookups: { Parent_Account: 'Accounts' },
    upsertBy: ['Account_Name', 'Account_Number'],
    unique: 'Account_Number',
    name: (values) => values.Account_Name,
  },
  Contacts: {
    ...none,
    mandatory: ['Last_Name'],
    lookups: { Account_Name: 'Accounts', Reporting_To: 'Contacts' },
    upsertBy: ['Email'],
    name: fullName,
  },
  Deals: {
    ...none,
    mandatory: ['Deal_Name', 'Stage'],
    lookups: { Account_Name: 'Accounts', Contact_Name: 'Contacts' },
    upsertBy: ['Deal_Name'],
    name: (values) => values.Deal_Name,
  },
  Quotes: {
    mandatory: ['Subject', 'Account_Name'],
    lookups: { Account_Name: 'Accounts', Deal_Name: 'Deals' },
    subforms: ['Quoted_Items'],
    name: (values) => values.Subject,
  },
  Notes: {
    ...none,
    mandatory: ['Note_Content', 'Parent_Id'],
    lookups: { Parent_Id: 'any' },
    name: (values) => values.Note_Title,
  },
};

/** What a deal's probability becomes with its stage. */
export const PROBABILITY: Readonly<Record<string, number>> = {
  Qualification: 10,
  'Needs Analysis': 20,
  'Closed Won': 100,
};

export interface Person {
  readonly key: string;
  readonly org: string;
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

export const atLeast = (version: Version, first: Version) => VERSIONS.indexOf(version) >= VERSIONS.indexOf(first);
