import { measureRates } from '../rates.ts';
import type { Scenario } from '../scenario.ts';
import { bullmqAlways, bullmqEverysec } from '../systems/bullmq.ts';
import { graphileWorker } from '../systems/graphile-worker.ts';
import { outbox, outboxSingly } from '../systems/outbox.ts';
import { pgBoss } from '../systems/pg-boss.ts';
import { raw, rawDispatch } from '../systems/raw.ts';
import { watchbell, watchbellPostgres } from '../systems/watchbell.ts';

export const oneChannel: Scenario = {
  name: 'one-channel',
  about: 'events that one channel takes, handed in as fast as they are taken, to the last arrival',
  minutes: 8,
  compared: { figure: 'notifications_per_second', to: 'watchbell' },
  run: (ask) =>
    measureRates(ask, {
      shape: ({ origins }) => ({ urls: [`${origins[0]}/ok`], to: 'each' }),
      systems: [
        raw,
        rawDispatch,
        watchbell,
        watchbellPostgres,
        bullmqEverysec,
        bullmqAlways,
        outbox,
        outboxSingly,
        graphileWorker,
        pgBoss,
      ],
    }),
};
