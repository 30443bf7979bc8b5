import { expect, onTestFinished, test } from 'vitest';
import { watchDatabase } from '../../src/services/database-health.ts';
import type { OldestSnapshot } from '../../src/storage/store.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const counts = { open: 3, busy: 1, waiting: 2 };

async function watch(told: (OldestSnapshot | Error | undefined)[]) {
  const metrics = createMetrics();
  const lines: [level: string, fields: object, text: string][] = [];
  const log = (level: string) => (fields: object, text: string) => void lines.push([level, fields, text]);
  const watching = watchDatabase({
    database: {
      connections: () => ({ writing: counts, reading: { open: 1, busy: 1, waiting: 0 } }),
      async oldestSnapshot() {
        const next = told.shift();
        if (next instanceof Error) throw next;
        return next;
      },
    },
    metrics,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  });
  onTestFinished(() => watching.stop());
  await watching.look();
  return { metrics, lines, watching };
}

test('an old snapshot is warned of once for a while, shown, and told when it is gone', async () => {
  const old = { holder: 'transaction 7', ageMs: 300_000 };
  // The first is the start's own.
  const { metrics, lines, watching } = await watch([old, { ...old, ageMs: 330_000 }, { ...old, ageMs: 299_999 }]);
  expect(lines.map(([level, fields]) => [level, fields])).toEqual([
    ['warn', { holder: 'transaction 7', seconds: 300 }],
  ]);
  expect(await metrics.text()).toContain('watchbell_database_oldest_snapshot_seconds 330\n');
  await watching.look();
  expect(lines.at(-1)?.[0]).toBe('info');
  expect(await metrics.text()).toContain('watchbell_database_oldest_snapshot_seconds 299.999\n');
});

test('connections are shown by pool and state, and those who wait for one', async () => {
  const { metrics } = await watch([]);
  const text = await metrics.text();
  expect(text).toContain('watchbell_database_connections{pool="writing",state="busy"} 1\n');
  expect(text).toContain('watchbell_database_connections{pool="writing",state="idle"} 2\n');
  expect(text).toContain('watchbell_database_waiting{pool="writing"} 2\n');
  expect(text).toContain('watchbell_database_waiting{pool="reading"} 0\n');
});

test('a database that does not say is warned of once, until it says again', async () => {
  const { lines, watching } = await watch([new Error('a'), new Error('b'), undefined, new Error('c')]);
  await watching.look();
  await watching.look();
  expect(lines.map(([level]) => level)).toEqual(['warn', 'warn']);
});
