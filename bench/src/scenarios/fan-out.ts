import { measureRates } from '../rates.ts';
import type { Scenario } from '../scenario.ts';
import { bullmqEverysec } from '../systems/bullmq.ts';
import { graphileWorker } from '../systems/graphile-worker.ts';
import { outbox, outboxSingly } from '../systems/outbox.ts';
import { pgBoss } from '../systems/pg-boss.ts';
import { raw } from '../systems/raw.ts';
import { watchbell, watchbellPostgres } from '../systems/watchbell.ts';

const CHANNELS = 100;

export const fanOut: Scenario = {
  name: 'fan-out',
  about: 'events that each of 100 channels takes',
  minutes: 6,
  compared: { figure: 'notifications_per_second', to: 'watchbell' },
  run: (ask) =>
    measureRates(ask, {
      shape: ({ origins }) => ({
        urls: Array.from({ length: CHANNELS }, (_, i) => `${origins[0]}/ok/${i}`),
        to: 'each',
      }),
      systems: [raw, watchbell, watchbellPostgres, bullmqEverysec, outbox, outboxSingly, graphileWorker, pgBoss],
    }),
};
