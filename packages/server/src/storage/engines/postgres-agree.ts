import { randomBytes } from 'node:crypto';
import { FIRST_EPOCH, type StoreEpoch } from '../../domain/restart.ts';
import { insertRows, type Row, sql, type Write } from '../db.ts';
import { EPOCH_LABEL_BYTES, saveNextEpoch } from '../epoch.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { sqlStateOf } from './postgres-errors.ts';
import { compareHistory, type ServerHistory, timelineOfFile, type UsedHistory } from './postgres-history.ts';
import { plain, type Query, toQuery } from './postgres-sql.ts';

/** The oldest version that works, as `server_version_num` has it. */
const OLDEST_VERSION = 140_000;
/** Whoever agrees on the history holds it; any number that no other lock has. */
const LOCK = 7_748_327_001;
const TIMELINE = 'timeline';

const SELECT_SERVER = plain(`
  SELECT pg_is_in_recovery() AS recovering, current_setting('transaction_read_only') AS read_only,
    current_setting('server_version_num') AS version, to_regclass('meta') IS NOT NULL AS has_store`);

/**
 * The name of the file that is written now has the timeline from the first write after a promotion on, which the last
 * checkpoint has not.
 */
const SELECT_HISTORY = plain(`
  SELECT pg_walfile_name(pg_current_wal_lsn()) AS file,
    (SELECT system_identifier::text FROM pg_control_system()) AS system`);

const SELECT_STORED = plain(`SELECT name, value FROM meta WHERE name IN ('${TIMELINE}', 'epoch')`);

/**
 * Whoever owned one may have been told so by what is lost, and so may what it has yet to save be about what is lost: epochs
 * of buckets go on where no server can have come to. Nobody uses the server before, so nobody has to be kept out.
 */
export const FREE_BUCKETS = sql`UPDATE bucket SET node = NULL, epoch = epoch + 1000000`;

type Asked = Pick<PostgresConnection, 'once' | 'begin' | 'commit'>;

/** A server that takes writes, as it says. */
export interface Server {
  readonly used: UsedHistory;
  /** False: nothing was migrated yet. */
  readonly hasStore: boolean;
  /** What its database says its history is. */
  readonly stored?: ServerHistory;
}

/** Throws what is amiss with the server. Without `tells` it is not asked for its history. */
export async function readServer(connection: Asked, tells: boolean): Promise<Server> {
  const [server = {}] = await ask(connection, SELECT_SERVER);
  if (server.recovering !== 0) throw new Error('it is a standby');
  if (server.read_only !== 'off') throw new Error('it takes no writes');
  if (Number(server.version) < OLDEST_VERSION) throw new Error('its version is older than PostgreSQL 14');
  const history = tells ? await readHistory(connection) : undefined;
  const hasStore = server.has_store === 1;
  const { stored, epoch } = hasStore ? await readStored(connection) : { epoch: FIRST_EPOCH };
  return { used: { epoch, ...(history && { server: history }) }, hasStore, ...(stored && { stored }) };
}

/**
 * Has the database know the history of its server. When it is another than the one before, the store begins a new epoch:
 * once, however many nodes and connections find out. Answers what holds then.
 */
export async function agreeOnHistory(
  connection: Asked,
  { used, hasStore, stored }: Server,
  tell: (from: ServerHistory, to: ServerHistory) => void,
): Promise<UsedHistory> {
  const { server } = used;
  if (!hasStore || !server || judge(stored, server) === 'same') return used;
  const [, rows = []] = await connection.begin([
    plain(`SELECT pg_advisory_xact_lock(${LOCK})`),
    // What others agreed on before the lock was free.
    SELECT_STORED,
  ]);
  const now = toStored(rows);
  const verdict = judge(now.stored, server);
  const writes: Write[] = [];
  let { epoch } = now;
  if (verdict !== 'same') {
    const row = [TIMELINE, JSON.stringify(server)];
    writes.push(insertRows('meta (name, value)', [row], 'ON CONFLICT (name) DO UPDATE SET value = excluded.value'));
  }
  if (verdict === 'other') {
    const label = randomBytes(EPOCH_LABEL_BYTES).toString('hex');
    writes.push(...saveNextEpoch(epoch, label, Date.now()), FREE_BUCKETS);
    epoch = { number: epoch.number + 1, label };
  }
  await connection.commit(writes.map(toQuery));
  if (verdict === 'other' && now.stored) tell(now.stored, server);
  return { server, epoch };
}

/** Whether it will not tell its history: not allowed, not supported or not there, as with some hosted databases. */
export function isNotTold(error: unknown): boolean {
  const code = sqlStateOf(error) ?? (error instanceof Error ? sqlStateOf(error.cause) : undefined);
  return code === '42501' || code === '42883' || code === '0A000';
}

function judge(stored: ServerHistory | undefined, server: ServerHistory): 'same' | 'first' | 'other' {
  const verdict = compareHistory(stored, server);
  if (verdict !== 'older') return verdict;
  throw new Error(
    `its timeline is ${server.timeline}, and its data are of timeline ${stored?.timeline}: it is not the server that they are of`,
  );
}

async function readHistory(connection: Asked): Promise<ServerHistory> {
  const [row = {}] = await ask(connection, SELECT_HISTORY);
  const timeline = timelineOfFile(String(row.file));
  if (timeline === undefined) throw new Error(`its WAL has a name that is not understood: ${row.file}`);
  return { system: String(row.system), timeline };
}

const readStored = async (connection: Asked) => toStored(await ask(connection, SELECT_STORED));

/** `stored` is undefined when nobody agreed on anything yet. */
function toStored(rows: readonly Row[]): { readonly stored?: ServerHistory; readonly epoch: StoreEpoch } {
  const values = new Map(rows.map(({ name, value }) => [name, JSON.parse(String(value))]));
  const stored: ServerHistory | undefined = values.get(TIMELINE);
  return { epoch: values.get('epoch') ?? FIRST_EPOCH, ...(stored && { stored }) };
}

async function ask(connection: Asked, query: Query): Promise<readonly Row[]> {
  const [rows = []] = await connection.once([query]);
  return rows;
}
