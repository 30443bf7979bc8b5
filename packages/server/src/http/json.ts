import { AppError } from '../domain/error.ts';
import { isObject, type Json, type JsonObject } from '../domain/json.ts';

/** Lists and objects inside one another that a body may have. */
const MAX_DEPTH = 64;
/** 2^53 has this many digits: shorter integers are read exactly by `JSON.parse`. */
const LONG_DIGITS = 16;
/** No id is as long; longer integers become floating-point numbers, so that reading stays linear in the body's size. */
const MAX_BIGINT_DIGITS = 64;

/** Reads a request body as one JSON object without losing a digit: integers beyond ±(2^53 − 1) become `bigint`. */
export function parseJsonObject(bytes: Uint8Array | undefined): JsonObject {
  let value: Json;
  try {
    value = parseJson(UTF8.decode(bytes));
  } catch (cause) {
    throw notAnObject(cause);
  }
  if (!isObject(value)) throw notAnObject();
  return value;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

const notAnObject = (cause?: unknown): AppError =>
  new AppError('INVALID_DATA', 'body', { expected_data_type: 'jsonobject' }, { cause });

/** As `JSON.parse`, but lossless for integers and bounded in depth. Throws `SyntaxError` or `RangeError`. */
export function parseJson(text: string): Json {
  const { depth, longNumber } = survey(text);
  if (depth > MAX_DEPTH) throw new RangeError(`JSON is nested more than ${MAX_DEPTH} deep`);
  const value: unknown = JSON.parse(text);
  return longNumber ? readLossless(text) : (value as Json);
}

/** How deep a text nests, and whether a number outside its strings may be too long for `JSON.parse`. */
function survey(text: string): { depth: number; longNumber: boolean } {
  let depth = 0;
  let open = 0;
  let digits = 0;
  let longNumber = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) {
      digits += 1;
      if (digits === LONG_DIGITS) longNumber = true;
      continue;
    }
    digits = 0;
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === 0x5b || code === 0x7b) {
      open += 1;
      if (open > depth) depth = open;
    } else if (code === 0x5d || code === 0x7d) open -= 1;
  }
  return { depth, longNumber };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Position of the quote that ends the string begun at `start`; the text's end when it has none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

/** Reads a text that `JSON.parse` has accepted, so only well-formed JSON has to be told apart. */
function readLossless(text: string): Json {
  let at = 0;

  function next(): string {
    while (isBlank(text.charCodeAt(at))) at += 1;
    const start = at;
    if (text.charCodeAt(at) === QUOTE) at = endOfString(text, at) + 1;
    else if (STRUCTURE.includes(text.charAt(at))) at += 1;
    else while (at < text.length && !isBlank(text.charCodeAt(at)) && !STRUCTURE.includes(text.charAt(at))) at += 1;
    return text.slice(start, at);
  }

  function readValue(first: string): Json {
    if (first === '[') return readList();
    // Entries become own properties, `__proto__` like any other, as `JSON.parse` does it.
    if (first === '{') return Object.fromEntries(readEntries());
    return /^-?\d+$/.test(first) ? readInteger(first) : (JSON.parse(first) as Json);
  }

  function readList(): Json[] {
    const list: Json[] = [];
    for (let first = next(); first !== ']'; first = next()) {
      if (first !== ',') list.push(readValue(first));
    }
    return list;
  }

  function readEntries(): [string, Json][] {
    const entries: [string, Json][] = [];
    for (let key = next(); key !== '}'; key = next()) {
      if (key === ',') continue;
      next();
      entries.push([JSON.parse(key) as string, readValue(next())]);
    }
    return entries;
  }

  return readValue(next());
}

const STRUCTURE = '[]{}:,';

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function readInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) || text.length > MAX_BIGINT_DIGITS ? value : BigInt(text);
}
