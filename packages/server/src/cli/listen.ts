import { type EventName, SignatureError, verify } from '@watchbell/client';
import { arrivalLine, createSeen, isGenuine, readArrival } from './arrival.ts';
import { type CredentialOptions, clientFor, readCredentials } from './credentials.ts';
import type { ExitCode } from './errors.ts';
import { forward } from './forward.ts';
import { note, print } from './output.ts';
import { keepAlive, openOwnChannel, randomToken } from './own-channel.ts';
import { type Received, startReceiver } from './receiver.ts';
import { aborted, onStop } from './signals.ts';

export interface ListenOptions extends CredentialOptions {
  /** Where each notification is also POSTed, unchanged. */
  readonly forward?: URL;
  readonly values?: boolean;
  readonly json?: boolean;
  /** One of them must have signed each notification. */
  readonly secret?: readonly string[];
}

const REMEMBERED_IDS = 10_000;

/** Opens a channel and prints each notification as it arrives, until a signal or until nobody reads; then deletes it. */
export async function listen(events: readonly EventName[], options: ListenOptions): Promise<ExitCode> {
  const stop = onStop();
  process.stdout.once('error', stop.request);
  const credentials = await readCredentials(options);
  const token = randomToken();
  const receiver = await startReceiver(receive(token, options));
  try {
    const channel = await openOwnChannel(clientFor(credentials), {
      events,
      notifyUrl: receiver.url,
      token,
      withValues: options.values === true,
    });
    const stopRenewing = keepAlive(channel, note);
    note(`Listening for ${events.join(', ')} on ${credentials.base} (channel ${channel.channelId}). Stop with Ctrl-C.`);
    await aborted(stop.signal);
    stopRenewing();
    await channel.close();
    note('Channel deleted.');
    return 0;
  } finally {
    await receiver.close();
    stop.release();
  }
}

/** Judges one delivery. What could not be forwarded is refused, so that the server sends it again. */
function receive(token: string, options: ListenOptions): (received: Received) => Promise<number> {
  const seen = createSeen(REMEMBERED_IDS);
  return async (received) => {
    if (options.secret && !(await isSigned(received, options.secret))) return 403;
    const arrival = readArrival(received);
    if (!arrival || !isGenuine(arrival, token)) {
      note('Refused a request that is no notification of this channel.');
      return 403;
    }
    if (seen.has(arrival.id)) return 200;
    const status = options.forward ? await forward(received, options.forward) : 200;
    if (status < 200 || status > 299) return status;
    seen.add(arrival.id);
    print(options.json ? arrival.text : arrivalLine(arrival));
    return status;
  };
}

async function isSigned({ body, headers }: Received, secrets: readonly string[]): Promise<boolean> {
  try {
    await verify(body, headers, secrets);
    return true;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    note(`Refused a request: ${error.code}: ${error.message}.`);
    return false;
  }
}
