import { type Db, sql } from './db.ts';
import { StoreRefusal } from './refusal.ts';
import { jsonObject } from './rows.ts';

// Two stores with the same content would give the same numbers to other notifications, so that of the one that was moved
// and the one that it was moved into only the latter opens.

/** In `meta` of a store that was moved: which move it was. */
export const MOVED_TO = 'moved_to';
/** In `meta` of a database: the move that is under way, or was cut short. Nothing of it is there yet. */
export const MOVING = 'moving';
/** In `meta` of a database: the move that filled it. */
export const MOVED_FROM = 'moved_from';

export interface Move {
  /** The same on both sides. */
  readonly id: string;
  /** Real time, epoch ms. */
  readonly at: number;
  /** Where the other side is, for people. */
  readonly place: string;
}

export const aboutMove = ({ place, at }: Move): string => `${place} at ${new Date(at).toISOString()}`;

/** Refuses a store whose content is served elsewhere, and a database that a store is on its way into. */
export async function refuseMoved(db: Pick<Db, 'load'>): Promise<void> {
  const [[to] = [], [into] = []] = await db.load([
    sql`SELECT value FROM meta WHERE name = ${MOVED_TO}`,
    sql`SELECT value FROM meta WHERE name = ${MOVING}`,
  ]);
  if (to) throw new StoreRefusal('STORE_MOVED', movedAway(jsonObject<Move>(to, 'value')));
  if (into) {
    const what = aboutMove(jsonObject<Move>(into, 'value'));
    throw new StoreRefusal(
      'BEING_MOVED',
      `A store is being moved into this database, from ${what}; if that was cut short, run migrate-store again`,
    );
  }
}

export const movedAway = (move: Move): string =>
  `This store was moved to ${aboutMove(move)}: serve that one. If this one is to be served again, say so once by ` +
  '--restored: then no number is given that the other may have given';
