import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir, removeDir } from '../processes.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { type Sink, startSink } from '../sink.ts';
import { type Load, startLoad } from '../watchbell/load.ts';
import { addContacts, openChannels } from '../watchbell/records.ts';
import { contactIds, seedChanges, seedContacts } from '../watchbell/seed.ts';
import { type Credentials, setUp, startWatchbell } from '../watchbell/server.ts';
import { cpuEach, inTurns } from '../watchbell/turns.ts';

const CONTACTS = 10_000;
const CALLERS = 32;
const TEXT_LENGTH = 250;
const WARM_CALLS = 8000;
const CALLS = 12_000;
/** Of this size and below, a store is measured as it was made: what the rounds write would count. */
const SMALL = 10_000;

interface Store {
  readonly dir: string;
  readonly credentials: Credentials;
  /** Edited in turns; spread over all there are. */
  readonly ids: readonly string[];
  readonly isSmall: boolean;
}

export const growth: Scenario = {
  name: 'growth',
  about:
    'what a notification costs with 10⁴, 10⁶ and 10⁷ of them stored, each of a change of its own, and with 10⁶ records: one record a call over HTTP',
  minutes: 5,
  compared: { figure: 'cpu_us_per_notification', to: 'stored-10k' },
  async run(ask: Ask): Promise<Measured> {
    const dir = makeDir('growth');
    const sink = await startSink();
    const load = startLoad();
    try {
      const made = async (
        name: string,
        stored: number,
        contacts = CONTACTS,
      ): Promise<[string, () => Promise<Figures>]> => {
        ask.log(`putting ${stored} notifications and ${contacts} contacts into a store`);
        const store = await seeded(join(dir, name), sink, stored, contacts);
        return [name, () => measure(store, join(dir, 'copy'), sink, load)];
      };
      const sides = [await made('stored-10k', 10_000)];
      if (ask.isQuick) sides.push(await made('stored-100k', 100_000));
      else {
        sides.push(await made('stored-1m', 1_000_000), await made('stored-10m', 10_000_000));
        sides.push(await made('records-1m', 10_000, 1_000_000));
      }
      return await inTurns(ask, Object.fromEntries(sides));
    } finally {
      await load.close();
      await sink.close();
      removeDir(dir);
    }
  },
};

async function seeded(dir: string, sink: Sink, stored: number, contacts: number): Promise<Store> {
  const credentials = setUp({ dir });
  const server = await startWatchbell({ dir });
  try {
    const { call } = await server.signIn(credentials);
    await addContacts(call, CONTACTS);
    await openChannels(call, [`${sink.origins[0]}/ok`]);
  } finally {
    await server.stop();
  }
  seedContacts(dir, contacts);
  seedChanges(dir, stored, false);
  const ids = contactIds(dir);
  const step = ids.length / CONTACTS;
  return { dir, credentials, ids: ids.filter((_, i) => i % step === 0), isSmall: stored <= SMALL };
}

async function measure(store: Store, copy: string, sink: Sink, load: Load): Promise<Figures> {
  if (store.isSmall) cpSync(store.dir, copy, { recursive: true });
  const server = await startWatchbell({ dir: store.isSmall ? copy : store.dir });
  try {
    const { accessToken } = await server.signIn(store.credentials);
    const { ids } = store;
    const text = { perCall: 1, textLength: TEXT_LENGTH };
    const order = { ports: [server.port], accessToken, module: 'Contacts', ids, callers: CALLERS, ...text };
    await sink.reset();
    await load.run({ ...order, calls: WARM_CALLS });
    await sink.has(WARM_CALLS);
    await sink.reset();
    let firstAt = 0;
    let arrived = { lastAt: 0, duplicates: 0 };
    const cpu = await cpuEach([server.pid], CALLS, async () => {
      ({ firstAt } = await load.run({ ...order, calls: CALLS }));
      arrived = await sink.has(CALLS);
    });
    return {
      cpu_us_per_notification: cpu,
      notifications_per_second: (CALLS * 1e6) / (arrived.lastAt - firstAt),
      ready_s: server.readyMs / 1000,
      duplicates: arrived.duplicates,
    };
  } finally {
    await server.stop();
    removeDir(copy);
  }
}
