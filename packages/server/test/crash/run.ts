import { gone, PLAN, well } from './channel-plan.ts';
import { factsOf } from './facts.ts';
import { cutOff } from './journal.ts';
import { placeOf } from './kills.ts';
import { startLoad } from './load.ts';
import { readStore } from './store-copy.ts';
import { type Verdict, verify } from './verify.ts';
import { createWorld, MAX_ATTEMPTS, pause, storeOf, type World } from './world.ts';

export interface CrashRun extends Verdict {
  readonly acknowledged: number;
  readonly unanswered: number;
  /** Of each kind, what they interrupted: all together. */
  readonly interrupted: Readonly<Record<string, Interrupted>>;
  /** How often the channel whose receiver was gone was suspended and taken up again. */
  readonly suspensions: number;
  readonly integrity: string;
}

/** What one kind of kill met, over all its kills. */
export interface Interrupted {
  readonly kills: number;
  /** Committed and no request of it made. */
  readonly unsent: number;
  readonly inAir: number;
  /** Answered by the receiver, and not in the store. */
  readonly unsettled: number;
}

/** Kills the server `kills` times under load, restarts it on its data, and holds what came against the change log. */
export async function crashRun(kills: number, say: (line: string) => void): Promise<CrashRun> {
  const world = await createWorld(PLAN.map(({ name }) => name));
  const { client, journal } = world;
  try {
    const load = startLoad(client, 12, 40);
    let suspensions = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await comeAndGo(world, kill);
      await placeOf(kill)(world);
      await world.restart();
      suspensions += await takeUpAgain(world, kill, kills);
      say(
        `kill ${kill + 1} of ${kills} (${journal.kills.at(-1)?.kind}): ${client.acknowledged.length} changes answered, ` +
          `${journal.arrivals.length} requests came`,
      );
    }
    await load.stop();
    await world.settled(120_000);
    await world.server().kill('SIGTERM');
    const facts = readStore(storeOf(world.dataDir), (query) => factsOf(query, world.opened));
    const integrity = readStore(storeOf(world.dataDir), (query) => query('PRAGMA integrity_check')[0]?.integrity_check);
    return {
      ...verify(facts, { ...journal, acknowledged: client.acknowledged, maxAttempts: MAX_ATTEMPTS }),
      acknowledged: client.acknowledged.length,
      unanswered: client.unanswered(),
      interrupted: interruptedBy(world),
      suspensions,
      integrity: String(integrity),
    };
  } finally {
    await world.close();
  }
}

const GONE_EVERY = 8;
const DEAD_EVERY = 6;

/** Receivers that answer 410 and that nobody listens at, each for two kills. */
async function comeAndGo(world: World, kill: number): Promise<void> {
  if (kill % GONE_EVERY === 0) world.receivers.get('gone')?.become(gone);
  if (kill % DEAD_EVERY === 0) await world.receivers.get('dead')?.shut();
}

async function takeUpAgain(world: World, kill: number, kills: number): Promise<number> {
  const isLast = kill === kills - 1;
  if (kill % DEAD_EVERY === 1 || (isLast && kill % DEAD_EVERY === 0)) await world.receivers.get('dead')?.open();
  if (kill % GONE_EVERY !== 1 && !(isLast && kill % GONE_EVERY === 0)) return 0;
  const isSuspended = () =>
    readStore(
      storeOf(world.dataDir),
      (query) => query(`SELECT 1 FROM channel WHERE suspended_why = 'gone'`).length > 0,
    );
  for (let left = 50; left > 0 && !isSuspended(); left -= 1) await pause(100);
  world.receivers.get('gone')?.become(well);
  const was = isSuspended();
  await world.post('gone');
  return was ? 1 : 0;
}

/** Read off the copies of the store that were made at the kills. */
function interruptedBy({ journal: { arrivals, kills } }: World): Record<string, Interrupted> {
  const met: Record<string, Interrupted> = {};
  for (const kill of kills) {
    const { inAir, unsettled, unsent } = cutOff(kill, arrivals);
    const before = met[kill.kind] ?? { kills: 0, unsent: 0, inAir: 0, unsettled: 0 };
    met[kill.kind] = {
      kills: before.kills + 1,
      unsent: before.unsent + unsent,
      inAir: before.inAir + inAir,
      unsettled: before.unsettled + unsettled,
    };
  }
  return met;
}
