import type { EventName } from '@watchbell/client';
import { arrivalLine, createSeen, isGenuine, readArrival } from './arrival.ts';
import { type CredentialOptions, clientFor, readCredentials } from './credentials.ts';
import type { ExitCode } from './errors.ts';
import { forward } from './forward.ts';
import { note, print } from './output.ts';
import { type OwnChannel, openOwnChannel, randomToken } from './own-channel.ts';
import { type Received, startReceiver } from './receiver.ts';
import { aborted, onStop } from './signals.ts';

export interface ListenOptions extends CredentialOptions {
  /** Where each notification is also POSTed, unchanged. */
  readonly forward?: URL;
  readonly values?: boolean;
  readonly json?: boolean;
}

/** Half of a channel's hour. */
const RENEW_EVERY_MS = 1_800_000;
const RENEW_AGAIN_MS = 60_000;
const REMEMBERED_IDS = 10_000;

/** Opens a channel and prints each notification as it arrives, until a signal; then deletes the channel. */
export async function listen(events: readonly EventName[], options: ListenOptions): Promise<ExitCode> {
  const stop = onStop();
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
    const stopRenewing = keepAlive(channel);
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

function keepAlive(channel: OwnChannel): () => void {
  let timer = setTimeout(renew, RENEW_EVERY_MS);
  async function renew(): Promise<void> {
    let next = RENEW_EVERY_MS;
    await channel.renew().catch((error: unknown) => {
      note(`The channel was not renewed, trying again in a minute: ${error instanceof Error ? error.message : error}`);
      next = RENEW_AGAIN_MS;
    });
    timer = setTimeout(renew, next);
  }
  return () => clearTimeout(timer);
}
