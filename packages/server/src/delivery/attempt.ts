import type { Attempt, Outcome, UnreachableReason } from '../domain/attempt.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Connections } from './connections.ts';
import { ConnectFailed } from './connector.ts';
import { Forbidden } from './guard.ts';
import { Lost, type Telling } from './line.ts';
import { Misread } from './misread.ts';

/** One POST to a receiver. */
export interface Post {
  readonly url: Pick<URL, 'origin' | 'pathname' | 'search'>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came of a request, and how it went. */
export type Exchange = Pick<Attempt, 'outcome' | 'address' | 'sentMs' | 'answeredMs'>;

/** The exchange took longer than its deadline, or delivery stops. */
class Ended extends Error {}

/** What to call when a signal comes. */
interface Ending {
  end(): void;
  /** Where it stands among those of its signal. */
  at: number;
}

/**
 * A signal's own listeners are slow to add and to take away: it has one for all exchanges that are under way. They stand
 * in an array, since a set that changes all the time keeps what it had: each of its tables knows the one that took its
 * place, so that one which became old keeps alive all that follow, and what is in them.
 */
const endings = new WeakMap<AbortSignal, Ending[]>();

function endingsOf(stop: AbortSignal): Ending[] {
  const known = endings.get(stop);
  if (known) return known;
  const made: Ending[] = [];
  stop.addEventListener(
    'abort',
    () => {
      for (const ending of [...made]) ending.end();
    },
    { once: true },
  );
  endings.set(stop, made);
  return made;
}

function remove(all: Ending[], ending: Ending): void {
  const last = all.pop();
  if (!last || last === ending) return;
  all[ending.at] = last;
  last.at = ending.at;
}

/**
 * Makes one attempt and answers what it came to; never throws. A 2xx status line with complete headers is a success,
 * whatever becomes of the body. `stop` ends it early, as a time-out.
 */
export function attempt(
  post: Post,
  connections: Connections,
  policy: DeliveryPolicy,
  stop: AbortSignal,
): Promise<Exchange> {
  return new Promise((resolve) => {
    let status = 0;
    let retryAfterMs: number | undefined;
    let received = 0;
    const excerpt: Buffer[] = [];
    const startedAt = performance.now();
    let isOver = false;
    const line = connections.take(post.url.origin);
    let address: string | undefined;
    let sentMs: number | undefined;
    let answeredMs: number | undefined;
    const elapsed = (): number => performance.now() - startedAt;

    const telling: Telling = {
      start() {
        const begunAt = elapsed();
        // Timers come late to a process that was frozen: another node may have its channels by now.
        if (begunAt >= policy.deadline) {
          end(new Ended('The deadline passed before it was sent'));
          return;
        }
        address = line.address();
        sentMs = Math.round(begunAt);
      },
      head(code, retryAfter) {
        status = code;
        answeredMs = Math.round(elapsed());
        if (retryAfter !== undefined) retryAfterMs = parseRetryAfter(retryAfter, Date.now(), policy.maxRetryAfter);
      },
      data(bytes, from, to) {
        const room = policy.maxExcerpt - received;
        if (room > 0 && !isSuccess(status)) excerpt.push(Buffer.from(bytes.subarray(from, Math.min(to, from + room))));
        received += to - from;
        if (received <= policy.maxAnswer) return true;
        over(answered());
        return false;
      },
      end: () => over(answered()),
      fail: end,
    };

    const timer = setTimeout(() => end(new Ended('No complete answer within the deadline')), policy.deadline);
    const underWay = endingsOf(stop);
    const ending: Ending = { end: () => end(new Ended('Stopped')), at: underWay.length };
    underWay.push(ending);

    function over(outcome: Outcome): void {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      remove(underWay, ending);
      line.done();
      resolve({ outcome, address, sentMs, answeredMs });
    }
    function end(reason: unknown): void {
      over(status > 0 ? answered() : unreachable(reason));
    }
    function answered(): Outcome {
      if (isSuccess(status)) return { kind: 'delivered', status };
      const text = storable(Buffer.concat(excerpt), policy.maxExcerpt);
      return {
        kind: 'rejected',
        status,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
        ...(text !== '' && { excerpt: text }),
      };
    }

    try {
      line.dispatch(post, telling);
    } catch (error) {
      over({ kind: 'unreachable', reason: 'protocol', message: messageOf(error) });
    }
  });
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** Seconds or a date, as milliseconds from `now`, at most `max`; undefined when absent, past or nonsense. */
export function parseRetryAfter(text: string, now: number, max: number): number | undefined {
  if (text.length > 64) return undefined;
  const wait = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return wait > 0 ? Math.min(wait, max) : undefined;
}

function unreachable(error: unknown): Outcome {
  if (error instanceof Forbidden) return { kind: 'forbidden', ...error.refusal };
  return { kind: 'unreachable', reason: reasonOf(error), message: messageOf(error) };
}

const REASONS: Readonly<Record<string, UnreachableReason>> = {
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EADDRNOTAVAIL: 'connect',
  EACCES: 'connect',
  ETIMEDOUT: 'connect',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EPROTO: 'tls',
};

function reasonOf(error: unknown): UnreachableReason {
  if (error instanceof Ended) return 'timeout';
  if (error instanceof ConnectFailed) return error.stage;
  if (error instanceof Misread) return error.reason;
  if (error instanceof Lost) return 'reset';
  const code = codeOf(error);
  const known = REASONS[code];
  if (known) return known;
  if (/CERT|^ERR_(TLS|SSL)|UNABLE_TO/.test(code)) return 'tls';
  return 'protocol';
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const messageOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message || codeOf(error) : String(error);
  return clean(text).slice(0, 300).toWellFormed();
};

/** Receivers send anything; what is kept must be text that every engine stores. */
const storable = (bytes: Buffer, maxBytes: number): string =>
  clean(new TextDecoder().decode(bytes.subarray(0, maxBytes)));
const clean = (text: string): string => text.replaceAll('\0', '\uFFFD');
