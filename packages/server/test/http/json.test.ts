import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import { parseJson, parseJsonObject } from '../../src/http/json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('a request body', () => {
  const refused: readonly [string, Uint8Array | undefined][] = [
    ['absent', undefined],
    ['empty', bytes('')],
    ['blank', bytes(' \n')],
    ['no JSON', bytes('watch=1')],
    ['cut off', bytes('{"a":')],
    ['followed by something', bytes('{} x')],
    ['a list', bytes('[]')],
    ['null', bytes('null')],
    ['a text', bytes('"x"')],
    ['a long number', bytes('123456789012345678901')],
    ['a list with a long number', bytes('[123456789012345678901]')],
    ['a trailing comma', bytes('{"a":1,}')],
    ['a long number with a leading zero', bytes('{"a":0123456789012345678}')],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['nested too deep', bytes(`{"a":${nested(64)}}`)],
    ['nested far too deep', bytes(`{"a":${'['.repeat(500_000)}`)],
  ];

  test.each(refused)('that is %s is refused as no JSON object', (_what, body) => {
    let error: unknown;
    try {
      parseJsonObject(body);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: 'INVALID_DATA',
      message: 'body',
      details: { expected_data_type: 'jsonobject' },
    });
  });

  test('may nest 64 deep', () => {
    expect(parseJsonObject(bytes(`{"a":${nested(63)}}`))).toHaveProperty('a');
  });

  test('may hold any number of brackets inside strings', () => {
    expect(parseJsonObject(bytes(`{"a":"\\"${'['.repeat(100)}"}`))).toEqual({ a: `"${'['.repeat(100)}` });
  });
});

describe('a number', () => {
  const cases: readonly [string, unknown][] = [
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['3652397000000186017', 3652397000000186017n],
    ['1234567890123456789.5', Number('1234567890123456789.5')],
    ['1.2345678901234567', 1.2345678901234567],
    ['12345678901234567890e2', Number('12345678901234567890e2')],
    ['1'.repeat(65), Number('1'.repeat(65))],
    ['42', 42],
  ];

  test.each(cases)('%s keeps every digit that it can', (text, value) => {
    expect(parseJson(text)).toBe(value);
    expect(parseJson(`{ "id" :\t[ ${text} ,"x" ] , "rest":{"b" : ${text}}}`)).toEqual({
      id: [value, 'x'],
      rest: { b: value },
    });
  });
});

test.each([1, 2, 3, 4, 7, 8])('a text that ends with %i escaped characters ends where it ends', (escapes) => {
  const text = JSON.stringify({ a: '\\'.repeat(escapes), b: `"${'\\'.repeat(escapes)}"`, c: '['.repeat(100) });
  expect(parseJson(text)).toEqual(JSON.parse(text));
  expect(() => parseJson(`${text.slice(0, -1)},"d":${'['.repeat(65)}${']'.repeat(65)}}`)).toThrow(RangeError);
});

test('a key named __proto__ is a key like any other', () => {
  for (const text of ['{"__proto__":{"admin":true}}', '{"__proto__":{"admin":true},"n":12345678901234567890}']) {
    const value = parseJsonObject(bytes(text));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value.admin).toBeUndefined();
    expect(Object.hasOwn(value, '__proto__')).toBe(true);
  }
});

test('of a repeated key the last counts', () => {
  expect(parseJson('{"a":1,"a":12345678901234567890}')).toEqual({ a: 12345678901234567890n });
});

describe('without long integers', () => {
  const isShort = (text: string) => !/\d{16}/.test(text.replace(/\.\d+/g, ''));

  test('every value is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json().filter(isShort), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('every value beside a long integer is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json().filter(isShort), fc.constantFrom('', ' ', '\n\t'), (text, blank) => {
        const mixed = `[${blank}12345678901234567890${blank},${blank}${text}${blank}]`;
        expect(parseJson(mixed)).toEqual([12345678901234567890n, JSON.parse(text)]);
      }),
    );
  });
});

test('every integer comes back digit for digit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (value) => {
      const read = parseJson(`{"id":${value}}`) as { id: number | bigint };
      expect(BigInt(read.id)).toBe(value);
    }),
  );
});
