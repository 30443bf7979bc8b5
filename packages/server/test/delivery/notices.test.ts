import { mkdtempSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createGuard } from '../../src/delivery/guard.ts';
import { createNoticeSender } from '../../src/delivery/notices.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import { noticeId } from '../../src/domain/notice.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { addOrgs, ORG, openBatches, openChannel } from '../storage/suite/sample.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { ok, startReceiver } from '../support/receiver.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

test('what was kept back is sent also when all before it was answered during a read that found no more', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-notices-'));
  onTestFinished(() => removeData(dataDir));
  const store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32).fill(7), logger: silent });
  onTestFinished(() => store.close());
  await addOrgs(store, ORG);
  const responses: ServerResponse[] = [];
  const receiver = await startReceiver((_request, response) => responses.push(response));
  onTestFinished(() => receiver.close());
  const clock = createManualClock();
  const channels = await openBatches(store).run(ORG, {}, (set) =>
    ['1', '2', '3', '4', '5', '6'].map((id) => openChannel(set, id, { lifecycleUrl: receiver.origin })),
  );
  const at = clock.now();
  const notices = channels.map(({ generation }, i) => {
    const place = { version: i + 1, part: 0, at };
    const told = { kind: 'expiring', body: '{}', state: 'pending', attemptsMade: 0, dueAt: at } as const;
    return { ...place, ...told, id: noticeId(ORG, place), generation };
  });
  await store.notices.add(ORG, 6, notices);

  let reading = (): void => undefined;
  let goOn = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    reading = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let reads = 0;
  let saved = 0;
  const sender = createNoticeSender({
    store: {
      ...store.notices,
      async due(...asked) {
        const found = await store.notices.due(...asked);
        reads += 1;
        if (reads === 2) {
          reading();
          await gate;
        }
        return found;
      },
      async settle(settled) {
        await store.notices.settle(settled);
        saved += settled.length;
      },
    },
    clock,
    random: () => 0,
    policy: DEFAULT_POLICY,
    guard: createGuard({ allow: ['127.0.0.0/8'] }),
    version: '0',
    isMine: () => true,
    metrics: createMetrics(),
    logger: silent,
  });
  onTestFinished(() => sender.stop());

  sender.wake(ORG, at);
  // No more at once to one origin: two are kept back.
  await receiver.first(4);
  sender.wake(ORG, at);
  await begun;
  receiver.behave(ok);
  for (const response of responses) response.end();
  await expect.poll(() => saved).toBe(4);
  goOn();
  await receiver.first(6);
  await sender.idle();
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(
    new Set(notices.map(({ id }) => id)),
  );
});
