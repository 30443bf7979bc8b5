import { expect, test } from 'vitest';
import { type Channel, type ChannelState, channelState } from '../../src/domain/channel.ts';
import { type Circuit, CLOSED, landed, probeDue, started } from '../../src/domain/circuit.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import { decideSuspension, resumeChannel, suspendChannel } from '../../src/domain/suspension.ts';
import { DEFAULT_CHANNEL_POLICY, decideWatch, type WatchRequest } from '../../src/domain/watch.ts';
import { expireDue } from '../../src/domain/working-channels.ts';
import type { WorkingSet } from '../../src/domain/working-set.ts';
import { aChannel, channelId, channelSet, DAY, HOUR, NOW, USER } from '../support/channel-set.ts';
import { cells, page, tableRows } from './page.ts';

const TEXT = page('architecture.md');
const ID = channelId('1');
const events = [{ module: 'Contacts', operation: 'update' }] as const;

const watch =
  (request: WatchRequest) =>
  (set: WorkingSet): void => {
    decideWatch(set, { userId: USER, version: 'v8' }, request, DEFAULT_CHANNEL_POLICY);
  };

/** What may be done to a channel, by anybody, other than to a whole user or client. */
const ACTS: readonly ((set: WorkingSet, channel: Channel) => void)[] = [
  watch({ kind: 'open', channelId: ID, settings: { notifyUrl: 'https://example.com/', events } }),
  watch({ kind: 'replace', channelId: ID, settings: { events } }),
  watch({ kind: 'merge', channelId: ID, settings: { token: 'new' } }),
  watch({ kind: 'prune', channelId: ID, events }),
  watch({ kind: 'delete', channelId: ID }),
  (set, channel) => decideSuspension(set, { channel, why: 'gone' }),
  (set, channel) => suspendChannel(set, channel, 'operator'),
  (set, channel) => resumeChannel(set, channel, 'backlog'),
  (set, channel) => resumeChannel(set, channel, 'skip'),
];

const suspension = { at: NOW - HOUR, why: 'failing' } as const;
const lapsed = (expiresAt: number) => aChannel({ expiresAt, lapsedFrom: 12 });
const CHANNELS = [
  aChannel(),
  aChannel({ suspension }),
  lapsed(NOW - HOUR),
  lapsed(NOW - 30 * DAY),
  aChannel({ expiresAt: NOW }),
  aChannel({ expiresAt: NOW, suspension }),
];

/** State before, state after and the kind of revision that says so, wherever an act changes the state. */
function transitions(): Set<string> {
  const seen = new Set<string>();
  const note = (from: ChannelState | '–', to: ChannelState, kind: string | undefined) => {
    if (from !== to) seen.add(`${from} ${to} \`${kind}\``);
  };
  for (const channel of CHANNELS) {
    const from = channelState(channel, channel.expiresAt === NOW ? NOW - 1 : NOW);
    for (const act of ACTS) {
      const set = channelSet([channel]);
      expireDue(set);
      if (set.writes.lapses.length > 0) {
        note(from, 'expired', set.writes.revisions[0]?.kind);
        continue;
      }
      act(set, channel);
      for (const after of set.writes.channels.values()) {
        const isSame = after.generation === channel.generation;
        const kinds = set.writes.revisions.filter((one) => one.channel.generation === after.generation);
        note(isSame ? from : '–', channelState(after, NOW), kinds.at(-1)?.kind);
      }
    }
  }
  return seen;
}

test('the table of the states of a channel is what its commands do', () => {
  const told = tableRows(TEXT, 'channel-states').map((row) => {
    const [from, , to, kind] = cells(row);
    return `${from} ${to} ${kind}`;
  });
  expect([...new Set(told)].sort()).toEqual([...transitions()].sort());
});

test('the table of the states of a circuit is what its rules do', () => {
  const policy = DEFAULT_POLICY.circuit;
  if (!policy) throw new Error('The default policy has circuits');
  const seen = new Set<string>();
  const walk = (circuit: Circuit, depth: number) => {
    const nexts = [
      landed(circuit, false, 'failed', NOW, policy),
      landed(started(circuit), true, 'failed', NOW, policy),
      landed(started(circuit), true, 'made', NOW, policy),
      probeDue(circuit),
    ];
    for (const next of nexts) {
      if (next.state !== circuit.state) seen.add(`${circuit.state} ${next.state}`);
      if (depth > 0 && next !== circuit) walk(next, depth - 1);
    }
  };
  let failing: Circuit = CLOSED;
  for (let i = 0; i < policy.minimum - 1; i += 1) failing = landed(failing, false, 'failed', NOW, policy);
  walk(failing, 8);
  const told = tableRows(TEXT, 'circuit-states').map((row) => {
    const [from, , to] = cells(row);
    return `${from} ${to}`;
  });
  expect([...seen].sort()).toEqual([...told].sort());
});
