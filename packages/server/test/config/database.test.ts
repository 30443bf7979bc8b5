import { expect, test } from 'vitest';
import { type ConfigError, loadConfig } from '../../src/config.ts';
import type { Flags } from '../../src/settings.ts';

const URL = 'postgres://ada:secret@a,b:5433/bell';
const load = (flags: Flags) =>
  loadConfig('production', { publicUrl: 'https://example.com', secretKey: '0'.repeat(64), ...flags }, {});

function problems(flags: Flags): readonly string[] {
  try {
    load(flags);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

test('without a database URL there is the embedded store', () => {
  expect(load({}).database).toBeUndefined();
});

test('a database URL alone says all that is needed', () => {
  expect(load({ databaseUrl: URL }).database).toEqual({
    url: URL,
    shown: 'a:5432,b:5433/bell',
    poolSizes: { writing: 6, reading: 4 },
    timeouts: { connect: 5000, statement: 30_000, lock: 10_000, idleInTransaction: 5000 },
    pooler: false,
    hints: true,
    leaseMs: 20_000,
  });
});

test('behind a pooler no node waits to be woken', () => {
  expect(load({ databaseUrl: URL, databasePooler: 'on' }).database).toMatchObject({ pooler: true, hints: false });
  expect(problems({ databaseUrl: URL, databasePooler: 'on', databaseHints: 'on' })).toEqual([
    expect.stringContaining(
      'WATCHBELL_DATABASE_HINTS (--database-hints) cannot be on with WATCHBELL_DATABASE_POOLER on',
    ),
  ]);
});

test('a lease under which attempts could not start all the time is refused with both settings', () => {
  expect(load({ databaseUrl: URL, leaseSeconds: '15' }).database?.leaseMs).toBe(15_000);
  expect(problems({ databaseUrl: URL, leaseSeconds: '14' })).toEqual([
    'WATCHBELL_LEASE_SECONDS (--lease-seconds) must be at least 15 with WATCHBELL_ATTEMPT_TIMEOUT (--attempt-timeout) 10, or no attempt could start',
  ]);
  expect(problems({ databaseUrl: URL, attemptTimeout: '60' })).toEqual([
    expect.stringContaining('must be at least 78 with WATCHBELL_ATTEMPT_TIMEOUT'),
  ]);
  expect(load({ databaseUrl: URL, attemptTimeout: '60', leaseSeconds: '78' }).database?.leaseMs).toBe(78_000);
  expect(load({ databaseUrl: URL, attemptTimeout: '2', leaseSeconds: '5' }).database?.leaseMs).toBe(5000);
});

test('without a database URL what only nodes on one have is refused, as it would do nothing', () => {
  const given: Flags = {
    databaseWriteConnections: '6',
    databaseReadConnections: '4',
    databaseConnectTimeout: '5',
    databaseStatementTimeout: '30',
    databaseLockTimeout: '10',
    databaseIdleTimeout: '5',
    databasePooler: 'off',
    databaseHints: 'off',
    leaseSeconds: '20',
  };
  expect(problems(given)).toHaveLength(Object.keys(given).length);
  expect(problems({ leaseSeconds: '20' })).toEqual([
    'WATCHBELL_LEASE_SECONDS (--lease-seconds) needs WATCHBELL_DATABASE_URL: the embedded store has nothing of the kind',
  ]);
});

test('a URL that cannot be used is refused without a word of its password', () => {
  expect(problems({ databaseUrl: 'postgres://ada:se cret@db:x/bell' })).toEqual([
    'WATCHBELL_DATABASE_URL (--database-url) names no host, or not as host or host:port, as number 1',
  ]);
});
