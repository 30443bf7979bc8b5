import type { Signing } from '../domain/channel.ts';
import type { OrgId } from '../domain/ids.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { Cipher, Place } from './cipher.ts';
import { type Row, type Statement, sql, type Write } from './db.ts';
import { textOrNone } from './rows.ts';

export const placeInOrg = (org: OrgId): Place => ['org', org, 'signing'];

export const selectSigning = (org: OrgId): Statement => sql`SELECT signing FROM org WHERE id = ${org}`;

/** Undefined when the organisation has none, or is not there. */
export function readSigning(row: Row | undefined, org: OrgId, cipher: Cipher): Signing | undefined {
  const sealed = row && textOrNone(row, 'signing');
  return sealed === undefined ? undefined : (JSON.parse(cipher.open(sealed, placeInOrg(org))) as Signing);
}

export function saveSigning(org: OrgId, { orgSigning }: Pick<WriteSet, 'orgSigning'>, cipher: Cipher): Write[] {
  if (orgSigning === undefined) return [];
  const sealed = orgSigning === 'none' ? null : cipher.seal(JSON.stringify(orgSigning), placeInOrg(org));
  return [sql`UPDATE org SET signing = ${sealed} WHERE id = ${org}`];
}
