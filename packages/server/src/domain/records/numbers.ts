import type { Json } from '../json.ts';
import type { Field } from '../module.ts';
import { invalidValue } from './refusals.ts';
import { done, type Result, refused } from './result.ts';

const INTEGER_DIGITS = 9;
const BIGINT_DIGITS = 18;
const FRACTION_DIGITS = 16;

/** An integer as a number, a big one as digits: it may be beyond 2^53. */
export function readWhole(field: Field, input: Json, path: string): Result<Json> {
  const isBig = field.type === 'bigint';
  const digits = wholeDigits(input, isBig);
  if (digits === undefined) {
    return refused(invalidValue(path, field.apiName, { expected_data_type: isBig ? 'bigint' : 'integer' }));
  }
  const longest = field.length ?? (isBig ? BIGINT_DIGITS : INTEGER_DIGITS);
  if (digits.replace('-', '').length > longest) {
    return refused(invalidValue(path, field.apiName, { maximum_length: longest }));
  }
  return done(isBig ? digits : Number(digits));
}

function wholeDigits(input: Json, textToo: boolean): string | undefined {
  if (typeof input === 'bigint') return input.toString();
  if (typeof input === 'number') return Number.isInteger(input) ? BigInt(input).toString() : undefined;
  if (textToo && typeof input === 'string' && /^-?\d{1,25}$/.test(input)) return BigInt(input).toString();
  return undefined;
}

/** A number rounded to the field's decimals; its length bounds the digits before the point. */
export function readFraction(field: Field, input: Json, path: string): Result<Json> {
  const value = typeof input === 'bigint' ? Number(input) : input;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return refused(invalidValue(path, field.apiName, { expected_data_type: 'double' }));
  }
  const longest = Math.min(field.length ?? FRACTION_DIGITS, FRACTION_DIGITS);
  if (Math.abs(value) >= 10 ** longest) {
    return refused(invalidValue(path, field.apiName, { maximum_length: longest }));
  }
  const rounded = field.decimals === undefined ? value : Number(value.toFixed(field.decimals));
  return done(rounded === 0 ? 0 : rounded);
}
