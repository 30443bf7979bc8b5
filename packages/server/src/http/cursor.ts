import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { AppError } from '../domain/error.ts';

/** What a list that is read page by page takes in its query. */
export const CursorPaging = {
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, description: 'Where to go on: `next` of the page before' }),
  ),
  limit: Type.Integer({
    minimum: 1,
    maximum: 200,
    default: 50,
    description: 'Most items of a page; it may have fewer',
  }),
};

/** `next` of a page. */
export const Next = Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page; null: no more' });

/** Opaque text for a place in a list: for pages to go on from. Holds no secret and no authority. */
export const writeCursor = (place: object): string => Buffer.from(JSON.stringify(place)).toString('base64url');

/** The place that a cursor stands for, if it was made for such a list; undefined: the first page. INVALID_DATA «cursor». */
export function readCursor<Place extends TSchema>(
  cursor: string | undefined,
  schema: Place,
): Static<Place> | undefined {
  if (cursor === undefined) return undefined;
  const place = parse(cursor);
  if (Value.Check(schema, place)) return place;
  throw new AppError('INVALID_DATA', 'cursor is none of this list', { api_name: 'cursor' });
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
