import { makeDir, removeDir } from '../processes.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { startSink } from '../sink.ts';
import { type Load, startLoad } from '../watchbell/load.ts';
import { addContacts, openChannels } from '../watchbell/records.ts';
import { setUp, startWatchbell } from '../watchbell/server.ts';
import { cpuEach, inTurns } from '../watchbell/turns.ts';

/** So many that none is edited again before its last notification was delivered. */
const RECORDS = 10_000;
/** Each waits for its answer before it calls again. */
const CALLERS = 32;
const TEXT_LENGTH = 250;
/** Before it is measured, by records in a call: the first calls of a process are slow. */
const WARM_CALLS = { 1: 10_000, 100: 300 };

export const httpWrites: Scenario = {
  name: 'http-writes',
  about:
    'records written over HTTP by 32 callers in a process of their own, 1 and 100 a call, to one channel, delivered',
  minutes: 2,
  async run(ask: Ask): Promise<Measured> {
    const load = startLoad();
    const calls = (most: number): number => (ask.isQuick ? most / 10 : most);
    try {
      return await inTurns(ask, {
        'one-a-call': () => measure(ask, load, 1, calls(20_000)),
        'hundred-a-call': () => measure(ask, load, 100, calls(2000)),
      });
    } finally {
      await load.close();
    }
  },
};

async function measure({ profileDir }: Ask, load: Load, perCall: 1 | 100, calls: number): Promise<Figures> {
  const dir = makeDir('http-writes');
  const sink = await startSink();
  const credentials = setUp({ dir });
  const nodeFlags = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const server = await startWatchbell({ dir, nodeFlags });
  try {
    const { call, accessToken } = await server.signIn(credentials);
    const ids = await addContacts(call, RECORDS);
    await openChannels(call, [`${sink.origins[0]}/ok`]);
    const order = { ports: [server.port], accessToken, module: 'Contacts', ids, perCall, callers: CALLERS };
    const warmCalls = WARM_CALLS[perCall];
    await load.run({ ...order, calls: warmCalls, textLength: TEXT_LENGTH });
    await sink.has(warmCalls);
    await sink.reset();
    let written = { firstAt: 0, lastAt: 0 };
    let arrived = { distinct: 0, duplicates: 0, lastAt: 0 };
    const cpu = await cpuEach([server.pid], calls * perCall, async () => {
      written = await load.run({ ...order, calls, textLength: TEXT_LENGTH });
      arrived = await sink.has(calls);
    });
    const perSecond = (count: number, until: number): number => (count * 1e6) / (until - written.firstAt);
    return {
      notifications_per_second: perSecond(calls, arrived.lastAt),
      records_per_second: perSecond(calls * perCall, arrived.lastAt),
      written_per_second: perSecond(calls * perCall, written.lastAt),
      cpu_us_per_record: cpu,
      duplicates: arrived.duplicates,
    };
  } finally {
    await server.stop();
    await sink.close();
    removeDir(dir);
  }
}
