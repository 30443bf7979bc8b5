import type { Generation, OrgId } from '../domain/ids.ts';
import { placeInChannel } from './channels.ts';
import type { Cipher } from './cipher.ts';
import { changeRows, type Db, type Row, sql, type Write } from './db.ts';
import { forgetKeys } from './key-check.ts';
import { placeOfOrgUrl } from './notices.ts';
import { placeInOrg } from './org-signing.ts';
import { text, textOrNone } from './rows.ts';
import type { SealedPosition, SealedStore } from './store.ts';

/** Rows looked at by one step; each that is sealed anew has up to four texts. */
const STEP_ROWS = 100;

const START: SealedPosition = { org: '', generation: '' };

/**
 * What is sealed under former keys, and how it comes under the present one: row by row along the keys of the tables. A row
 * that was saved meanwhile is left as it is, as whatever is saved is sealed under the present key.
 */
export function createSealedStore(
  db: Pick<Db, 'read' | 'write'>,
  cipher: Cipher,
  formerKeys: readonly string[],
  keysInUse: () => Promise<readonly string[]> = async () => [],
): SealedStore {
  let needed = formerKeys;

  return {
    keyId: cipher.keyId,
    formerKeys: () => needed,
    formerKeysInUse: async () => (await keysInUse()).filter((keyId) => needed.includes(keyId)),

    async resealOrgs(after = '') {
      const [rows = []] = await db.read([
        sql`SELECT id, signing, lifecycle_url FROM org WHERE id > ${after} ORDER BY id LIMIT ${STEP_ROWS}`,
      ]);
      const stale = rows.filter(isStale);
      await write(
        changeRows(stale, (row) => {
          const org = text<OrgId>(row, 'id');
          const [signing, url] = [textOrNone(row, 'signing'), textOrNone(row, 'lifecycle_url')];
          // Either may have been set or taken away meanwhile.
          return sql`
            UPDATE org SET
              signing = CASE signing WHEN ${signing ?? ''} THEN ${anewOrNone(signing, placeInOrg(org))} ELSE signing END,
              lifecycle_url = CASE lifecycle_url WHEN ${url ?? ''} THEN ${anewOrNone(url, placeOfOrgUrl(org))}
                ELSE lifecycle_url END
            WHERE id = ${org}`;
        }),
      );
      const last = rows.at(-1);
      return { resealed: stale.length, ...(last && { last: text(last, 'id') }) };
    },

    async resealChannels(after = START) {
      const [rows = []] = await db.read([
        sql`
          SELECT org_id, generation, notify_url, token, signing, lifecycle_url FROM channel
          WHERE (org_id, generation) > (${after.org}, ${after.generation})
          ORDER BY org_id, generation LIMIT ${STEP_ROWS}`,
      ]);
      const stale = rows.filter(isStale);
      await write(
        changeRows(stale, (row) => {
          const [org, generation] = [text<OrgId>(row, 'org_id'), text<Generation>(row, 'generation')];
          const sealed = (column: string): string | null =>
            anewOrNone(textOrNone(row, column), placeInChannel(org, generation, column));
          return sql`
            UPDATE channel SET notify_url = ${sealed('notify_url')}, token = ${sealed('token')},
              signing = ${sealed('signing')}, lifecycle_url = ${sealed('lifecycle_url')}
            WHERE org_id = ${org} AND generation = ${generation} AND notify_url = ${text(row, 'notify_url')}`;
        }),
      );
      const last = rows.at(-1);
      return {
        resealed: stale.length,
        ...(last && { last: { org: text(last, 'org_id'), generation: text(last, 'generation') } }),
      };
    },

    async forgetFormerKeys() {
      await forgetKeys(db, needed);
      needed = [];
    },
  };

  function isStale(row: Row): boolean {
    return SEALED_COLUMNS.some((column) => {
      const sealed = row[column];
      return typeof sealed === 'string' && !cipher.isCurrent(sealed);
    });
  }

  function anewOrNone(sealed: string | undefined, place: readonly string[]): string | null {
    return sealed === undefined ? null : cipher.seal(cipher.open(sealed, place), place);
  }

  async function write(change: Write): Promise<void> {
    if ('rows' in change && change.rows.length > 0) await db.write([change]);
  }
}

const SEALED_COLUMNS = ['notify_url', 'token', 'signing', 'lifecycle_url'] as const;
