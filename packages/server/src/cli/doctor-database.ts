import type { DatabaseConfig } from '../config.ts';
import { lookAtDatabase, type ServerFacts, type ServerLook } from '../maintenance.ts';
import { type Finding, finding } from './doctor-finding.ts';

/** Each statement waits so long; a write of an organisation waits for two. */
const SLOW_MS = 10;
const OLD_SNAPSHOT_MS = 300_000;
/** Of signatures and tokens, which go by the database's time. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Whether the database can carry a node, and how those on it fare. */
export async function checkDatabase(config: DatabaseConfig): Promise<Finding[]> {
  const looks = await lookAtDatabase(config);
  const primaries = looks.filter(({ facts }) => facts?.takesWrites);
  const [primary] = primaries;
  const findings = looks.map((look) => checkServer(look, primary));
  if (!primary?.facts) return [...findings, finding('database', 'fail', `nothing at ${config.shown} takes writes`)];
  if (primaries.length > 1) {
    const both = primaries.map(({ host }) => host).join(' and ');
    findings.push(finding('database', 'warn', `${both} take writes; the one whose data go further is used`));
  }
  return [...findings, ...checkPrimary(primary.facts, config)];
}

function checkServer({ host, facts, fault }: ServerLook, primary: ServerLook | undefined): Finding {
  const check = `database ${host}`;
  if (!facts) return finding(check, primary ? 'warn' : 'fail', fault ?? 'cannot be looked at');
  const { version, isRecentEnough, takesWrites, roundTrip } = facts;
  const says = `PostgreSQL ${version}, ${takesWrites ? 'takes writes' : 'standby'}, ${roundTrip.toFixed(1)} ms away`;
  if (!isRecentEnough) return finding(check, 'fail', `${says}; 14 or newer is needed`);
  return finding(check, takesWrites && roundTrip > SLOW_MS ? 'warn' : 'ok', says);
}

function checkPrimary(facts: ServerFacts, { poolSizes, hints }: DatabaseConfig): Finding[] {
  const { connections, standbys, ahead, oldestSnapshot } = facts;
  const room = connections.most - connections.used;
  // Two more for leases and looking what others did, and one that waits to be woken.
  const needed = poolSizes.writing + poolSizes.reading + 2 + (hints ? 1 : 0);
  const seconds = Math.round((oldestSnapshot?.ageMs ?? 0) / 1000);
  return [
    finding(
      'connections',
      room < needed ? 'warn' : 'ok',
      `${connections.used} of ${connections.most} are used; a node takes up to ${needed}`,
    ),
    finding(
      'replication',
      'ok',
      standbys.synchronous > 0
        ? `a commit waits for a standby (${standbys.synchronous} of ${standbys.connected})`
        : `no commit waits for a standby (${standbys.connected} there): a failover may lose the last ones`,
    ),
    finding(
      'database clock',
      Math.abs(ahead) > CLOCK_TOLERANCE_MS ? 'warn' : 'ok',
      `${Math.abs(ahead)} ms ${ahead < 0 ? 'behind' : 'ahead of'} this machine's`,
    ),
    finding(
      'oldest snapshot',
      seconds * 1000 > OLD_SNAPSHOT_MS ? 'warn' : 'ok',
      oldestSnapshot ? `${seconds} s: ${oldestSnapshot.holder}` : 'none',
    ),
    checkNodes(facts),
  ];
}

function checkNodes({ nodes = [], unowned }: ServerFacts): Finding {
  const live = nodes.filter(({ leaseLeft }) => leaseLeft > 0);
  const shown = live.map(
    ({ id, buckets, leaseLeft, isLeaving }) =>
      `${id} (${buckets} buckets, lease ${Math.round(leaseLeft / 1000)} s${isLeaving ? ', leaving' : ''})`,
  );
  if (live.length === 0) return finding('nodes', 'ok', 'none');
  const says = `${live.length}: ${shown.join(', ')}`;
  return unowned > 0
    ? finding('nodes', 'warn', `${says}; ${unowned} buckets are nobody's`)
    : finding('nodes', 'ok', says);
}
