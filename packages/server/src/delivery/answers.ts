import { createAnswerFields } from './answer-fields.ts';
import { Misread } from './misread.ts';

/** Whom a reader tells, while it reads. */
export interface Reading {
  /** Status line and headers of the answer are complete. */
  head(status: number, retryAfter: string | undefined): void;
  /** A part of its body, good until this returns; false: no more of it is wanted. */
  data(bytes: Uint8Array, from: number, to: number): boolean;
}

/** Reads the answers of one connection, one after another, in whatever pieces they come. */
export interface AnswerReader {
  /** The next answer begins, of at most `most` bytes with all that belongs to it. */
  begin(most: number, reading: Reading): void;
  /** Reads `length` bytes and answers how many of them belong to the answer. Throws `Misread`. */
  read(bytes: Uint8Array, length: number): number;
  /** It was read to its end. */
  isWhole(): boolean;
  /** Only the end of the connection ends it. */
  endsWithConnection(): boolean;
  /** How long the connection may wait for its next request, in milliseconds; 0: it is of no more use. */
  keptFor(): number;
}

/** Status line and headers, or trailers; as Node's own client has it. */
const MAX_HEAD = 16 * 1024;
/** Interim answers (1xx) of one exchange; servers send one or two. */
const MAX_INTERIM = 16;

const [TAB, LF, CR, SPACE, COLON, SEMICOLON] = [9, 10, 13, 32, 58, 59] as const;
const START = Buffer.from('HTTP/1.');

/** Reads on from `from`, at most to `to`; answers how far it came: there the next begins. -1: no more is wanted. */
type Step = (bytes: Uint8Array, from: number, to: number) => number;

export function createAnswerReader(): AnswerReader {
  const fields = createAnswerFields();
  let step: Step = readVersion;
  let isWhole = false;
  /** What is read is a head, or trailers. */
  let isHead = true;
  let isTrailer = false;
  /** Bytes that may still come, of all and of the head. */
  let left = 0;
  let headLeft = MAX_HEAD;
  let interims = 0;
  /** Within whatever is counted: the version, the digits of the status, those of a chunk's size. */
  let at = 0;
  let minor = 0;
  let status = 0;
  /** Bytes that the body, or its chunk, still has. */
  let bodyLeft = 0;
  let reading: Reading | undefined;

  function startHead(): void {
    step = readVersion;
    isWhole = false;
    isHead = true;
    isTrailer = false;
    headLeft = MAX_HEAD;
    at = 0;
    status = 0;
    fields.clear();
  }

  function readVersion(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i += 1) {
      if (bytes[i] !== START[at]) throw new Misread('The answer is not HTTP/1');
      at += 1;
      if (at === START.length) {
        step = readMinor;
        return i + 1;
      }
    }
    return to;
  }

  function readMinor(bytes: Uint8Array, from: number): number {
    minor = (bytes[from] ?? 0) - 48;
    if (minor !== 0 && minor !== 1) throw new Misread('The answer is not HTTP/1.1');
    step = readGap;
    return from + 1;
  }

  function readGap(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== SPACE) throw new Misread('The answer has no status');
    at = 0;
    step = readStatus;
    return from + 1;
  }

  function readStatus(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i += 1) {
      const digit = (bytes[i] ?? 0) - 48;
      if (digit < 0 || digit > 9) throw new Misread('The status of the answer is none');
      status = status * 10 + digit;
      at += 1;
      if (at === 3) {
        if (status < 100) throw new Misread('The status of the answer is none');
        step = readEndOfStatus;
        return i + 1;
      }
    }
    return to;
  }

  function readEndOfStatus(bytes: Uint8Array, from: number): number {
    if (bytes[from] === SPACE) step = readPhrase;
    else if (bytes[from] === CR) step = readEndOfLine;
    else throw new Misread('The status of the answer is none');
    return from + 1;
  }

  function readPhrase(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i += 1) {
      const byte = bytes[i];
      if (byte === CR) {
        step = readEndOfLine;
        return i + 1;
      }
      if (byte === LF || byte === 0) throw new Misread('The status line of the answer is broken');
    }
    return to;
  }

  function readEndOfLine(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== LF) throw new Misread('A line of the answer ends without a line feed');
    step = readStartOfLine;
    return from + 1;
  }

  function readStartOfLine(bytes: Uint8Array, from: number): number {
    if (bytes[from] === CR) {
      step = readEndOfHead;
      return from + 1;
    }
    fields.startName();
    step = readName;
    return from;
  }

  function readName(bytes: Uint8Array, from: number, to: number): number {
    const end = fields.readName(bytes, from, to);
    if (bytes[end - 1] === COLON) step = readIndent;
    return end;
  }

  function readIndent(bytes: Uint8Array, from: number): number {
    if (bytes[from] === SPACE || bytes[from] === TAB) return from + 1;
    step = readValue;
    return from;
  }

  function readValue(bytes: Uint8Array, from: number, to: number): number {
    const end = fields.readValue(bytes, from, to);
    if (bytes[end - 1] === CR) step = readEndOfLine;
    return end;
  }

  function readEndOfHead(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== LF) throw new Misread('The head of the answer ends without a line feed');
    if (headLeft < 1) throw new Misread('The head of the answer is too long');
    if (isTrailer) isWhole = true;
    else takeHead();
    return from + 1;
  }

  /** Decides how the body ends. */
  function takeHead(): void {
    const length = fields.contentLength();
    if (fields.isEncoded() && length >= 0) throw new Misread('The answer has both a length and an encoding');
    if (status < 200) {
      // Neither was asked for.
      if (status <= 101) throw new Misread(`The answer is ${status}, which was not asked for`, 'reset');
      interims += 1;
      if (interims > MAX_INTERIM) throw new Misread('Too many interim answers');
      startHead();
      return;
    }
    isHead = false;
    at = 0;
    bodyLeft = 0;
    if (status === 204 || status === 304 || length === 0) isWhole = true;
    else if (fields.isChunked()) step = readSize;
    else if (length < 0) step = readToEnd;
    else {
      bodyLeft = length;
      step = readBody;
    }
    reading?.head(status, fields.retryAfter());
  }

  function readToEnd(bytes: Uint8Array, from: number, to: number): number {
    return reading?.data(bytes, from, to) ? to : -1;
  }

  function readBody(bytes: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + bodyLeft);
    bodyLeft -= end - from;
    isWhole = bodyLeft === 0;
    return reading?.data(bytes, from, end) ? end : -1;
  }

  function readSize(bytes: Uint8Array, from: number): number {
    const byte = bytes[from] ?? 0;
    const digit = hexOf(byte);
    if (digit >= 0) {
      bodyLeft = bodyLeft * 16 + digit;
      at += 1;
      if (!Number.isSafeInteger(bodyLeft)) throw new Misread('A chunk of the answer is too long');
    } else if (at > 0 && byte === CR) step = readStartOfChunk;
    else if (at > 0 && byte === SEMICOLON) step = readExtension;
    else throw new Misread('A chunk of the answer has no size');
    return from + 1;
  }

  function readExtension(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i += 1) {
      const byte = bytes[i];
      if (byte === CR) {
        step = readStartOfChunk;
        return i + 1;
      }
      if (byte === LF || byte === 0) throw new Misread('A chunk of the answer is broken');
    }
    return to;
  }

  function readStartOfChunk(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== LF) throw new Misread('A chunk of the answer is broken');
    if (bodyLeft > 0) step = readChunk;
    else {
      isHead = true;
      isTrailer = true;
      headLeft = MAX_HEAD;
      fields.ignoreRest();
      step = readStartOfLine;
    }
    return from + 1;
  }

  function readChunk(bytes: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + bodyLeft);
    bodyLeft -= end - from;
    if (bodyLeft === 0) step = readEndOfChunk;
    return reading?.data(bytes, from, end) ? end : -1;
  }

  function readEndOfChunk(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== CR) throw new Misread('A chunk of the answer is longer than its size');
    step = readEndOfChunkLine;
    return from + 1;
  }

  function readEndOfChunkLine(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== LF) throw new Misread('A chunk of the answer is broken');
    at = 0;
    step = readSize;
    return from + 1;
  }

  return {
    begin(most, told) {
      reading = told;
      left = most;
      interims = 0;
      startHead();
    },
    read(bytes, length) {
      left -= length;
      let from = 0;
      while (from < length && !isWhole) {
        const wasHead = isHead;
        const end = step(bytes, from, length);
        if (end < 0) return length;
        if (wasHead) {
          headLeft -= end - from;
          if (isHead && headLeft < 0) throw new Misread('The head of the answer is too long');
        }
        from = end;
      }
      if (left < 0) throw new Misread('The answer is too long');
      return from;
    },
    isWhole: () => isWhole,
    endsWithConnection: () => step === readToEnd,
    keptFor: () => fields.keptFor(minor),
  };
}

function hexOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
