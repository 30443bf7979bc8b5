import { accepted, createTransport, type TransportOptions } from './transport.ts';
import type { AdvancedClock, ClockState } from './wire.ts';

/** Where to: a time (ISO 8601), or on by a duration such as `90s`, `2h` or `1d12h`. */
export type ClockMove = { readonly to: string } | { readonly by: string };

/** The clock of the dev profile, by which channels expire and retries fall due. */
export interface Clock {
  show(): Promise<ClockState>;
  /** Stops it where it stands. */
  freeze(): Promise<ClockState>;
  /** Sets it forward at once: all that lies between falls due together. */
  set(move: ClockMove): Promise<ClockState>;
  /** Moves it on step by step and awaits the attempts of each; an answer that is not `reached` says where it stopped. */
  advance(move: ClockMove): Promise<AdvancedClock>;
  /** Lets it tick on from where it stands. */
  resume(): Promise<ClockState>;
}

/** An advance takes 15 seconds, and the attempts of one step more. */
const LONGEST_ADVANCE_MS = 120_000;

/** Moves the clock of a server that runs in the dev profile, with an admin token for all organisations. */
export function createClock({ adminToken, ...options }: TransportOptions & { readonly adminToken: string }): Clock {
  const transport = createTransport(options);
  const patient = createTransport({ ...options, timeoutMs: Math.max(options.timeoutMs ?? 0, LONGEST_ADVANCE_MS) });
  const headers = { authorization: `Bearer ${adminToken}` };
  const path = '/_watchbell/v1/clock';

  // What an answer holds is the server's promise, not checked again.
  async function post<Answer>(act: string, json?: object, send = transport): Promise<Answer> {
    return accepted(await send({ method: 'POST', path: `${path}/${act}`, headers, ...(json && { json }) }))
      .body as Answer;
  }

  return {
    show: async () => accepted(await transport({ method: 'GET', path, headers })).body as ClockState,
    freeze: () => post('freeze'),
    set: (move) => post('set', move),
    advance: (move) => post('advance', move, patient),
    resume: () => post('resume'),
  };
}
