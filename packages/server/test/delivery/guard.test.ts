import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { createGuard, ForbiddenAddress } from '../../src/delivery/guard.ts';

describe('without an allow-list', () => {
  const guard = createGuard([]);

  test.each([
    '93.184.216.34',
    '8.8.8.8',
    '1.0.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001:830::200e',
    '::ffff:8.8.8.8',
  ])('%s may be connected to', (address) => {
    expect(guard.isAllowed(address)).toBe(true);
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '127.255.255.254',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.250',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::a00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '2001:2::1',
    '2001:10::1',
    '3fff::1',
    '5f00::1',
    '100::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '4000::1',
    'not an address',
    '',
  ])('%j may not', (address) => {
    expect(guard.isAllowed(address)).toBe(false);
  });

  test.each(['127.0.0.1', '[::1]', '::1', '[::ffff:127.0.0.1]', '10.1.2.3', '[fe80::1]'])(
    'the host %s, an address itself, is refused before a socket is opened',
    (host) => {
      expect(guard.vetLiteral(host)).toBeInstanceOf(ForbiddenAddress);
    },
  );
});

test('what the allow-list names is allowed, as range, address or host, and nothing beside it', () => {
  const guard = createGuard(['127.0.0.0/8', '10.1.2.3', 'fd00::/8', 'Inside.Example']);
  expect(guard.isAllowed('127.3.2.1')).toBe(true);
  expect(guard.isAllowed('::ffff:127.0.0.1')).toBe(true);
  expect(guard.isAllowed('10.1.2.3')).toBe(true);
  expect(guard.isAllowed('10.1.2.4')).toBe(false);
  expect(guard.isAllowed('fd00::5')).toBe(true);
  expect(guard.isAllowed('::1')).toBe(false);
  expect(guard.vetLiteral('127.0.0.1')).toBeUndefined();
  expect(guard.vetLiteral('[fd00::5]')).toBeUndefined();
});

describe('a look-up', () => {
  const answers: Record<string, LookupAddress[]> = {
    'mixed.example': [
      { address: '10.0.0.1', family: 4 },
      { address: '93.184.216.34', family: 4 },
      { address: '::1', family: 6 },
    ],
    'inside.example': [{ address: '192.168.0.9', family: 4 }],
  };
  const guard = (allow: readonly string[]) => createGuard(allow, (host, done) => done(null, answers[host] ?? []));
  const find = (allow: readonly string[], host: string, all: boolean) =>
    new Promise((resolve, reject) =>
      guard(allow).lookup(host, { all }, (error, address) => (error ? reject(error) : resolve(address))),
    );

  test('answers only the allowed addresses', async () => {
    expect(await find([], 'mixed.example', true)).toEqual([{ address: '93.184.216.34', family: 4 }]);
    expect(await find([], 'mixed.example', false)).toBe('93.184.216.34');
  });

  test('fails when none is allowed, naming the address', async () => {
    await expect(find([], 'inside.example', true)).rejects.toMatchObject({ address: '192.168.0.9' });
    await expect(find([], 'nowhere.example', true)).rejects.toBeInstanceOf(ForbiddenAddress);
  });

  test('trusts a host that the allow-list names, and no other', async () => {
    expect(await find(['INSIDE.example'], 'inside.example', false)).toBe('192.168.0.9');
    await expect(find(['example'], 'inside.example', false)).rejects.toBeInstanceOf(ForbiddenAddress);
  });
});
