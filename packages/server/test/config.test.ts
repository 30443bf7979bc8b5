import { describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { DEFAULT_POLICY } from '../src/domain/delivery-policy.ts';
import type { Flags } from '../src/settings.ts';

const PRODUCTION: Flags = { publicUrl: 'https://example.com', secretKey: '0'.repeat(64) };
const delivery = (flags: Flags, profile: 'dev' | 'production' = 'production') =>
  loadConfig(profile, profile === 'dev' ? flags : { ...PRODUCTION, ...flags }, {}).delivery;

describe('how notifications are sent', () => {
  test('is the default policy as long as nothing is set', () => {
    expect(delivery({})).toEqual(DEFAULT_POLICY);
  });

  test('has neither circuits nor suspension in the dev profile, unless they are asked for', () => {
    expect(delivery({}, 'dev')).toEqual({ ...DEFAULT_POLICY, circuit: undefined, suspension: undefined });
    expect(delivery({ circuits: 'on', suspendAfterHours: '24' }, 'dev')).toEqual(DEFAULT_POLICY);
  });

  test.each<[Flags, object]>([
    [{ retrySchedule: '0s, 1m,2h' }, { retrySchedule: [0, 60_000, 7_200_000] }],
    [{ attemptTimeout: '2' }, { deadline: 2000, connectTimeout: 2000 }],
    [{ attemptTimeout: '30' }, { deadline: 30_000, connectTimeout: 3000 }],
    [{ maxRetryAfter: '0' }, { maxRetryAfter: 0 }],
    [{ channelFlights: '1' }, { channelFlights: 1, firstFlights: 1 }],
    [
      { originFlights: '4', nodeFlights: '64' },
      { originFlights: 4, nodeFlights: 64 },
    ],
    [{ circuits: 'off' }, { circuit: undefined }],
    [{ suspendAfterHours: '0' }, { suspension: undefined }],
    [{ suspendAfterHours: '48' }, { suspension: { ...DEFAULT_POLICY.suspension, after: 172_800_000 } }],
  ])('follows %j', (flags, expected) => {
    expect(delivery(flags)).toMatchObject(expected);
  });

  test.each<[Flags, string]>([
    [{ retrySchedule: '5' }, 'WATCHBELL_RETRY_SCHEDULE (--retry-schedule) holds no wait of at most 24h'],
    [{ retrySchedule: '0s,25h' }, 'such as 30s, 5m or 2h: 25h'],
    [{ retrySchedule: ',' }, 'must have 1 to 50 waits'],
    [{ retrySchedule: Array(51).fill('1s').join() }, 'must have 1 to 50 waits'],
    [{ attemptTimeout: '0' }, 'WATCHBELL_ATTEMPT_TIMEOUT (--attempt-timeout) must be a whole number from 1 to 60'],
    [{ circuits: 'yes' }, 'WATCHBELL_CIRCUITS (--circuits) must be one of on, off'],
    [{ suspendAfterHours: '721' }, 'must be a whole number from 0 to 720'],
  ])('refuses %j', (flags, said) => {
    expect(() => delivery(flags)).toThrow(said);
  });
});
