import type { AnswerReader, Reading } from './answers.ts';

/** Longer answers are read each time. */
const MAX_KNOWN = 1024;

/**
 * A reader that knows the last answer again: what a receiver says to one notification it mostly says, byte for byte, to
 * the next. To compare costs a tenth of reading.
 */
export function knowLast(reader: AnswerReader): AnswerReader {
  const known = Buffer.allocUnsafeSlow(MAX_KNOWN);
  let knownLength = -1;
  let status = 0;
  let retryAfter: string | undefined;
  let bodyFrom = 0;
  let bodyTo = 0;
  let keptFor = 0;

  let most = 0;
  let reading: Reading | undefined;
  /** Nothing of the answer has come. */
  let isFresh = true;
  let isKnown = false;
  let parts = 0;

  const noting: Reading = {
    head(code, seconds) {
      status = code;
      retryAfter = seconds;
      reading?.head(code, seconds);
    },
    data(bytes, from, to) {
      parts += 1;
      bodyFrom = from;
      bodyTo = to;
      return reading?.data(bytes, from, to) ?? false;
    },
  };

  function isSame(bytes: Uint8Array, length: number): boolean {
    return length === knownLength && length <= most && known.compare(bytes, 0, length, 0, length) === 0;
  }

  function readFirst(bytes: Uint8Array, length: number): number {
    knownLength = -1;
    parts = 0;
    reader.begin(most, noting);
    const read = reader.read(bytes, length);
    if (reader.isWhole() && read === length && length <= MAX_KNOWN && parts <= 1) {
      known.set(bytes.subarray(0, length));
      knownLength = length;
      keptFor = reader.keptFor();
    }
    return read;
  }

  return {
    begin(longest, told) {
      most = longest;
      reading = told;
      isFresh = true;
      isKnown = false;
    },
    read(bytes, length) {
      if (!isFresh) return reader.read(bytes, length);
      isFresh = false;
      isKnown = isSame(bytes, length);
      if (!isKnown) return readFirst(bytes, length);
      reading?.head(status, retryAfter);
      if (parts > 0) reading?.data(bytes, bodyFrom, bodyTo);
      return length;
    },
    isWhole: () => isKnown || (!isFresh && reader.isWhole()),
    endsWithConnection: () => !isKnown && !isFresh && reader.endsWithConnection(),
    keptFor: () => (isKnown ? keptFor : reader.keptFor()),
  };
}
