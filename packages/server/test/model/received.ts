import { expect } from 'vitest';
import type { Received } from '../support/receiver.ts';
import type { ModelChannel } from './channels.ts';
import { QUERIES } from './commands.ts';
import { HOUR, type Values } from './facts.ts';
import type { Tally, World } from './world.ts';

/** More than the longest wait for a retry of something held. */
const LONGEST_WAIT = 12 * HOUR;

/**
 * Waits until nothing more can come and holds what came against what the model owes by now. `isRetaken`: what was held
 * may wait for its next retry, so time may move on for it.
 */
export async function settle(world: World, isRetaken = false): Promise<void> {
  const { model, good, app } = world;
  const due = model.channels
    .all()
    .filter((one) => model.channels.isLive(one) && one.url.startsWith(good.origin) && one.owed.length > 0);
  const count = due.reduce((sum, { owed }) => sum + owed.reduce((lines, one) => lines + one.lines.length, 0), 0);
  await app.app.idle();
  for (let wait = 1000; isRetaken && good.received.length < world.arrived + count && wait < LONGEST_WAIT; wait *= 2) {
    model.moveTo(model.now() + wait);
    app.clock.set(model.now());
    await app.app.idle();
  }
  const came = good.received.slice(world.arrived);
  world.arrived = good.received.length;
  if (isRetaken) world.tally.afterLapse += came.length;
  const byChannel = new Map<string, Received[]>();
  for (const one of came) {
    const key = `${one.target.split(/[/?]/)[1]} ${one.body.channel_id}`;
    byChannel.set(key, [...(byChannel.get(key) ?? []), one]);
  }
  const expected = due.map(({ person, channelId }) => `${person.key} ${channelId}`);
  expect([...byChannel.keys()].sort(), 'channels that got something').toEqual(expected.sort());
  for (const channel of due) compare(world, channel, byChannel.get(`${channel.person.key} ${channel.channelId}`) ?? []);
}

const numberOf = ({ headers }: Received): number => Number(headers['watchbell-sequence']);

function compare(world: World, channel: ModelChannel, came: readonly Received[]): void {
  const { model, tally, app } = world;
  const query = channel.url.replace(/^[^?]*/, '');
  const owed = channel.owed.splice(0);
  const total = owed.reduce((sum, { lines }) => sum + lines.length, 0);
  const first = channel.lastNumber + 1;
  channel.lastNumber += total;
  const numbers = came.map(numberOf).sort((a, b) => a - b);
  expect(numbers, `numbers of ${channel.channelId}`).toEqual(Array.from({ length: total }, (_, i) => first + i));
  expectOrder(came);
  for (const { headers, target } of came) {
    expect(target).toBe(`/${channel.person.key}${query.replaceAll(' ', '%20')}`);
    const generation = String(headers['watchbell-generation']);
    const known = world.generations.get(channel.generation);
    if (known === undefined) {
      expect([...world.generations.values()]).not.toContain(generation);
      world.generations.set(channel.generation, generation);
    } else expect(generation).toBe(known);
    const key = `${channel.person.key} ${channel.channelId}`;
    if ((world.heard.get(key) ?? generation) !== generation) tally.renumbered += 1;
    world.heard.set(key, generation);
    const id = String(headers['webhook-id']);
    expect(world.ids).not.toContain(id);
    world.ids.add(id);
  }
  let next = first;
  for (const one of owed) {
    const bodies = one.lines.map((line) => model.bodyOf(channel, one, line, app.base, QUERIES[query] ?? {}));
    const texts = came.filter((each) => numberOf(each) >= next && numberOf(each) < next + one.lines.length);
    next += one.lines.length;
    // Those of one change have their numbers in no particular order; ids in one notification neither.
    expect(texts.map(({ body }) => settled(body as unknown as Values)).sort(byText)).toEqual(
      bodies.map(settled).sort(byText),
    );
    count(tally, one, model.now());
  }
}

function count(tally: Tally, owed: ModelChannel['owed'][number], now: number): void {
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const { operation, told } of owed.lines) {
    add(tally.versions, owed.version);
    add(tally.operations, operation);
    if (operation === 'update' && [...told.values()].every(({ fields }) => fields.length === 0)) tally.related += 1;
  }
  if (owed.at < now) tally.flowed += 1;
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** With the order of its keys as a value, and without the order of its ids. */
function settled(body: Values): Values {
  const sorted = (list: unknown) => (Array.isArray(list) ? [...list].sort(byText) : list);
  return {
    ...body,
    keys: Object.keys(body),
    ids: sorted(body.ids),
    affected_fields: sorted(body.affected_fields),
    affected_values: sorted(body.affected_values),
  };
}

/** Those about one record came in the order of their numbers. */
function expectOrder(came: readonly Received[]): void {
  const last = new Map<string, number>();
  for (const one of came) {
    for (const id of one.body.ids) {
      expect(numberOf(one), `order of ${id}`).toBeGreaterThan(last.get(id) ?? 0);
      last.set(id, numberOf(one));
    }
  }
}
