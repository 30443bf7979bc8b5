import type { Row } from './db.ts';

// Rows become domain values here and nowhere else. What does not fit is a damaged store or a bug, never bad input.

export function text<Text extends string = string>(row: Row, column: string): Text {
  const value = row[column];
  if (typeof value !== 'string') throw misfit(column, 'text', value);
  return value as Text;
}

export const textOrNone = <Text extends string = string>(row: Row, column: string): Text | undefined =>
  row[column] === null ? undefined : text<Text>(row, column);

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (!Number.isSafeInteger(value)) throw misfit(column, 'an integer', value);
  return value as number;
}

export const integerOrNone = (row: Row, column: string): number | undefined =>
  row[column] === null ? undefined : integer(row, column);

export const flag = (row: Row, column: string): boolean => integer(row, column) === 1;

export function oneOf<const Text extends string>(row: Row, column: string, allowed: readonly Text[]): Text {
  const value = text(row, column);
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw misfit(column, `one of ${allowed.join(', ')}`, value);
  return found;
}

export function jsonObject<Shape extends object>(row: Row, column: string): Shape {
  const value: unknown = JSON.parse(text(row, column));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misfit(column, 'a JSON object', value);
  return value as Shape;
}

/** A JSON list whose every item is of the kind that we wrote there. */
function jsonList<Item>(row: Row, column: string, fits: (item: unknown) => boolean): Item[] {
  const value: unknown = JSON.parse(text(row, column));
  if (!Array.isArray(value) || !value.every(fits)) throw misfit(column, 'a JSON list', value);
  return value as Item[];
}

export const textList = <Text extends string = string>(row: Row, column: string): Text[] =>
  jsonList<Text>(row, column, (item) => typeof item === 'string');

export const integerList = (row: Row, column: string): number[] => jsonList<number>(row, column, Number.isSafeInteger);

/** A JSON list of objects that have these members. */
export const objectList = <Item extends object>(row: Row, column: string, members: readonly (keyof Item & string)[]) =>
  jsonList<Item>(
    row,
    column,
    (item) => typeof item === 'object' && item !== null && members.every((member) => member in item),
  );

/** The kind of value is told, never the value: it may be a secret. */
const misfit = (column: string, expected: string, value: unknown) =>
  new TypeError(`The store holds ${value === null ? 'null' : typeof value} in ${column} where ${expected} belongs`);
