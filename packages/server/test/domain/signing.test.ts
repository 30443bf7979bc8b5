import { expect, test } from 'vitest';
import type { Signing } from '../../src/domain/channel.ts';
import { changedSecret, liveSecrets, signChannel, signOrg } from '../../src/domain/signing.ts';
import { DEFAULT_CHANNEL_POLICY, decideWatch } from '../../src/domain/watch.ts';
import { aChannel, channelSet, HOUR, NOW, USER } from '../support/channel-set.ts';

const [FIRST, SECOND, THIRD] = ['whsec_1', 'whsec_2', 'whsec_3'];
const first: Signing = { secret: FIRST, since: 10 };
const second: Signing = { secret: SECOND, since: 20, former: { secret: FIRST, until: 120 } };

test.each<[string, Signing | undefined, string, number, number, Signing]>([
  ['the first', undefined, FIRST, 100, 10, first],
  ['the next, with the one before for a while', first, SECOND, 100, 20, second],
  ['the next at once', first, SECOND, 0, 20, { secret: SECOND, since: 20 }],
  [
    'a third ends the first early',
    second,
    THIRD,
    100,
    30,
    { secret: THIRD, since: 30, former: { secret: SECOND, until: 130 } },
  ],
  ['a third at once ends both', second, THIRD, 0, 30, { secret: THIRD, since: 30 }],
])('a new secret: %s', (_, known, secret, keepMs, realNow, expected) => {
  expect(changedSecret(known, { secret, keepMs, realNow })).toEqual(expected);
});

test.each<[Signing, number, string[]]>([
  [first, 1e15, [FIRST]],
  [second, 20, [SECOND, FIRST]],
  [second, 119, [SECOND, FIRST]],
  [second, 120, [SECOND]],
  [second, 1e15, [SECOND]],
])('%j signs at %i with %j', (signing, now, secrets) => {
  expect(liveSecrets(signing, now)).toEqual(secrets);
});

test.each([
  ['live', {}],
  ['lapsed', { expiresAt: NOW - HOUR, lapsedFrom: 12 }],
  ['suspended', { suspension: { at: 1, why: 'gone' as const } }],
])('a %s channel is signed, and no more, and stays as it is beside that', (_, state) => {
  const channel = aChannel(state);
  const set = channelSet([channel]);
  const isLive = set.index.byKey.size;
  const signed = signChannel(set, channel, second);
  expect(signed).toEqual({ ...channel, signing: second });
  expect(set.writes.channels.get(channel.generation)).toEqual(signed);
  expect(signChannel(set, signed, undefined)).toEqual(channel);
  expect(set.writes.channels.get(channel.generation)).toEqual(channel);
  expect(set.writes.revisions.map(({ kind }) => kind)).toEqual(['signing', 'signing']);
  expect(JSON.stringify(set.writes.revisions)).not.toContain('whsec_');
  expect(set.writes.lapses).toEqual([]);
  expect(set.writes.forgiven.size).toBe(0);
  expect(set.index.byKey.size).toBe(isLive);
});

test.each(['open', 'replace', 'merge'] as const)('a channel keeps its secret when its owner has it %s', (kind) => {
  const channel = aChannel({ signing: second });
  const set = channelSet([channel]);
  const settings = { notifyUrl: 'https://example.com/other' };
  const caller = { userId: USER, version: 'v8' as const };
  decideWatch(set, caller, { kind, channelId: channel.channelId, settings }, DEFAULT_CHANNEL_POLICY);
  expect(set.writes.channels.get(channel.generation)).toMatchObject({ ...settings, signing: second });
});

test('a batch sees what it has made an organisation sign with, and saves the last of it', () => {
  const set = channelSet();
  signOrg(set, first);
  expect(set).toMatchObject({ orgSigning: first, writes: { orgSigning: first } });
  signOrg(set, undefined);
  expect(set.orgSigning).toBeUndefined();
  expect(set.writes.orgSigning).toBe('none');
});
