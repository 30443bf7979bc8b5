import type { Cipher, Place } from './cipher.ts';
import { type Db, list, sql } from './db.ts';
import { StoreRefusal } from './refusal.ts';
import { text } from './rows.ts';

/** One row of `meta` for each key under which something may be sealed, written before the first such thing. */
const PREFIX = 'key_check/';
/** What follows the prefix in the order of texts. */
const BEYOND = 'key_check0';
/** Locked by whoever adds one. */
const TURN = 'key_turn';
const TEXT = 'watchbell';

const nameOf = (keyId: string): string => PREFIX + keyId;
const placeOf = (keyId: string): Place => ['meta', nameOf(keyId)];

/**
 * Refuses a store of which something may be sealed under a key that is not given, and binds it to the present key, unless
 * nothing will be sealed. Answers the ids of former keys that it still needs.
 */
export async function checkSecretKeys(
  db: Pick<Db, 'load' | 'write'>,
  cipher: Cipher,
  { binds }: { readonly binds: boolean } = { binds: true },
): Promise<string[]> {
  const [rows = []] = await db.load([
    sql`SELECT name, value FROM meta WHERE name >= ${PREFIX} AND name < ${BEYOND} ORDER BY name`,
  ]);
  const checks = rows.map((row) => ({ keyId: text(row, 'name').slice(PREFIX.length), sealed: text(row, 'value') }));
  const missing = checks.filter(({ keyId }) => !cipher.knows(keyId)).map(({ keyId }) => keyId);
  if (missing.length > 0) {
    throw new StoreRefusal(
      'WRONG_SECRET_KEY',
      `This store holds secrets under the key with the id ${missing.join(', ')}, which is neither WATCHBELL_SECRET_KEY ` +
        `(its id is ${cipher.keyId}) nor in WATCHBELL_FORMER_SECRET_KEYS`,
    );
  }
  for (const { keyId, sealed } of checks) tryKey(cipher, keyId, sealed);
  if (binds && !checks.some(({ keyId }) => keyId === cipher.keyId)) {
    const seen = list(checks.map(({ keyId }) => nameOf(keyId)));
    const [, bound = []] = await db.write([
      // Those that start at once go one after the other.
      sql`INSERT INTO meta (name, value) VALUES (${TURN}, '') ON CONFLICT (name) DO UPDATE SET value = meta.value`,
      sql`
        INSERT INTO meta (name, value) SELECT ${nameOf(cipher.keyId)}, ${cipher.seal(TEXT, placeOf(cipher.keyId))}
        WHERE NOT EXISTS (
          SELECT 1 FROM meta WHERE name >= ${PREFIX} AND name < ${BEYOND} AND NOT (name IN ${seen}))
        RETURNING name`,
    ]);
    if (bound.length === 0) return checkSecretKeys(db, cipher);
  }
  return checks.map(({ keyId }) => keyId).filter((keyId) => keyId !== cipher.keyId);
}

function tryKey(cipher: Cipher, keyId: string, sealed: string): void {
  try {
    cipher.open(sealed, placeOf(keyId));
  } catch (cause) {
    throw new StoreRefusal('WRONG_SECRET_KEY', `The key with the id ${keyId} does not open what it should`, { cause });
  }
}

/** Nothing is sealed under these keys any more: the store opens without them. */
export const forgetKeys = (db: Pick<Db, 'write'>, keyIds: readonly string[]) =>
  db.write(keyIds.map((keyId) => sql`DELETE FROM meta WHERE name = ${nameOf(keyId)}`));
