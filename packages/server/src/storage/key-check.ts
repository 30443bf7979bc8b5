import type { Cipher } from './cipher.ts';
import { type Db, insertRows, sql } from './db.ts';
import { StoreRefusal } from './refusal.ts';
import { text } from './rows.ts';

const NAME = 'key_check';
const PLACE = ['meta', NAME];
const TEXT = 'watchbell';

/** Binds a new store to its secret key and refuses another one later. */
export async function checkSecretKey(db: Db, cipher: Cipher): Promise<void> {
  const [rows = []] = await db.load([sql`SELECT value FROM meta WHERE name = ${NAME}`]);
  const [row] = rows;
  if (!row) {
    await db.write([insertRows('meta (name, value)', [[NAME, cipher.seal(TEXT, PLACE)]])]);
    return;
  }
  try {
    cipher.open(text(row, 'value'), PLACE);
  } catch (cause) {
    throw new StoreRefusal('WRONG_SECRET_KEY', 'WATCHBELL_SECRET_KEY is not the key that this store was created with', {
      cause,
    });
  }
}

/** Writes for real and changes nothing. */
export const probe = (db: Db) => db.write([sql`UPDATE meta SET value = value WHERE name = ${NAME}`]);
