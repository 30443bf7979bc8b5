import { measureRates } from '../rates.ts';
import type { Scenario } from '../scenario.ts';
import { createWatchbell } from '../systems/watchbell.ts';

/** Enough for each node to have its part of them. */
const CHANNELS = 100;
const SYSTEMS = ['one-node', 'two-nodes', 'three-nodes'].map((name, i) =>
  createWatchbell({ name, engine: 'postgres', nodes: i + 1 }),
);

export const nodes: Scenario = {
  name: 'nodes',
  about:
    'one organisation on one PostgreSQL with one, two and three nodes, to which its callers are dealt: a hundred channels, each event owed to one',
  minutes: 4,
  compared: { figure: 'notifications_per_second', to: 'one-node' },
  run: (ask) =>
    measureRates(ask, {
      shape: ({ origins }) => ({
        urls: Array.from({ length: CHANNELS }, (_, i) => `${origins[0]}/ok/${i}`),
        to: 'one',
      }),
      systems: SYSTEMS,
    }),
};
