import { ANY_MODULE, type Field, type FieldType } from '../module.ts';

/** What a field adds to its name, label and type. */
type Extra = Omit<Field, 'apiName' | 'label' | 'type'>;

/** `Last_Name` is labelled `Last Name`; `Record_Status__s` `Record Status`. */
const labelOf = (apiName: string): string => apiName.replace(/__s$/, '').replaceAll('_', ' ');

export function field(type: FieldType, apiName: string, { label, ...extra }: Extra & { label?: string } = {}): Field {
  return { apiName, label: label ?? labelOf(apiName), type, ...extra };
}

type Options = Extra & { label?: string };

export const text = (apiName: string, length: number, options?: Options): Field =>
  field('text', apiName, { length, ...options });
export const textarea = (apiName: string, length = 32_000, options?: Options): Field =>
  field('textarea', apiName, { length, ...options });
export const email = (apiName: string, options?: Options): Field =>
  field('email', apiName, { length: 100, ...options });
export const phone = (apiName: string, options?: Options): Field => field('phone', apiName, { length: 30, ...options });
export const website = (apiName: string, options?: Options): Field =>
  field('website', apiName, { length: 450, ...options });
export const integer = (apiName: string, options?: Options): Field =>
  field('integer', apiName, { length: 9, ...options });
export const currency = (apiName: string, options?: Options): Field =>
  field('currency', apiName, { length: 16, decimals: 2, ...options });
export const double = (apiName: string, options?: Options): Field =>
  field('double', apiName, { length: 16, decimals: 2, ...options });
export const boolean = (apiName: string, options?: Options): Field =>
  field('boolean', apiName, { length: 5, ...options });
export const date = (apiName: string, options?: Options): Field => field('date', apiName, { length: 20, ...options });
export const datetime = (apiName: string, options?: Options): Field =>
  field('datetime', apiName, { length: 120, ...options });
export const pickList = (apiName: string, values: readonly string[], options?: Options): Field =>
  field('picklist', apiName, { length: 120, pickList: values, ...options });
export const lookup = (apiName: string, module: string, options?: Options): Field =>
  field('lookup', apiName, { length: 120, lookup: module, ...options });
/** A lookup to records of any module. */
export const lookupAny = (apiName: string, options?: Options): Field => lookup(apiName, ANY_MODULE, options);
/** A list of line items or people; never named among affected fields (reference §5.2). */
export const subform = (apiName: string, rows: readonly Field[], options?: Options): Field =>
  field('subform', apiName, { unreported: true, rows, ...options });
export const percent = (apiName: string, options?: Options): Field =>
  field('percent', apiName, { length: 5, decimals: 2, ...options });
const bigint = (apiName: string, options?: Options): Field => field('bigint', apiName, { length: 18, ...options });
export const multiPickList = (apiName: string, values: readonly string[], options?: Options): Field =>
  field('multiselectpicklist', apiName, { length: 2000, pickList: values, ...options });
export const userLookup = (apiName: string, options?: Options): Field =>
  field('userlookup', apiName, { length: 120, ...options });

const SET_BY_SYSTEM = { readOnly: true } as const;

/**
 * What every record has besides its id. Begins each module's list, so it is closed: a field added here would move the
 * ids of all that follow; append it to the modules instead.
 */
export const SYSTEM_FIELDS: readonly Field[] = [
  field('ownerlookup', 'Owner', { length: 120 }),
  field('ownerlookup', 'Created_By', { length: 120, ...SET_BY_SYSTEM }),
  field('ownerlookup', 'Modified_By', { length: 120, ...SET_BY_SYSTEM }),
  datetime('Created_Time', SET_BY_SYSTEM),
  datetime('Modified_Time', SET_BY_SYSTEM),
  pickList('Record_Status__s', ['Trash', 'Draft', 'Available'], SET_BY_SYSTEM),
];

export const tag = text('Tag', 2000, SET_BY_SYSTEM);
export const lastActivity = datetime('Last_Activity_Time', SET_BY_SYSTEM);
export const locked = boolean('Locked__s', SET_BY_SYSTEM);
export const image = field('profileimage', 'Record_Image', { length: 255, ...SET_BY_SYSTEM });
export const unsubscribed: readonly Field[] = [
  pickList('Unsubscribed_Mode', ['Consent form', 'Manual', 'Unsubscribe link', 'Zoho campaigns'], SET_BY_SYSTEM),
  datetime('Unsubscribed_Time', SET_BY_SYSTEM),
];
/** Closed like `SYSTEM_FIELDS`. */
export const enriched: readonly Field[] = [
  datetime('Change_Log_Time__s', SET_BY_SYSTEM),
  pickList('Enrich_Status__s', ['Available', 'Enriched', 'Data not found'], SET_BY_SYSTEM),
  datetime('Last_Enriched_Time__s', SET_BY_SYSTEM),
];
/** What a visitor of a web site did before and since. Closed like `SYSTEM_FIELDS`. */
export const visits: readonly Field[] = [
  bigint('Visitor_Score', SET_BY_SYSTEM),
  datetime('First_Visited_Time', SET_BY_SYSTEM),
  datetime('Last_Visited_Time', SET_BY_SYSTEM),
  website('First_Visited_URL', { label: 'First Page Visited', ...SET_BY_SYSTEM }),
  website('Referrer', SET_BY_SYSTEM),
  integer('Days_Visited', SET_BY_SYSTEM),
  integer('Number_Of_Chats', SET_BY_SYSTEM),
  double('Average_Time_Spent_Minutes', { label: 'Average Time Spent (Minutes)', ...SET_BY_SYSTEM }),
];
