import type { Outcome } from '../domain/attempt.ts';
import { bucketOf } from '../domain/bucket.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { readHealth, selectHealth } from './channel-health.ts';
import { readChannel, selectGeneration } from './channels.ts';
import type { Cipher } from './cipher.ts';
import { type Db, type Statement, sql, type Write } from './db.ts';
import { readFirstAbout, readOwed, saveSettlements, selectFirstAbout, selectWindow } from './notifications.ts';
import { readSigning, selectSigning } from './org-signing.ts';
import { jsonObject, text } from './rows.ts';
import type { DeliveryStore, Settlement } from './store.ts';

/** Lets nothing be saved under a lease that is over. Leases are `bucket:epoch`. */
export interface Fence {
  /** Written first: what follows is saved only if all of these hold. */
  hold(leases: readonly string[]): Write;
  /** Whether a write failed of that. */
  isBroken(error: unknown): boolean;
  /** Those of them that hold. */
  held(leases: readonly string[]): Promise<ReadonlySet<string>>;
}

/**
 * Channels that owe something that is not cancelled, and send. From what is owed, and not from all channels: most owe
 * nothing. Counted, and not joined: a server that does not know how many channels there are would walk them all.
 */
export function selectOwing(org?: OrgId): Statement {
  const orgs = org === undefined ? sql`SELECT id FROM org` : sql`SELECT ${org} AS id`;
  const next = (orgId: Statement, after: Statement) => sql`(
    SELECT MIN(o.generation) FROM owed o WHERE o.org_id = ${orgId} ${after})`;
  return sql`
    WITH RECURSIVE owing (org_id, generation) AS (
      SELECT i.id, ${next(sql`i.id`, sql``)} FROM (${orgs}) i
      UNION ALL
      SELECT w.org_id, ${next(sql`w.org_id`, sql`AND o.generation > w.generation`)} FROM owing w
      WHERE w.generation IS NOT NULL
    )
    SELECT w.org_id, w.generation FROM owing w
    WHERE w.generation IS NOT NULL AND (
      SELECT COUNT(*) FROM channel c
      WHERE c.org_id = w.org_id AND c.generation = w.generation AND c.ended_at IS NULL AND c.suspended_at IS NULL
        AND EXISTS (
          SELECT 1 FROM owed o
          WHERE o.org_id = c.org_id AND o.generation = c.generation AND o.number > COALESCE(c.cancelled_to, 0))) = 1`;
}

/** Without a fence this process owns everything. */
export function createDeliveryStore(db: Db, cipher: Cipher, fence?: Fence): DeliveryStore {
  return {
    async lanes(org) {
      const [rows = []] = await db.read([selectOwing(org)]);
      return rows.map((row) => ({ org: text<OrgId>(row, 'org_id'), generation: text<Generation>(row, 'generation') }));
    },

    async suspended() {
      const [rows = []] = await db.read([sql`SELECT id FROM org WHERE suspended_at IS NOT NULL`]);
      return rows.map((row) => text<OrgId>(row, 'id'));
    },

    async channel(org, generation) {
      const [channels, attempts, healths] = await db.load([
        selectGeneration(org, generation),
        sql`
          SELECT outcome FROM attempt WHERE org_id = ${org} AND generation = ${generation}
          ORDER BY number DESC, attempt DESC LIMIT 1`,
        selectHealth(org, [generation]),
      ]);
      const [row] = channels ?? [];
      if (!row) return undefined;
      const channel = readChannel(row, org, cipher);
      const [attempt] = attempts ?? [];
      const [health] = healths ?? [];
      return {
        channel,
        ...(attempt && { lastSucceeded: jsonObject<Outcome>(attempt, 'outcome').kind === 'delivered' }),
        ...(health && { health: readHealth(health) }),
      };
    },

    async signing(org) {
      const [rows] = await db.load([selectSigning(org)]);
      return readSigning(rows?.[0], org, cipher);
    },

    async window(org, generation, from, limit, maxBytes) {
      const [rows = []] = await db.load([selectWindow(org, generation, from, limit, maxBytes)]);
      return rows.map(readOwed);
    },

    async firstAbout(org, generation, searches, maxBytes) {
      const [rows = []] = await db.read([selectFirstAbout(db.dialect, org, generation, searches, maxBytes)]);
      return readFirstAbout(searches, rows);
    },

    async settle(settlements) {
      let held = settlements;
      while (held.length > 0) {
        const leases = fence ? [...new Set(held.flatMap((one) => leaseOf(one) ?? []))] : [];
        try {
          await db.write(saveSettlements(held, fence && leases.length > 0 ? [fence.hold(leases)] : []));
          break;
        } catch (error) {
          if (!fence?.isBroken(error)) throw error;
          const holding = await fence.held(leases);
          const rest = held.filter((one) => holding.has(leaseOf(one) ?? '') || leaseOf(one) === undefined);
          if (rest.length === held.length) throw error;
          held = rest;
        }
      }
      if (held.length === settlements.length) return [];
      const saved = new Set(held);
      return settlements.filter((one) => !saved.has(one));
    },
  };
}

const leaseOf = ({ generation, epoch }: Settlement): string | undefined =>
  epoch === undefined ? undefined : `${bucketOf(generation)}:${epoch}`;
