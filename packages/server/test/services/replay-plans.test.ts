import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Channel } from '../../src/domain/channel.ts';
import type { Generation, JobId, OrgId } from '../../src/domain/ids.ts';
import { createJobs } from '../../src/services/jobs.ts';
import type { Writer } from '../../src/services/writer.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const CHANNEL = { generation: 'g' as Generation, lastNumber: 9 } as Channel;

test('of an organisation two plans are counted at a time, and no other organisation waits for them', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-plans-'));
  const store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32), logger: silent });
  onTestFinished(async () => {
    await store.close();
    await removeData(dataDir);
  });
  const counting = new Map<OrgId, number>();
  const most = new Map<OrgId, number>();
  const release: (() => void)[] = [];
  const jobs = createJobs({
    writer: {} as Writer,
    store: {
      ...store.jobs,
      async counts(org, ...range) {
        counting.set(org, (counting.get(org) ?? 0) + 1);
        most.set(org, Math.max(most.get(org) ?? 0, counting.get(org) ?? 0));
        if (org === '1') await new Promise<void>((go) => release.push(go));
        counting.set(org, (counting.get(org) ?? 0) - 1);
        return store.jobs.counts(org, ...range);
      },
    },
    channels: { findChannel: async () => ({ channel: CHANNEL }) as never },
    clock: createManualClock(),
    randomId: () => 'job_1' as JobId,
    onChanged: () => {},
  });
  const plan = (org: string) => jobs.plan(org as OrgId, CHANNEL.generation, { which: 'all', rate: 1 });
  const mine = Array.from({ length: 5 }, () => plan('1'));
  expect(await plan('2')).toMatchObject({ from: 1, to: 9, total: 0 });
  for (let counted = 0; counted < 5; counted += 1) {
    await expect.poll(() => release.length).toBeGreaterThan(0);
    release.shift()?.();
  }
  await Promise.all(mine);
  expect(Object.fromEntries(most)).toEqual({ '1': 2, '2': 1 });
});
