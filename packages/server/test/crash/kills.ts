import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hanging, well } from './channel-plan.ts';
import type { Receiver } from './receivers.ts';
import { pause, storeOf, type World } from './world.ts';

/** Kills the server of a world under load; it is dead, or dies, when it resolves. */
export type Place = (world: World) => Promise<void>;

const PATIENCE_MS = 10_000;
/** More than the flights of a channel. */
const MANY = 24;

export const gateOf = (world: World): Receiver => world.receivers.get('gate') as Receiver;

/** After some more requests have come, and a little later. */
async function atRandom(world: World): Promise<void> {
  const { journal } = world;
  const goal = journal.arrivals.length + Math.floor(Math.random() * 150);
  await journal.until(() => journal.arrivals.length >= goal, PATIENCE_MS);
  await pause(Math.random() * 50);
  world.kill('random');
}

/** The gate takes requests and answers none, so what is committed after its flights are taken is not sent. */
export async function fillGate(world: World): Promise<void> {
  const gate = gateOf(world);
  gate.become(hanging);
  await Promise.all(Array.from({ length: MANY }, () => world.client.insert('Accounts', 1)));
  await world.journal.until(() => gate.hanging() >= 2, PATIENCE_MS);
}

/** Answered as written, and no request of it made: its channel has no flight left. */
async function betweenCommitAndSend(world: World): Promise<void> {
  await fillGate(world);
  await world.client.insert('Accounts', 2);
  world.kill('commit, not sent');
  gateOf(world).become(well);
}

/** In the turn in which the answer to a write came, while its request to the receiver may be on its way. */
async function whenAnswered(world: World): Promise<void> {
  world.client.onAnswer = () => world.kill('write answered');
  await world.client.insert('Accounts', 1);
  world.client.onAnswer = undefined;
  world.kill('write answered');
}

async function betweenSendAndAnswer(world: World): Promise<void> {
  const gate = gateOf(world);
  gate.onArrival = () => world.kill('sent, not answered');
  gate.become(hanging);
  await world.client.insert('Accounts', 1);
  await world.journal.until(() => gate.hanging() > 0, PATIENCE_MS);
  gate.onArrival = undefined;
  gate.become(well);
}

/** When the answer's bytes were handed to the system, or a moment later: read by the server or not. */
async function betweenAnswerAndSettle(world: World): Promise<void> {
  const gate = gateOf(world);
  let isDone = false;
  const delayUs = Math.random() < 0.5 ? 0 : Math.random() * 1500;
  gate.onAnswered = () => {
    const end = performance.now() + delayUs / 1000;
    while (performance.now() < end);
    world.kill('answered, not settled');
    isDone = true;
  };
  await world.client.insert('Accounts', 1);
  await world.journal.until(() => isDone, PATIENCE_MS);
  while (!isDone) await pause(1);
  gate.onAnswered = undefined;
}

const LOCKER = fileURLToPath(new URL('./lock-store.mjs', import.meta.url));

/** Another process holds the store's write lock, so all that is answered meanwhile cannot be settled. */
async function whileSettlingWaits(world: World): Promise<void> {
  const gate = gateOf(world);
  await fillGate(world);
  const locker = spawn(process.execPath, [LOCKER, storeOf(world.dataDir)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(locker, 'exit');
  await once(locker.stdout, 'data');
  const before = world.journal.arrivals.length;
  gate.become(well);
  gate.answerHanging();
  await world.journal.until(() => world.journal.arrivals.length > before, 1000);
  await pause(50);
  world.kill('answered, settling waits');
  // Not before the server is dead: it would go on.
  await world.server().kill('SIGKILL');
  locker.kill('SIGKILL');
  await ended;
}

/** More kills while the server that was killed starts again, or has just begun to send. */
async function whileStarting(world: World): Promise<void> {
  world.kill('random');
  for (let left = 2; left > 0; left -= 1) {
    await world.bury();
    const child = world.spawn();
    const ended = once(child, 'exit');
    await pause(Math.random() * 1.2 * world.startMs());
    child.kill('SIGKILL');
    world.kill('while starting');
    await ended;
  }
}

/** While it finishes what was begun. */
async function whileStopping(world: World): Promise<void> {
  await fillGate(world);
  world.server().process.kill('SIGTERM');
  await pause(Math.random() * 300);
  world.kill('while stopping');
  gateOf(world).become(well);
}

/** Placed on purpose; the others are at random. */
const PLACED: readonly Place[] = [
  betweenCommitAndSend,
  whileSettlingWaits,
  betweenSendAndAnswer,
  betweenAnswerAndSettle,
  whenAnswered,
  whileStarting,
  whileStopping,
];

/** Of the kill with this number, from 0. */
export const placeOf = (kill: number): Place =>
  kill % 2 === 1 ? atRandom : (PLACED[(kill / 2) % PLACED.length] as Place);
