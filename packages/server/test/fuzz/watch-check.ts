import { isTreeObject, type Tree } from './json-tree.ts';
import { timeOf } from './listing.ts';
import type { Expected, Judged } from './model.ts';

/** What of the written texts shows which call answered. */
const MESSAGES: Readonly<Record<string, string>> = {
  subscribed: 'Successfully subscribed for actions-watch of the given module',
  updated: 'Successfully updated the subscribe details',
  removed: 'Successfully removed the subscribe details',
  'un-subscribed': 'Successfully un-subscribed from actions-watch',
};

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely.
type Loose = any;

/** What differs between the answer of a write and what the model says of it. */
export function watchFaults(expected: Expected, version: string, status: number, body: Loose): string[] {
  if (status !== expected.status) return [`status ${status} instead of ${expected.status}`];
  if ('refusal' in expected)
    return body.code === expected.refusal ? [] : [`${body.code} instead of ${expected.refusal}`];
  if (!Array.isArray(body.watch)) return ['no list'];
  if (body.watch.length !== expected.entries.length) {
    return [`${body.watch.length} entries instead of ${expected.entries.length}`];
  }
  // Modules of a deleted channel come in an order of their own.
  const faults = expected.entries.map((entry, i) => entryFault(entry, version, body.watch[i]));
  if (expected.entries.every((entry) => 'message' in entry && entry.message === 'un-subscribed')) {
    const wanted = expected.entries.map((entry) => ('id' in entry ? `${entry.id} ${entry.modules}` : '')).sort();
    const got = body.watch
      .map(({ details }: Loose) => `${details.channel_id} ${String(details.resource_uri).split('/').at(-1)}`)
      .sort();
    if (wanted.join() !== got.join()) return [`${got} instead of ${wanted}`];
  }
  return faults.flatMap((fault, i) => (fault === undefined ? [] : [`entry ${i}: ${fault}`]));
}

function entryFault(expected: Judged, version: string, entry: Loose): string | undefined {
  if ('error' in expected) {
    return entry.code === expected.error && entry.status === 'error'
      ? undefined
      : `${entry.code} instead of ${expected.error}`;
  }
  if (entry.code !== 'SUCCESS' || entry.status !== 'success') return `${entry.code} instead of success`;
  if (entry.message !== MESSAGES[expected.message]) return `message ${entry.message}`;
  if (expected.message === 'un-subscribed')
    return entry.details.channel_id === expected.id ? undefined : 'another channel';
  const rows: Loose[] = entry.details.events;
  const modules = rows.map((row) => row.resource_name).sort();
  if (modules.join() !== [...expected.modules].sort().join())
    return `modules ${modules} instead of ${expected.modules}`;
  for (const row of rows) {
    if (row.channel_id !== expected.id) return `channel ${row.channel_id} instead of ${expected.id}`;
    if (!row.resource_uri.endsWith(`/crm/${version}/${row.resource_name}`)) return `resource_uri ${row.resource_uri}`;
    const expiry = 'channel_expiry' in row ? timeOf(row.channel_expiry) : undefined;
    if (expiry !== expected.expiresAt) return `channel_expiry ${row.channel_expiry} instead of ${expected.expiresAt}`;
  }
  return undefined;
}

/** Puts what is known only when it is sent in its place: times from now on, the receiver's address. */
export function materialise(tree: Tree, now: number, receiver: string): Tree {
  if (Array.isArray(tree)) return tree.map((item: Tree) => materialise(item, now, receiver));
  if (!isTreeObject(tree)) return tree;
  if (typeof tree.$url === 'string') return `${receiver}/${tree.$url}`;
  if (typeof tree.$in === 'number') return timeText(now + tree.$in * 1000, String(tree.$form));
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, materialise(value, now, receiver)]));
}

function timeText(time: number, form: string): string {
  const whole = new Date(time).toISOString();
  if (form === 'ms') return whole;
  if (form === 'Z') return whole.replace(/\.\d+Z$/, 'Z');
  const minutes = (form.startsWith('-') ? -1 : 1) * (Number(form.slice(1, 3)) * 60 + Number(form.slice(4)));
  return new Date(time + minutes * 60_000).toISOString().replace(/\.\d+Z$/, form);
}
