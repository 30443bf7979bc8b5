import type { Entry } from '../model/channels.ts';
import type { Version } from '../model/facts.ts';
import { METHODS, wireEntry } from '../model/wire.ts';
import { oneOf, shuffled } from './random.ts';

export const CHANNEL_ID = '1000';
/** The modules that are changed, and fields of theirs to ask for. */
export const MODULES: Readonly<Record<string, readonly string[]>> = {
  Leads: ['Description', 'Designation'],
  Contacts: ['Description', 'Department'],
  Accounts: ['Description', 'Phone'],
};
const EVENTS = Object.keys(MODULES).flatMap((module) =>
  ['create', 'edit', 'delete'].map((word) => `${module}.${word}`),
);
const VERSIONS: readonly Version[] = ['v6', 'v7', 'v8'];

/** One call that changes the channel; expiry and token are its own, so that what it left can be told by them. */
export interface Call {
  readonly version: Version;
  readonly entry: Entry | 'delete';
}

/** The calls of a run, by the seed. `expiry`: of the first, epoch ms; each has one a second later. */
export function callsOf(count: number, random: () => number, urls: readonly string[], expiry: number): Call[] {
  const some = (least: number) => shuffled(EVENTS, random).slice(0, least + Math.floor(random() * 3));
  const isTrue = () => random() < 0.5;

  function conditions(): Entry['conditions'] {
    const modules = Object.keys(MODULES).filter(() => random() < 0.3);
    return Object.fromEntries(modules.map((module) => [module, oneOf(MODULES[module] ?? [], random)]));
  }

  return Array.from({ length: count }, (_, at): Call => {
    const marks = { channelId: CHANNEL_ID, token: `token ${at}`, expiry: expiry + at * 1000 };
    const version = oneOf(VERSIONS, random);
    const dice = random();
    const whole = () => ({
      events: some(2),
      values: isTrue(),
      related: isTrue(),
      ...(isTrue() && { conditions: conditions() }),
    });
    if (at === 0 || dice < 0.15)
      return { version, entry: { ...marks, kind: 'open', url: oneOf(urls, random), ...whole() } };
    if (dice < 0.3)
      return {
        version,
        entry: { ...marks, kind: 'replace', ...(isTrue() && { url: oneOf(urls, random) }), ...whole() },
      };
    if (dice < 0.45) return { version, entry: { kind: 'prune', channelId: CHANNEL_ID, events: some(1).slice(0, 2) } };
    if (dice < 0.52) return { version, entry: 'delete' };
    const events = some(0);
    const more = {
      ...(events.length > 0 && { events }),
      ...(isTrue() && { conditions: conditions() }),
      ...(isTrue() && { values: isTrue() }),
    };
    return { version, entry: { ...marks, kind: 'merge', ...more, ...(isTrue() && { url: oneOf(urls, random) }) } };
  });
}

/** As it goes over the wire. */
export function wireOf({ version, entry }: Call): { method: string; path: string; body?: object } {
  const path = `${version}/actions/watch`;
  if (entry === 'delete') return { method: 'DELETE', path: `${path}?channel_ids=${CHANNEL_ID}` };
  return { method: METHODS[entry.kind], path, body: { watch: [wireEntry(entry)] } };
}
