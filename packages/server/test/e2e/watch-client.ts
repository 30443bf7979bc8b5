import { expect } from 'vitest';
import type { Answer, Caller, LiveApp } from '../support/live-app.ts';

/** What clients read of the answers and lists of `actions/watch`. */
export interface WatchItem {
  readonly code: string;
  readonly status: string;
  readonly message: string;
  readonly details: Record<string, unknown> & { readonly events?: readonly WatchEvent[] };
}

interface WatchEvent {
  readonly channel_id: string;
  readonly resource_name: string;
  readonly channel_expiry: string;
}

export interface WatchRow {
  readonly [key: string]: unknown;
  readonly channel_id: string;
  readonly resource_name: string;
  readonly channel_expiry: string;
  readonly events: readonly string[];
}

export const watchPath = (version: string): string => `/crm/${version}/actions/watch`;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A time as clients write it, to the second: `Z`, or an offset of whole minutes. */
export function written(time: number, offset = 'Z'): string {
  const minutes = offset === 'Z' ? 0 : Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  const local = time + (offset.startsWith('-') ? -1 : 1) * minutes * 60_000;
  return `${new Date(local).toISOString().slice(0, 19)}${offset}`;
}

export const items = ({ body }: Answer): readonly WatchItem[] => (body as { watch: WatchItem[] }).watch;

export async function listed(caller: Caller, version: string, query = ''): Promise<readonly WatchRow[]> {
  const { status, body } = await caller.call('GET', `${watchPath(version)}${query}`);
  return status === 204 ? [] : (body as { watch: WatchRow[] }).watch;
}

/** The ids of the channels that are live. */
export const liveIds = async (caller: Caller): Promise<readonly string[]> => [
  ...new Set((await listed(caller, 'v8')).map((row) => row.channel_id)),
];

/** Every test of success that clients were seen to make, at once. Gives the expiry that is promised. */
export function expectSuccess(answer: Answer, id: string, modules: readonly string[]): number {
  expect([200, 201]).toContain(answer.status);
  const [entry, ...others] = items(answer);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ status: 'success', code: 'SUCCESS' });
  expect(Object.keys(entry ?? {})).toEqual(['code', 'details', 'message', 'status']);
  expect(Object.keys(entry?.details ?? {})).toEqual(['events']);
  const events = entry?.details.events ?? [];
  expect(events.map((event) => event.resource_name).sort()).toEqual([...modules].sort());
  expect(new Set(events.map((event) => event.channel_id))).toEqual(new Set([id]));
  const [expiry, ...differing] = new Set(events.map((event) => event.channel_expiry));
  expect(differing).toEqual([]);
  return Date.parse(expiry ?? '');
}

const FIRST: Readonly<Record<string, object>> = {
  Leads: { Last_Name: 'Boyle', Company: 'Zylker' },
  Contacts: { Last_Name: 'Boyle' },
  Accounts: { Account_Name: 'Zylker' },
  Deals: { Deal_Name: 'Lamp', Stage: 'Qualification' },
  Tasks: { Subject: 'Call back' },
  Calls: { Subject: 'Call', Call_Type: 'Inbound', Call_Start_Time: '2026-01-05T10:00:00Z', Call_Duration: '10:00' },
  Visits: { Name: 'First' },
};

const THEN: Readonly<Record<string, object>> = {
  Leads: { Phone: '555-0100' },
  Contacts: { Phone: '555-0100' },
  Accounts: { Phone: '555-0100' },
  Deals: { Amount: 5 },
  Tasks: { Description: 'Soon' },
  Calls: { Description: 'Long' },
  Notes: { Note_Title: 'Later' },
  Visits: { Name: 'Second' },
};

/** Creates, changes and deletes one record of the module, each in a call of its own. Gives its id. */
export async function changeThrice(app: LiveApp, module: string): Promise<string> {
  const id = await create(app, module);
  await change(app, module, id);
  const { status } = await app.owner.call('DELETE', `/crm/v8/${module}/${id}`);
  expect(status).toBe(200);
  return id;
}

/** A new record of the module; a note is a note of a new lead. */
export async function create(app: LiveApp, module: string, values?: object): Promise<string> {
  const data = values ?? FIRST[module] ?? (await note(app));
  const answer = await app.owner.call('POST', `/crm/v8/${module}`, { data: [data] });
  expect(answer).toMatchObject({ status: 201 });
  return (answer.body as { data: [{ details: { id: string } }] }).data[0].details.id;
}

const note = async (app: LiveApp): Promise<object> => ({
  Note_Content: 'A',
  Parent_Id: { id: await create(app, 'Leads'), module: { api_name: 'Leads' } },
});

export async function change(app: LiveApp, module: string, id: string, values?: object): Promise<void> {
  const data = [values ?? THEN[module]];
  expect((await app.owner.call('PUT', `/crm/v8/${module}/${id}`, { data })).status).toBe(200);
}
