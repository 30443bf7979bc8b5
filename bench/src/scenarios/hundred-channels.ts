import { measureRates } from '../rates.ts';
import type { Scenario } from '../scenario.ts';
import { bullmqEverysec } from '../systems/bullmq.ts';
import { outbox } from '../systems/outbox.ts';
import { raw } from '../systems/raw.ts';
import { watchbell } from '../systems/watchbell.ts';

const CHANNELS = 100;

export const hundredChannels: Scenario = {
  name: 'hundred-channels',
  about: 'events that one of 100 channels takes, in turns; in Watchbell each channel watches a module of its own',
  minutes: 3,
  compared: { figure: 'notifications_per_second', to: 'watchbell' },
  run: (ask) =>
    measureRates(ask, {
      shape: ({ origins }) => ({
        urls: Array.from({ length: CHANNELS }, (_, i) => `${origins[0]}/ok/${i}`),
        to: 'one',
      }),
      systems: [raw, watchbell, bullmqEverysec, outbox],
    }),
};
