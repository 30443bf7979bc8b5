import { expect, test } from 'vitest';
import type { Signing } from '../../src/domain/channel.ts';
import { changedSecret, liveSecrets } from '../../src/domain/signing.ts';

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
