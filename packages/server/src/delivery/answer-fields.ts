import { Misread } from './misread.ts';

/** The headers of one answer, in pieces: what of them matters is kept. */
export interface AnswerFields {
  /** Those of the next answer begin. */
  clear(): void;
  /** What comes from now on matters not: trailers. */
  ignoreRest(): void;
  startName(): void;
  /** Reads a part of a name; answers where it ends: behind the colon, or at `to`. Throws `Misread`. */
  readName(bytes: Uint8Array, from: number, to: number): number;
  /** Reads a part of a value; answers where it ends: behind the CR of its line, or at `to`. Throws `Misread`. */
  readValue(bytes: Uint8Array, from: number, to: number): number;
  /** Of the body; -1: none is said. */
  contentLength(): number;
  /** The body is transferred in some other form, and whether that is chunks. */
  isEncoded(): boolean;
  isChunked(): boolean;
  retryAfter(): string | undefined;
  /** How long the connection of an answer of HTTP/1.`minor` may wait for its next request, in milliseconds; 0: it closes. */
  keptFor(minor: number): number;
}

/** Of a header that matters. */
const MAX_VALUE = 256;
/** Idle connections are closed after it, or this much before the time that the other side says, at most after `LONGEST`. */
const IDLE = 4000;
const AHEAD = 2000;
const LONGEST = 600_000;

const [TAB, CR, SPACE, COLON, DELETE] = [9, 13, 32, 58, 127] as const;

const NAMES = ['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'retry-after'].map((name) =>
  Buffer.from(name),
);
const LONGEST_NAME = 17;
const [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, KEEP_ALIVE, RETRY_AFTER, OTHER] = [0, 1, 2, 3, 4, 5] as const;

/** Characters of a header's name, in lower case; 0 of all others. */
const TOKEN = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character) ? character.toLowerCase().charCodeAt(0) : 0;
});

export function createAnswerFields(): AnswerFields {
  const name = new Uint8Array(LONGEST_NAME);
  let nameLength = 0;
  let field: number = OTHER;
  const value = Buffer.allocUnsafeSlow(MAX_VALUE);
  let valueLength = 0;

  let isIgnored = false;
  let contentLength = -1;
  let isEncoded = false;
  let isChunked = false;
  let closes = false;
  let keeps = false;
  let idle = IDLE;
  let retryAfter: string | undefined;

  function fieldOf(): number {
    for (let i = 0; i < NAMES.length; i += 1) {
      const known = NAMES[i];
      if (known?.length !== nameLength) continue;
      let same = 0;
      while (same < nameLength && known[same] === name[same]) same += 1;
      if (same === nameLength) return i;
    }
    return OTHER;
  }

  function takeField(): void {
    const isCut = valueLength > MAX_VALUE;
    let end = Math.min(valueLength, MAX_VALUE);
    while (end > 0 && (value[end - 1] === SPACE || value[end - 1] === TAB)) end -= 1;
    switch (field) {
      case CONTENT_LENGTH:
        if (contentLength >= 0) throw new Misread('Two lengths of the answer');
        contentLength = isCut ? -1 : numberOf(value, end);
        if (contentLength < 0) throw new Misread('The length of the answer is none');
        return;
      case TRANSFER_ENCODING:
        if (isCut) throw new Misread('The encoding of the answer is too long');
        isEncoded = true;
        isChunked = /(?:^|,)[ \t]*chunked$/i.test(textOf(end));
        return;
      case CONNECTION: {
        const options = textOf(end).toLowerCase();
        // Most say just this.
        if (options === 'keep-alive') keeps = true;
        else for (const option of options.split(',')) takeOption(option.trim());
        if (isCut) closes = true;
        return;
      }
      case KEEP_ALIVE: {
        const seconds = /timeout=(\d+)/.exec(textOf(end))?.[1];
        if (seconds !== undefined) idle = Math.max(0, Math.min(Number(seconds) * 1000 - AHEAD, LONGEST));
        return;
      }
      case RETRY_AFTER:
        if (!isCut) retryAfter ??= textOf(end);
    }
  }

  const textOf = (end: number): string => value.toString('latin1', 0, end);

  function takeOption(option: string): void {
    if (option === 'close') closes = true;
    else if (option === 'keep-alive') keeps = true;
  }

  return {
    clear() {
      isIgnored = false;
      contentLength = -1;
      isEncoded = false;
      isChunked = false;
      closes = false;
      keeps = false;
      idle = IDLE;
      retryAfter = undefined;
    },
    ignoreRest() {
      isIgnored = true;
    },
    startName() {
      nameLength = 0;
    },
    readName(bytes, from, to) {
      for (let i = from; i < to; i += 1) {
        const byte = bytes[i] ?? 0;
        const character = TOKEN[byte];
        if (character) {
          if (nameLength < LONGEST_NAME) name[nameLength] = character;
          nameLength += 1;
          continue;
        }
        if (byte !== COLON || nameLength === 0) throw new Misread('A header of the answer is broken');
        field = isIgnored ? OTHER : fieldOf();
        valueLength = 0;
        return i + 1;
      }
      return to;
    },
    readValue(bytes, from, to) {
      for (let i = from; i < to; i += 1) {
        const byte = bytes[i] ?? 0;
        if (byte === CR) {
          if (field !== OTHER) takeField();
          return i + 1;
        }
        if ((byte < SPACE && byte !== TAB) || byte === DELETE) throw new Misread('A header of the answer is broken');
        if (field !== OTHER) {
          if (valueLength < MAX_VALUE) value[valueLength] = byte;
          valueLength += 1;
        }
      }
      return to;
    },
    contentLength: () => contentLength,
    isEncoded: () => isEncoded,
    isChunked: () => isChunked,
    retryAfter: () => retryAfter,
    keptFor: (minor) => (closes || (minor === 0 && !keeps) ? 0 : idle),
  };
}

/** Of decimal digits and nothing else; -1 of all else, and beyond what numbers hold. */
function numberOf(digits: Uint8Array, end: number): number {
  let number = 0;
  for (let i = 0; i < end; i += 1) {
    const digit = (digits[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return end > 0 && Number.isSafeInteger(number) ? number : -1;
}
