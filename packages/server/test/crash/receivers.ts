import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Answered, Arrival, Journal } from './journal.ts';
import { freePort } from './ports.ts';

/** What a receiver does with one request. */
export type Reply =
  | { readonly status: number; readonly afterMs?: number; readonly headers?: Readonly<Record<string, string>> }
  | 'reset'
  | 'hang';

export type Character = (arrival: Arrival) => Reply;

/** Of the run's own process, so that it outlives the servers that are killed. */
export interface Receiver {
  readonly name: string;
  readonly url: string;
  /** How it answers from now on. */
  become(character: Character): void;
  /** Answers what it left hanging, if it still can. */
  answerHanging(): void;
  hanging(): number;
  /** Called when a request has come and before anything is answered, and when the answer has been handed to the system. */
  onArrival: ((arrival: Arrival) => void) | undefined;
  onAnswered: ((arrival: Arrival) => void) | undefined;
  /** Lets go of the port, so that connections are refused, and takes it again. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

interface Body {
  readonly module: string;
  readonly operation: string;
  readonly ids: readonly string[];
  readonly affected_values?: readonly {
    readonly record_id: string;
    readonly values: { readonly Description?: string };
  }[];
}

const chance = (part: number): boolean => Math.random() < part;

export const well: Character = () => ({ status: 200 });
export const hanging: Character = () => 'hang';
export const slow: Character = () => ({ status: 204, afterMs: 100 + Math.random() * 400 });
/** One request in three fails, each in a way of its own. */
export const flaky: Character = () => {
  if (!chance(1 / 3)) return { status: 202 };
  if (chance(0.1)) return 'hang';
  return chance(0.4) ? 'reset' : { status: 500 };
};
export const busy: Character = () =>
  chance(0.1) ? { status: 429, headers: { 'retry-after': '1' } } : { status: 200, afterMs: Math.random() * 20 };
export const gone: Character = () => ({ status: 410 });
/** Some notifications it never digests, until they are parked. */
export const choking: Character = ({ number }) => ({ status: number % 40 === 7 ? 500 : 200 });

export async function startReceiver(name: string, character: Character, journal: Journal): Promise<Receiver> {
  const held = new Map<Arrival, ServerResponse>();
  let reply = character;

  function answer(arrival: Arrival, response: ServerResponse, status: number, headers = {}): void {
    // The other end is gone: nobody is answered.
    if (response.destroyed) return;
    settle(arrival, status);
    response.writeHead(status, headers).end(() => receiver.onAnswered?.(arrival));
    journal.wake();
  }

  const settle = (arrival: Arrival, status: Answered) => {
    arrival.answer = { order: journal.next(), at: performance.now(), status };
  };

  function take(request: IncomingMessage, response: ServerResponse, text: string): void {
    const arrival = readArrival(name, request, text, journal.next());
    journal.arrivals.push(arrival);
    receiver.onArrival?.(arrival);
    const what = reply(arrival);
    if (what === 'hang') held.set(arrival, response);
    else if (what === 'reset') {
      settle(arrival, 'reset');
      request.socket.resetAndDestroy();
    } else if (what.afterMs === undefined) answer(arrival, response, what.status, what.headers);
    else setTimeout(() => answer(arrival, response, what.status, what.headers), what.afterMs);
    journal.wake();
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    response.on('close', () => {
      for (const [arrival, one] of held) if (one === response) held.delete(arrival);
    });
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => take(request, response, Buffer.concat(chunks).toString()));
  });
  const port = await freePort();
  const open = () =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await open();

  const receiver: Receiver = {
    name,
    url: `http://127.0.0.1:${port}/`,
    become(next) {
      reply = next;
    },
    answerHanging() {
      for (const [arrival, response] of held) answer(arrival, response, 200);
      held.clear();
    },
    hanging: () => held.size,
    onArrival: undefined,
    onAnswered: undefined,
    shut: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    open,
  };
  return receiver;
}

function readArrival(receiver: string, { headers, socket }: IncomingMessage, text: string, order: number): Arrival {
  const body = JSON.parse(text) as Body;
  const { module, operation, ids, affected_values = [] } = body;
  const header = (name: string) => String(headers[name]);
  return {
    order,
    at: performance.now(),
    from: String(socket.remoteAddress),
    receiver,
    id: header('webhook-id'),
    generation: header('watchbell-generation'),
    number: Number(header('watchbell-sequence')),
    attempt: Number(header('watchbell-attempt')),
    module,
    operation,
    ids,
    descriptions: new Map(
      affected_values.flatMap(({ record_id, values }) =>
        values.Description === undefined ? [] : [[record_id, values.Description] as const],
      ),
    ),
    digest: digestOf({ ...body, token: undefined, query_params: undefined }),
  };
}

const digestOf = (body: object): string => createHash('md5').update(JSON.stringify(body)).digest('base64');
