import { expect } from 'vitest';
import type { Entry, ModelChannel } from './channels.ts';
import { PEOPLE, type PersonKey, type Step, type WatchEntry } from './commands.ts';
import { HOUR, VERSIONS, type Version } from './facts.ts';
import { settle } from './received.ts';
import { change } from './record-steps.ts';
import { METHODS, wireEntry } from './wire.ts';
import { begin, call, type Means, successes, type World } from './world.ts';

/** Longest that anything is left owed to a live channel whose receiver fails: far from its last attempt. */
const PATIENCE = 12 * HOUR;
/** More than the longest wait for a retry that such a notification can have. */
const RETAKEN_LIFE = 23 * HOUR;

/** A server of its own, all that happens to it, and what came of it held against the model, step by step. */
export async function runStory(steps: readonly Step[], means: Means): Promise<void> {
  const world = await begin(means);
  try {
    for (const step of steps) await take(world, step);
    await end(world);
  } finally {
    await world.app.stop();
  }
}

/** Changes follow each other without waiting for what they owe; whatever else happens waits for it. */
async function take(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'watch':
      await settle(world);
      return watch(
        world,
        step.by,
        step.version,
        step.entries.map((entry) => spelled(world, step.by, entry)),
      );
    case 'unwatch': {
      await settle(world);
      const { body } = await call(
        world,
        step.by,
        'DELETE',
        `${step.version}/actions/watch?channel_ids=${step.channelId}`,
      );
      const expected = world.model.channels.unwatch(world.people[step.by], step.channelId);
      expect(successes(body, 'watch')[0]).toBe(expected);
      return;
    }
    case 'move':
      await settle(world);
      return moveTo(world, world.model.now() + step.ms);
    case 'brink': {
      await settle(world);
      const live = world.model.channels.all().filter(world.model.channels.isLive);
      const next = Math.min(...live.map(({ expiresAt }) => expiresAt + step.offset));
      return Number.isFinite(next) && next > world.model.now() ? moveTo(world, next) : undefined;
    }
    case 'restart':
      await settle(world);
      world.app = await world.app.restart();
      return settle(world);
    default:
      return change(world, step);
  }
}

/** Whoever takes up what is owed lets it flow: by a receiver that works, and with time for the retry that was due. */
function spelled(world: World, by: PersonKey, entry: WatchEntry): Entry {
  const { good, broken, model } = world;
  const { url, life, ...rest } = entry;
  const isRetaken = entry.kind === 'open' && holds(world, by, entry.channelId);
  const ms = isRetaken ? RETAKEN_LIFE : life;
  return {
    ...rest,
    ...(url && { url: `${(url.isBroken && !isRetaken ? broken : good).origin}/${by}${url.query}` }),
    ...(ms !== undefined && { expiry: ms === null ? null : Math.floor((model.now() + ms) / 1000) * 1000 }),
  };
}

function holds({ model, people }: World, by: PersonKey, channelId: string): boolean {
  const known = model.channels.find(people[by], channelId);
  return known !== undefined && !model.channels.isLive(known) && known.owed.length > 0;
}

async function watch(world: World, by: PersonKey, version: Version, entries: readonly Entry[]): Promise<void> {
  const { model, people } = world;
  const [{ kind } = { kind: 'open' as const }] = entries;
  const isRetaken = kind === 'open' && entries.some(({ channelId }) => holds(world, by, channelId));
  if (isRetaken) for (const channel of model.channels.all()) if (isWaiting(world, channel)) await mend(world, channel);
  const { body } = await call(world, by, METHODS[kind], `${version}/actions/watch`, { watch: entries.map(wireEntry) });
  const expected = entries.map((entry) => model.channels.watch(people[by], version, entry));
  expect(successes(body, 'watch'), JSON.stringify(body)).toEqual(expected);
  for (const [i, { channelId }] of entries.entries()) {
    const items = (body as { watch: { details: { events?: { channel_expiry?: string }[] } }[] }).watch[i]?.details
      .events;
    const expiry = items?.[0]?.channel_expiry;
    if (kind === 'prune' || expiry === undefined) continue;
    expect(new Date(expiry).getTime()).toBe(model.channels.find(people[by], channelId)?.expiresAt);
  }
  await settle(world, isRetaken);
}

/** Live channels that have owed something for long are given a receiver that works before time moves on. */
async function moveTo(world: World, time: number): Promise<void> {
  const { model } = world;
  for (const channel of model.channels.all()) {
    const { at = time } = channel.owed[0] ?? {};
    if (isWaiting(world, channel) && Math.min(time, channel.expiresAt) - at > PATIENCE) await mend(world, channel);
  }
  model.moveTo(time);
  world.app.clock.set(time);
  await settle(world);
}

/** It is live, and owes what its receiver does not take. */
const isWaiting = ({ model }: World, channel: ModelChannel): boolean =>
  model.channels.isLive(channel) && channel.owed.length > 0;

async function mend(world: World, { person, channelId }: ModelChannel): Promise<void> {
  const by = person.key as PersonKey;
  await watch(world, by, 'v8', [{ kind: 'merge', channelId, url: `${world.good.origin}/${by}` }]);
}

/**
 * One channel expires with something owed. Then everybody opens all channels again, so what was held flows, and new
 * changes have the next numbers; one user deletes theirs first, whose numbers begin anew. And one of each version is
 * opened, with what the version does by default.
 */
async function end(world: World): Promise<void> {
  const { model, good, broken } = world;
  const open = (by: PersonKey, channelId: string, version: Version, origin = good.origin, life = RETAKEN_LIFE) => {
    const expiry = Math.floor((model.now() + life) / 1000) * 1000;
    const events = ['Leads.all', 'Accounts.all'];
    const entry = { kind: 'open' as const, channelId, url: `${origin}/${by}`, events, expiry, values: true };
    return watch(world, by, version, [entry]);
  };
  const changeMuch = async (by: PersonKey) => {
    await take(world, { do: 'insert', by, module: 'Leads', items: [{ Last_Name: 'Last', Company: 'C' }] });
    const account = { Account_Name: 'Last', Parent_Account: { ref: 0 } };
    await take(world, { do: 'insert', by, module: 'Accounts', items: [account] });
  };
  await settle(world);
  await open('owner', '99', 'v4', broken.origin, HOUR);
  await changeMuch('owner');
  await settle(world);
  await moveTo(world, model.now() + HOUR);
  for (const { person, channelId } of model.channels.all()) {
    const by = person.key as PersonKey;
    if (by === 'colleague') await take(world, { do: 'unwatch', by, version: 'v8', channelId });
    await open(by, channelId, 'v8');
  }
  for (const [i, version] of VERSIONS.entries()) await open('owner', String(100 + i), version);
  await changeMuch('owner');
  await changeMuch('stranger');
  await settle(world);
  for (const by of PEOPLE) {
    const { body } = await call(world, by, 'GET', 'v8/actions/watch');
    const listed = ((body as { watch?: { channel_id: string }[] } | undefined)?.watch ?? []).map(
      (row) => row.channel_id,
    );
    const live = world.model.channels.all().filter((one) => one.person.key === by && world.model.channels.isLive(one));
    expect([...new Set(listed)].sort()).toEqual(live.map(({ channelId }) => channelId).sort());
  }
}
