import { measureRates } from '../rates.ts';
import type { Scenario } from '../scenario.ts';
import { raw } from '../systems/raw.ts';
import { watchbell } from '../systems/watchbell.ts';

const ORIGINS = 1000;

export const thousandOrigins: Scenario = {
  name: 'thousand-origins',
  about: 'events that each of 1,000 channels takes, each at an address of its own; raw has a pool for each',
  minutes: 2,
  compared: { figure: 'notifications_per_second', to: 'watchbell' },
  run: (ask) =>
    measureRates(ask, {
      origins: ORIGINS,
      shape: ({ origins }) => ({ urls: origins.map((origin) => `${origin}/ok`), to: 'each' }),
      systems: [raw, watchbell],
    }),
};
