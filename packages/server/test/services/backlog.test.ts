import { expect, test } from 'vitest';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { measureBacklog } from '../../src/services/backlog.ts';
import type { Owed } from '../../src/storage/store.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createManualClock } from '../support/manual-clock.ts';

const channel = (id: string) => ({ org: '3652397' as OrgId, generation: id as Generation });

function open(count: () => Promise<readonly Owed[]>) {
  const clock = createManualClock();
  const metrics = createMetrics();
  const warnings: string[] = [];
  const quiet = () => {};
  const logger = {
    debug: quiet,
    info: quiet,
    warn: (_: object, message: string) => void warnings.push(message),
    error: quiet,
  };
  let counts = 0;
  const store = {
    owed: async () => {
      counts += 1;
      return count();
    },
  };
  measureBacklog({ store, owing: () => [channel('1'), channel('2')], clock, metrics, logger });
  const scrape = async () => {
    const text = await metrics.text();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    return { owed: value('watchbell_notifications_owed'), seconds: value('watchbell_oldest_owed_seconds') };
  };
  return { clock, scrape, warnings, counts: () => counts };
}

test('a scrape says what is owed by all channels, and how old the oldest is by the clock', async () => {
  const { clock, scrape } = open(async () => [
    { count: 3, oldestAt: clock.now() - 5000 },
    { count: 4, oldestAt: clock.now() - 90_000 },
  ]);
  expect(await scrape()).toEqual({ owed: 7, seconds: 90 });
  clock.advance(10_000);
  expect(await scrape()).toEqual({ owed: 7, seconds: 100 });
});

test('scrapes that come close together share one count', async () => {
  const { scrape, counts } = open(async () => [{ count: 1 }]);
  await Promise.all([scrape(), scrape()]);
  expect(await scrape()).toEqual({ owed: 1, seconds: 0 });
  expect(counts()).toBe(1);
});

test('a count that takes long or fails keeps no scrape from being answered', async () => {
  const slow = open(() => new Promise(() => {}));
  expect(await slow.scrape()).toEqual({ owed: 0, seconds: 0 });
  const broken = open(() => Promise.reject(new Error('no')));
  expect(await broken.scrape()).toEqual({ owed: 0, seconds: 0 });
  expect(broken.warnings).toEqual(['what is owed cannot be counted']);
});
