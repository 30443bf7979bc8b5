import { measureRates } from '../rates.ts';
import type { Scenario } from '../scenario.ts';
import { watchbell } from '../systems/watchbell.ts';
import { watchbellConditions, watchbellWithoutValues } from '../systems/watchbell-conditions.ts';

export const conditions: Scenario = {
  name: 'conditions',
  about: 'one channel that takes every event: with ten conditions looked at and values, with values, and without',
  minutes: 2,
  compared: { figure: 'notifications_per_second', to: 'watchbell' },
  run: (ask) =>
    measureRates(ask, {
      shape: ({ origins }) => ({ urls: [`${origins[0]}/ok`], to: 'each' }),
      systems: [watchbell, watchbellConditions, watchbellWithoutValues],
    }),
};
