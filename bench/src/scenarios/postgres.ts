import { measureRates, type RateSetup } from '../rates.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { outbox } from '../systems/outbox.ts';
import { watchbellPostgres } from '../systems/watchbell.ts';

const CHANNELS = 100;
const SHAPES: Readonly<Record<string, RateSetup['shape']>> = {
  'one-channel': ({ origins }) => ({ urls: [`${origins[0]}/ok`], to: 'each' }),
  'fan-out': ({ origins }) => ({
    urls: Array.from({ length: CHANNELS }, (_, i) => `${origins[0]}/ok/${i}`),
    to: 'each',
  }),
};

export const postgres: Scenario = {
  name: 'postgres',
  about:
    'Watchbell on PostgreSQL, one node, and the hand-made outbox: one channel, and a hundred that are owed each event',
  minutes: 4,
  async run(ask: Ask): Promise<Measured> {
    const rounds: Record<string, readonly Figures[]> = {};
    for (const [name, shape] of Object.entries(SHAPES)) {
      const measured = await measureRates(ask, { shape, systems: [watchbellPostgres, outbox] });
      for (const [system, figures] of Object.entries(measured.rounds)) rounds[`${name}/${system}`] = figures;
    }
    return { rounds };
  },
};
