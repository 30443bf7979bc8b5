import { describe, expect, it, test } from 'vitest';
import type { Channel } from '../../src/domain/channel.ts';
import type { RecordId } from '../../src/domain/ids.ts';
import { identityOf, type StoreEpoch, withRestart } from '../../src/domain/restart.ts';
import { endChannel, loadedChannel, saveChannel } from '../../src/domain/working-channels.ts';
import { addChange, type WorkingSet } from '../../src/domain/working-set.ts';
import { aChannel, channelId, channelSet, USER } from '../support/channel-set.ts';

const RESTORED: StoreEpoch = { number: 2, label: 'b0a7' };

/** A batch over a channel of `g1` that has given three numbers, in a store of that epoch. */
const batch = (epoch: StoreEpoch, channel: Partial<Channel> = {}): WorkingSet => ({
  ...channelSet([aChannel(channel)]),
  epoch,
});

function change(set: WorkingSet): void {
  addChange(set, 'Contacts', 'update', USER, [{ id: '1' as RecordId, fields: [], values: {}, related: [] }]);
}

const known = (set: WorkingSet): Channel => {
  const channel = loadedChannel(set, USER, channelId('1'));
  if (!channel) throw new Error('no channel');
  return channel;
};

test.each([
  [[], 1, 'g1', 1],
  [[], 7, 'g1', 7],
  [[{ from: 4, generation: 'g1-a' }], 3, 'g1', 3],
  [[{ from: 4, generation: 'g1-a' }], 4, 'g1-a', 1],
  [[{ from: 4, generation: 'g1-a' }], 9, 'g1-a', 6],
  [[{ from: 1, generation: 'g1-a' }], 1, 'g1-a', 1],
  [
    [
      { from: 4, generation: 'g1-a' },
      { from: 6, generation: 'g1-b' },
    ],
    5,
    'g1-a',
    2,
  ],
  [
    [
      { from: 4, generation: 'g1-a' },
      { from: 6, generation: 'g1-b' },
    ],
    6,
    'g1-b',
    1,
  ],
])('with the restarts %j receivers know number %d as %s %d', (restarts, number, generation, shown) => {
  expect(identityOf(aChannel({ restarts }), number)).toEqual({ generation, number: shown });
});

describe('after a restore', () => {
  const restart = { from: 4, generation: 'g1-b0a7' };

  it('a channel begins anew at its next number, once', () => {
    const set = batch(RESTORED);
    change(set);
    change(set);
    expect(set.writes.restarts).toEqual(new Map([['g1', { epoch: 2, restart }]]));
    expect(set.writes.notifications.map(({ number }) => number)).toEqual([4, 5]);
    expect(known(set)).toMatchObject({ epoch: 2, restarts: [restart] });
  });

  it('one that has begun anew goes on', () => {
    const set = batch(RESTORED, { epoch: 2, restarts: [restart], lastNumber: 5 });
    change(set);
    expect(set.writes.restarts.size).toBe(0);
    expect(known(set).restarts).toEqual([restart]);
  });

  it('a store that was never restored leaves numbers as they are', () => {
    const set = batch({ number: 0, label: '' });
    change(set);
    expect(set.writes.restarts.size).toBe(0);
  });

  it('a channel opened since is told from one that the original opened after the backup', () => {
    const set = batch(RESTORED, { lastNumber: 0 });
    change(set);
    expect(set.writes.restarts.get(aChannel().generation)?.restart).toEqual({ from: 1, generation: 'g1-b0a7' });
  });

  it.each([
    ['before', (set: WorkingSet) => [() => save(set), () => change(set)]],
    ['after', (set: WorkingSet) => [() => change(set), () => save(set)]],
  ])('a channel that is changed in the same batch %s its next number is saved with its restart', (_, steps) => {
    const set = batch(RESTORED);
    for (const step of steps(set)) step();
    expect(set.writes.restarts.size).toBe(0);
    expect(set.writes.channels.get(aChannel().generation)).toMatchObject({ epoch: 2, restarts: [restart] });
    change(set);
    expect(set.writes.channels.get(aChannel().generation)?.restarts).toEqual([restart]);
  });

  it('a channel that ends in the same batch keeps what its numbers were told by', () => {
    const set = batch(RESTORED);
    change(set);
    endChannel(set, known(set));
    expect(set.writes.restarts.size).toBe(0);
    expect(set.writes.channels.get(aChannel().generation)?.restarts).toEqual([restart]);
  });

  it('a restart is taken once, however often it is told', () => {
    const channel = withRestart(withRestart(aChannel(), restart), restart);
    expect(channel.restarts).toEqual([restart]);
  });
});

function save(set: WorkingSet): void {
  saveChannel(set, { ...known(set), token: 'new' }, 'merged');
}
