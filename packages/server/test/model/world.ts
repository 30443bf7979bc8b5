import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import type { Receiver } from '../support/receiver.ts';
import { PEOPLE, type PersonKey, TAGGED, TAGS } from './commands.ts';
import { HOUR, type Person, RETENTION } from './facts.ts';
import { createModel, type Model } from './model.ts';

export interface Tally {
  readonly versions: Map<string, number>;
  readonly operations: Map<string, number>;
  /** Of related actions; come later than owed; held over an expiry; of a channel id's later generation. */
  related: number;
  flowed: number;
  afterLapse: number;
  renumbered: number;
}

export interface Means {
  readonly good: Receiver;
  readonly broken: Receiver;
  readonly hasField: (module: string, field: string) => boolean;
  readonly tally: Tally;
}

/** A server with what stands beside it: its callers, its receivers and the model. */
export interface World extends Means {
  app: LiveApp;
  readonly model: Model;
  readonly people: Readonly<Record<PersonKey, Person>>;
  readonly tokens: Readonly<Record<PersonKey, string>>;
  /** A product of each organisation, for line items. */
  readonly products: Readonly<Record<string, string>>;
  /** Generations of the model by what the server calls them. */
  readonly generations: Map<number, string>;
  /** The generation last heard of each channel id. */
  readonly heard: Map<string, string>;
  /** Of notifications that came. */
  readonly ids: Set<string>;
  arrived: number;
}

export async function begin(means: Means): Promise<World> {
  const app = await startLiveApp({ flags: { retentionHours: String(RETENTION / HOUR) } });
  const callers = { owner: app.owner, colleague: await app.colleague(), stranger: await app.stranger() };
  const people = {} as Record<PersonKey, Person>;
  const products: Record<string, string> = {};
  for (const key of PEOPLE) {
    const org = key === 'stranger' ? 'elsewhere' : 'sample';
    const { body } = await callers[key].call('GET', '/crm/v8/users?type=CurrentUser');
    const { id, email, full_name: name } = (body as { users: Record<string, string>[] }).users[0] ?? {};
    people[key] = { key, org, id: id ?? '', name: name ?? '', email: email ?? '' };
  }
  const model = createModel(app.clock.now(), Object.values(people), means.hasField);
  for (const key of ['owner', 'stranger'] as const) {
    const { org } = people[key];
    const made = await callers[key].call('POST', '/crm/v8/Products', { data: [{ Product_Name: 'P' }] });
    products[org] = idsIn(made.body)[0] ?? '';
    for (const module of TAGGED) {
      const tags = { tags: TAGS.map((name) => ({ name })) };
      const { body } = await callers[key].call('POST', `/crm/v8/settings/tags?module=${module}`, tags);
      for (const [i, id] of idsIn(body, 'tags').entries()) model.records.learnTag(org, module, TAGS[i] ?? '', id);
    }
  }
  const tokens = Object.fromEntries(PEOPLE.map((key) => [key, callers[key].accessToken])) as World['tokens'];
  return {
    ...means,
    app,
    model,
    people,
    tokens,
    products,
    generations: new Map(),
    ids: new Set(),
    heard: new Map(),
    arrived: means.good.received.length,
  };
}

export async function call(world: World, by: PersonKey, method: string, target: string, body?: object) {
  const response = await fetch(`${world.app.base}/crm/${target}`, {
    method,
    headers: { authorization: `Zoho-oauthtoken ${world.tokens[by]}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

type Items = readonly { readonly status?: string; readonly details?: { readonly id?: string } }[];
const itemsOf = (body: unknown, list: string): Items => (body as Record<string, Items> | undefined)?.[list] ?? [];

export const successes = (body: unknown, list: string): boolean[] =>
  itemsOf(body, list).map(({ status }) => status === 'success');
export const idsIn = (body: unknown, list = 'data'): string[] =>
  itemsOf(body, list).map(({ details }) => details?.id ?? '');
