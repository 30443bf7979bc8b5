import { type Client, type EventName, expectSuccess, type Notification, type RecordValues } from '@watchbell/client';
import type { Arrival } from './arrival.ts';

/** What the demo's channel watches. */
export const DEMO_EVENTS: readonly EventName[] = ['Leads.all', 'Contacts.all', 'Deals.all'];

/** A notification that must come: exactly one, numbered in this order. */
export interface OwedNotification {
  readonly module: string;
  readonly operation: Notification['operation'];
  readonly ids: readonly string[];
  /** Of each record, in the order of `ids`; none for an insert. */
  readonly fields: readonly string[];
}

const AFFECTED_BY_DELETE = ['Modified_By', 'Record_Status__s'];

/**
 * Creates, edits and deletes records, one call after the other, and says what each owes. Some changes owe nothing: a
 * module that nobody watches, and an edit that changes no value. Cleans up after itself.
 */
export async function tellStory(client: Client): Promise<readonly OwedNotification[]> {
  const owed: OwedNotification[] = [];

  async function create(module: string, records: readonly RecordValues[], isWatched = true): Promise<string[]> {
    const ids = expectSuccess(await client.records.create(module, records)).map(({ id }) => id);
    if (isWatched) owed.push({ module, operation: 'insert', ids, fields: [] });
    return ids;
  }
  async function update(module: string, ids: readonly string[], values: RecordValues, fields: readonly string[]) {
    const changes = ids.map((id) => ({ ...values, id }));
    expectSuccess(await client.records.update(module, changes));
    if (fields.length > 0) owed.push({ module, operation: 'update', ids, fields });
  }
  async function remove(module: string, ids: readonly string[], isWatched = true): Promise<void> {
    expectSuccess(await client.records.delete(module, ids));
    if (isWatched) owed.push({ module, operation: 'delete', ids, fields: AFFECTED_BY_DELETE });
  }

  const leads = await create('Leads', [{ Last_Name: 'Hopper', Company: 'Harbour & Sons', Phone: '555 0100' }]);
  const contacts = await create('Contacts', [{ Last_Name: 'Lovelace' }, { Last_Name: 'Turing' }]);
  const deals = await create('Deals', [{ Deal_Name: 'Ten looms', Stage: 'Qualification', Closing_Date: '2030-01-15' }]);
  const accounts = await create('Accounts', [{ Account_Name: `Nobody watches this ${leads[0]}` }], false);
  await update('Leads', leads, { Phone: '555 0199' }, ['Phone']);
  await update('Leads', leads, { Phone: '555 0199' }, []);
  await update('Contacts', contacts, { Title: 'Engineer', Department: 'Analysis' }, ['Title', 'Department']);
  await update('Deals', deals, { Stage: 'Proposal/Price Quote' }, ['Stage', 'Probability']);
  await remove('Accounts', accounts, false);
  await remove('Deals', deals);
  await remove('Contacts', contacts);
  await remove('Leads', leads);
  return owed;
}

/** Whether there is nothing more to wait for: as many as are owed, without a gap in their numbers. */
export function isComplete(owed: readonly OwedNotification[], arrivals: readonly Arrival[]): boolean {
  const numbers = new Set(arrivals.map(({ sequence }) => sequence));
  return arrivals.length >= owed.length && owed.every((_, index) => numbers.has(index + 1));
}

/** Everything in which what came differs from what was owed; empty when it was exactly that. */
export function differences(owed: readonly OwedNotification[], arrivals: readonly Arrival[]): string[] {
  const extra = [...arrivals].sort((a, b) => a.sequence - b.sequence);
  const problems: string[] = [];
  for (const [index, expected] of owed.entries()) {
    const found = extra.findIndex(({ notification }) => isAbout(notification, expected));
    const [arrival] = found === -1 ? [] : extra.splice(found, 1);
    if (!arrival) problems.push(`missing: ${describe(expected)}`);
    else problems.push(...faults(expected, arrival, index + 1));
  }
  for (const { notification } of extra) problems.push(`extra: ${describe({ ...notification, fields: [] })}`);
  return problems;
}

function faults(expected: OwedNotification, { notification, sequence }: Arrival, number: number): string[] {
  const problems: string[] = [];
  const wanted = expected.operation === 'insert' ? [] : expected.ids.map((id) => ({ [id]: expected.fields }));
  if (JSON.stringify(notification.affected_fields) !== JSON.stringify(wanted)) {
    const came = JSON.stringify(notification.affected_fields);
    problems.push(`wrong: ${describe(expected)} came with affected_fields ${came}, not ${JSON.stringify(wanted)}`);
  }
  if (sequence !== number) problems.push(`wrong: ${describe(expected)} came as number ${sequence}, not ${number}`);
  return problems;
}

const isAbout = ({ module, operation, ids }: Notification, owed: OwedNotification): boolean =>
  module === owed.module && operation === owed.operation && ids.join() === owed.ids.join();

const describe = ({ module, operation, ids }: OwedNotification): string => `${module} ${operation} ${ids.join(', ')}`;
