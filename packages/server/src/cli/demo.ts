import { setTimeout as sleep } from 'node:timers/promises';
import { type Arrival, arrivalLine, createSeen, isGenuine, readArrival } from './arrival.ts';
import { type CredentialOptions, clientFor, readCredentials, type SignIn } from './credentials.ts';
import { startDemoServer } from './demo-server.ts';
import { DEMO_EVENTS, differences, isComplete, type OwedNotification, tellStory } from './demo-story.ts';
import type { ExitCode } from './errors.ts';
import { note, print, printJson } from './output.ts';
import { openOwnChannel, randomToken } from './own-channel.ts';
import { startReceiver } from './receiver.ts';
import type { Environment } from './settings.ts';
import { aborted, onStop } from './signals.ts';

export interface DemoOptions extends CredentialOptions {
  /** How long to wait for what is owed, once all changes were made. */
  readonly timeoutMs: number;
  readonly json?: boolean;
}

/** After the last one owed: time for one too many to show itself. */
const GRACE_MS = 500;

/** Watches three modules, changes records, and exits 0 only when exactly the owed notifications came. */
export async function demo(options: DemoOptions, env: Environment): Promise<ExitCode> {
  const stop = onStop();
  try {
    const running = await runningServer(options);
    note(running ? `Using the server on ${running.base}.` : 'No server is running: starting one for the demo.');
    const play = (credentials: SignIn) => perform(credentials, options, stop.signal);
    return verdict(running ? await play(running) : await onOwnServer(play, env), options);
  } finally {
    stop.release();
  }
}

async function onOwnServer<T>(use: (credentials: SignIn) => Promise<T>, env: Environment): Promise<T> {
  const server = await startDemoServer(env);
  try {
    return await use(await readCredentials({ dataDir: server.dataDir }));
  } finally {
    await server.stop();
  }
}

/** The server that the credentials name; undefined when none was named in particular and none answers. */
async function runningServer(options: CredentialOptions): Promise<SignIn | undefined> {
  if (options.base !== undefined || options.credentials !== undefined) return readCredentials(options);
  const credentials = await readCredentials(options).catch(() => undefined);
  if (!credentials) return undefined;
  const isThere = await fetch(`${credentials.base}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
  return isThere ? credentials : undefined;
}

interface Performance {
  readonly owed: readonly OwedNotification[];
  readonly arrivals: readonly Arrival[];
}

async function perform(credentials: SignIn, options: DemoOptions, stop: AbortSignal): Promise<Performance> {
  const client = clientFor(credentials);
  const token = randomToken();
  const arrivals: Arrival[] = [];
  const seen = createSeen(10_000);
  let arrived: () => void = () => undefined;
  const receiver = await startReceiver((received) => {
    const arrival = readArrival(received);
    if (!arrival || !isGenuine(arrival, token)) return 403;
    if (seen.has(arrival.id)) return 200;
    seen.add(arrival.id);
    arrivals.push(arrival);
    (options.json ? note : print)(arrivalLine(arrival));
    arrived();
    return 200;
  });
  try {
    const channel = await openOwnChannel(client, {
      events: DEMO_EVENTS,
      notifyUrl: receiver.url,
      token,
      withValues: false,
      notifyOnRelated: false,
    });
    try {
      const owed = await tellStory(client);
      const complete = new Promise<void>((resolve) => {
        arrived = () => isComplete(owed, arrivals) && resolve();
        arrived();
      });
      await Promise.race([complete, sleep(options.timeoutMs, undefined, { ref: false }), aborted(stop)]);
      if (isComplete(owed, arrivals)) await sleep(GRACE_MS);
      return { owed, arrivals };
    } finally {
      await channel.close();
    }
  } finally {
    await receiver.close();
  }
}

function verdict({ owed, arrivals }: Performance, { json }: DemoOptions): ExitCode {
  const problems = differences(owed, arrivals);
  const isExact = problems.length === 0;
  if (json) printJson({ ok: isExact, owed: owed.length, arrived: arrivals.length, problems });
  else if (isExact) print(`Exactly the ${owed.length} owed notifications came, numbered 1 to ${owed.length}.`);
  for (const problem of json ? [] : problems) note(problem);
  if (!isExact && !json) note(`${owed.length} notifications were owed, ${arrivals.length} came.`);
  return isExact ? 0 : 1;
}
