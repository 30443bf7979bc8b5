import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { AppError } from '../domain/error.ts';
import type { OrgId } from '../domain/ids.ts';

/** What a list that is read page by page takes in its query. */
export const CursorPaging = {
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1500, description: 'Where to go on: `next` of the page before' }),
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

/** Whose cursor it is: it is good for nobody else. */
interface Holder {
  readonly org: OrgId;
  readonly by: string;
}

/** Seals a text for a place, and opens it; throws for what was not sealed for that place. */
interface Sealer {
  seal(text: string, place: readonly string[]): string;
  open(sealed: string, place: readonly string[]): string;
}

/**
 * Opaque text for a place in a list, for pages to go on from: sealed, because a page may stop at what its reader must not
 * know of, such as a failure of another user's channel. It gives no right to anything.
 */
export interface Cursors {
  write(holder: Holder, place: object): string;
  /** The place that a cursor stands for, if it was made for such a list; undefined: the first page. INVALID_DATA «cursor». */
  read<Place extends TSchema>(holder: Holder, cursor: string | undefined, schema: Place): Static<Place> | undefined;
}

export function createCursors({ seal, open }: Sealer): Cursors {
  const placeOf = ({ org, by }: Holder) => ['cursor', org, by];
  function parse(holder: Holder, cursor: string): unknown {
    try {
      return JSON.parse(open(cursor, placeOf(holder)));
    } catch {
      return undefined;
    }
  }
  return {
    write: (holder, place) => seal(JSON.stringify(place), placeOf(holder)),
    read(holder, cursor, schema) {
      if (cursor === undefined) return undefined;
      const place = parse(holder, cursor);
      if (Value.Check(schema, place)) return place;
      throw new AppError('INVALID_DATA', 'cursor is none of this list', { api_name: 'cursor' });
    },
  };
}
