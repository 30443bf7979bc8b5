import { setTimeout as delay } from 'node:timers/promises';
import type { Line } from '../crash/load.ts';
import { oneOf } from './random.ts';

/** A DELETE that was answered as done. */
export interface Deletion {
  readonly channelId: string;
  /** When the answer came, epoch ms. */
  readonly at: number;
}

export interface Churn {
  readonly deletions: readonly Deletion[];
  /** Calls answered as done, by what they do. */
  readonly done: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const FIRST_ID = 5_000_000_001;
const EVENTS = ['Contacts.create', 'Contacts.edit', 'Contacts.delete', 'Leads.create', 'Leads.edit', 'Leads.delete'];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Contacts: ['Department', 'Description'],
  Leads: ['Designation', 'Description'],
};
const VERSIONS = ['v6', 'v7', 'v8'];

const some = <Item>(items: readonly Item[]): Item[] => items.filter(() => Math.random() < 0.4);

/** Channels that are opened, changed in every way, deleted, and left to expire and renewed, each call by another node. */
export function startChurn(line: Line, urls: readonly string[], workers: number): Churn {
  const deletions: Deletion[] = [];
  const done = new Map<string, number>();
  let isStopped = false;
  let lastId = FIRST_ID;

  async function call(what: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object) {
    try {
      const { statusCode } = await line.call(method, path, body);
      if (statusCode < 200 || statusCode > 201) return false;
      done.set(what, (done.get(what) ?? 0) + 1);
      return true;
    } catch {
      return false;
    }
  }
  const watch = (what: string, method: 'POST' | 'PUT' | 'PATCH', entry: object) =>
    call(what, method, `/crm/${oneOf(VERSIONS)}/actions/watch`, { watch: [entry] });

  async function live(): Promise<void> {
    lastId += 1;
    const channelId = String(lastId);
    const url = oneOf(urls);
    const entry = (events: readonly string[], lifeMs: number, more: object = {}) => ({
      channel_id: channelId,
      events,
      notify_url: url,
      return_affected_field_values: true,
      channel_expiry: expiryIn(lifeMs),
      ...more,
    });
    const acts: Readonly<Record<string, () => Promise<boolean>>> = {
      merge: () => watch('PATCH', 'PATCH', { channel_id: channelId, events: [oneOf(EVENTS)], ...condition() }),
      prune: () =>
        watch('_delete_events', 'PATCH', { channel_id: channelId, events: [oneOf(EVENTS)], _delete_events: true }),
      replace: () => watch('PUT', 'PUT', entry(some(EVENTS).concat('Contacts.edit'), 30_000, condition())),
      open: () => watch('POST', 'POST', entry(some(EVENTS).concat('Contacts.edit'), 30_000, condition())),
    };
    await watch('POST', 'POST', entry(['Contacts.all', ...some(EVENTS.slice(3))], 30_000));
    for (let left = 1 + Math.floor(Math.random() * 6); left > 0 && !isStopped; left -= 1) {
      await delay(Math.random() * 1500);
      await oneOf(Object.values(acts))();
    }
    if (Math.random() < 0.5) {
      const isDone = await call('DELETE', 'DELETE', `/crm/v8/actions/watch?channel_ids=${channelId}`);
      if (isDone) deletions.push({ channelId, at: Date.now() });
      return;
    }
    // Expires while it owes something, and is taken up again by some, within their generation.
    await watch('PATCH', 'PATCH', { channel_id: channelId, channel_expiry: expiryIn(2000) });
    await delay(3000 + Math.random() * 1000);
    if (Math.random() < 0.7) await watch('POST (renewing)', 'POST', entry(['Contacts.all'], 20_000));
  }

  async function work(): Promise<void> {
    while (!isStopped) {
      await live();
      await delay(Math.random() * 500);
    }
  }

  const running = Array.from({ length: workers }, work);
  return {
    deletions,
    done,
    async stop() {
      isStopped = true;
      await Promise.all(running);
    },
  };
}

const expiryIn = (ms: number): string => `${new Date(Date.now() + ms).toISOString().slice(0, 19)}+00:00`;

function condition(): object {
  if (Math.random() < 0.5) return {};
  const module = oneOf(Object.keys(FIELDS));
  const rule = { field: { api_name: oneOf(FIELDS[module] ?? []) } };
  return { notification_condition: [{ type: 'field_selection', module: { api_name: module }, field_selection: rule }] };
}
