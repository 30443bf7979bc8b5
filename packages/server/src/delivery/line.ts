import type { Socket } from 'node:net';
import { createAnswerReader, type Reading } from './answers.ts';
import type { Post } from './attempt.ts';
import type { Connector } from './connector.ts';
import { Misread } from './misread.ts';
import { knowLast } from './repeated-answers.ts';
import { type RequestStart, type RequestText, requestText, startOf } from './request-text.ts';

/** Who is told what becomes of a request. */
export interface Telling extends Reading {
  /** It is written next, unless the line is given back now. */
  start(): void;
  /** The answer was read to its end. */
  end(): void;
  /** There will be no more of an answer. */
  fail(error: unknown): void;
}

/** A connection, and those made anew in its place; it carries one request at a time. */
export interface Line {
  /** Sends the request that it was taken for; `telling` is told everything, errors too. Throws on what cannot be written. */
  dispatch(post: Post, telling: Telling): void;
  /** IP address and port at the other end of the newest; undefined until there is one. */
  address(): string | undefined;
  /** Gives it back. It is closed, whatever it is doing, unless its answer was whole and it can be used again. */
  done(): void;
}

/** The connection ended before the answer did. */
export class Lost extends Error {
  override readonly name = 'Lost';
}

/** As its pool sees it. */
export interface PooledLine extends Line {
  /** Until when its connection may be used for one more request, as `performance.now()`. */
  goodUntil(): number;
  /** What it waited a turn for. */
  onTurn(): void;
  /** Resolves when its connection is closed. */
  close(): Promise<void>;
}

export interface LineContext {
  readonly origin: URL;
  readonly connect: Connector;
  /** Most bytes of an answer, with all that belongs to it. */
  readonly maxAnswer: number;
  /** Calls `onTurn` when all that has come until now was read. */
  waitATurn(line: PooledLine): void;
  onDone(): void;
  /** It was given back, and its connection is kept. */
  onIdle(line: PooledLine): void;
  /** It is of no more use. */
  onClosed(line: PooledLine): void;
}

type State =
  | 'new'
  | 'connecting'
  /** Its request is not written before all was read that came while it was idle. */
  | 'waiting'
  | 'asked'
  /** Its answer was read, but not all of the request is written. */
  | 'writing'
  | 'answered'
  /** Given back, but not idle before all was read that came with the answer. */
  | 'resting'
  | 'idle'
  | 'closed';

export function createLine(context: LineContext): PooledLine {
  const { origin, connect, maxAnswer } = context;
  const reader = knowLast(createAnswerReader());
  let state: State = 'new';
  let socket: Socket | undefined;
  let address: string | undefined;
  let start: RequestStart | undefined;
  let request: RequestText | undefined;
  let telling: Telling | undefined;
  /** How long the connection may wait for its next request, and until when. */
  let kept = 0;
  let goodUntil = 0;

  function open(): void {
    state = 'connecting';
    connect(origin, take).then(opened, fail);
  }

  function opened(made: Socket): void {
    if (state !== 'connecting') {
      made.destroy();
      return;
    }
    const lost = (error: Error): void => {
      if (socket === made) drop(error);
    };
    made.on('error', lost);
    made.on('end', () => {
      if (socket === made && state === 'asked' && reader.endsWithConnection()) answered();
      else lost(new Lost('The other side closed the connection'));
    });
    made.on('close', () => lost(new Lost('The connection was closed')));
    // Deadlines keep the process alive, connections do not.
    made.unref();
    socket = made;
    address = otherEndOf(made);
    if (made.destroyed || made.readableEnded) drop(new Lost('The other side closed the connection'));
    else write();
  }

  function write(): void {
    telling?.start();
    // It may have been given back.
    if (!socket || !request || !telling) return;
    state = 'asked';
    reader.begin(maxAnswer, telling);
    socket.write(request.text, request.encoding, written);
    request = undefined;
  }

  function take(bytes: Uint8Array, length: number): void {
    if (state !== 'asked') {
      // It would be taken for the answer to what is asked next.
      drop(new Misread('The other side spoke before it was asked'));
      return;
    }
    try {
      const read = reader.read(bytes, length);
      if (state === 'asked' && reader.isWhole()) answered(read === length);
    } catch (error) {
      drop(error);
    }
  }

  function answered(isQuiet = false): void {
    kept = isQuiet ? reader.keptFor() : 0;
    // Who answers early and keeps the connection reads on.
    if (kept > 0 && socket && socket.writableLength > 0) state = 'writing';
    else finish();
  }

  function written(error?: Error | null): void {
    if (state === 'writing' && !error) finish();
  }

  function finish(): void {
    state = 'answered';
    goodUntil = kept > 0 ? performance.now() + kept : 0;
    const told = telling;
    telling = undefined;
    // Whom it told has the body that was sent.
    reader.begin(0, NOBODY);
    told?.end();
  }

  /** The connection is lost. */
  function drop(error: unknown): void {
    if (state !== 'waiting') {
      fail(error);
      return;
    }
    // Its request was not written: there may be another connection for it.
    const lost = socket;
    socket = undefined;
    lost?.destroy();
    open();
  }

  function fail(error: unknown): void {
    const told = telling;
    discard();
    told?.fail(error);
  }

  function discard(): void {
    if (state === 'closed') return;
    state = 'closed';
    telling = undefined;
    request = undefined;
    socket?.destroy();
    context.onClosed(line);
  }

  const line: PooledLine = {
    dispatch(post, told) {
      const { url } = post;
      if (start?.pathname !== url.pathname || start.search !== url.search) start = startOf(url, origin.host);
      request = requestText(start, post);
      telling = told;
      if (!socket) open();
      else {
        state = 'waiting';
        context.waitATurn(line);
      }
    },
    address: () => address,
    done() {
      context.onDone();
      if (state !== 'answered' || goodUntil === 0) discard();
      else {
        state = 'resting';
        context.waitATurn(line);
      }
    },
    goodUntil: () => goodUntil,
    onTurn() {
      if (state === 'waiting') write();
      else if (state === 'resting') {
        state = 'idle';
        context.onIdle(line);
      }
    },
    close() {
      const open = socket;
      fail(new Lost('The connection was closed'));
      return !open || open.closed ? Promise.resolve() : new Promise((resolve) => open.once('close', () => resolve()));
    },
  };
  return line;
}

const NOBODY: Reading = { head: () => undefined, data: () => false };

const otherEndOf = ({ remoteAddress = '', remoteFamily, remotePort = 0 }: Socket): string =>
  remoteFamily === 'IPv6' ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
