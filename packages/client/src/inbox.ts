import { accepted, createTransport, type TransportOptions } from './transport.ts';
import type { InboxListing } from './wire.ts';

export interface InboxOptions extends TransportOptions {
  readonly adminToken: string;
}

export interface InboxQuery {
  /** Seconds to wait for messages, 0 to 30. */
  readonly wait?: number;
  /** How many messages end the waiting, 1 to 1,000; one when absent. */
  readonly count?: number;
  /** Only messages with a higher sequence. */
  readonly after?: number;
}

/** The receiver that comes with the dev profile: what was POSTed to `/_watchbell/inbox/{name}`. */
export interface Inbox {
  list(name: string, query?: InboxQuery): Promise<InboxListing>;
  clear(name: string): Promise<void>;
}

/** Reads the inbox on behalf of the operator. Refusals are `ApiError`, as with the client. */
export function createInbox({ adminToken, timeoutMs = 30_000, ...options }: InboxOptions): Inbox {
  // The longest wait that can be asked for comes on top of the time for the exchange itself.
  const transport = createTransport({ ...options, timeoutMs: timeoutMs + 30_000 });
  const headers = { authorization: `Bearer ${adminToken}` };
  const pathOf = (name: string) => `/_watchbell/v1/inbox/${encodeURIComponent(name)}`;
  return {
    async list(name, { wait, count, after } = {}) {
      const reply = await transport({ method: 'GET', path: pathOf(name), query: { wait, count, after }, headers });
      return accepted(reply).body as InboxListing;
    },
    async clear(name) {
      accepted(await transport({ method: 'DELETE', path: pathOf(name), headers }));
    },
  };
}
