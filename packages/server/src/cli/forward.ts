import type { IncomingHttpHeaders } from 'node:http';
import { note } from './output.ts';
import type { Received } from './receiver.ts';

/** Just below the time in which a receiver must have answered. */
const TIMEOUT_MS = 9_000;
/** Headers of one connection, which the next one makes anew. */
const HOP = new Set(['connection', 'content-length', 'expect', 'host', 'keep-alive', 'transfer-encoding', 'upgrade']);

/** POSTs it on, body and headers unchanged. The status of the answer; 502 or 504 when there was none. */
export async function forward({ body, headers }: Received, target: URL): Promise<number> {
  try {
    const response = await fetch(target, {
      method: 'POST',
      headers: passedOn(headers),
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    if (!response.ok) note(`${target} answered ${response.status}; the server will try again.`);
    return response.status;
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    note(`${target} ${isLate ? 'did not answer in time' : 'cannot be reached'}; the server will try again.`);
    return isLate ? 504 : 502;
  }
}

function passedOn(headers: IncomingHttpHeaders): Headers {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP.has(name)) kept.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return kept;
}
