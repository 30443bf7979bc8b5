import type { DatabaseHost } from '../../domain/database-url.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { agreeOnHistory, isNotTold, readServer, type Server } from './postgres-agree.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { sqlStateOf } from './postgres-errors.ts';
import { isBehind, type UsedHistory } from './postgres-history.ts';

/** Connections to whichever of several servers takes writes. */
export interface Hosts {
  /**
   * One that is open and judged: its server takes writes, is of a version that works, and its data go on where those used
   * until now ended. Rejects with what is amiss with each server when there is none; the caller ends it. Those to a server
   * that is used no more are destroyed.
   */
  connect(): Promise<PostgresConnection>;
}

export interface HostsOptions {
  readonly hosts: readonly DatabaseHost[];
  readonly open: (host: DatabaseHost) => Promise<PostgresConnection>;
  /** For opening a connection and judging its server, all in all. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** The data have another history than those used until now. Called before the first connection to them is given out. */
  readonly onOtherHistory: () => void;
}

interface Judged {
  readonly host: DatabaseHost;
  readonly server: Server;
}

/** How long those that have not answered yet are waited for once one is found that takes writes. */
const GRACE_MS = 1000;

export function createHosts({ hosts, open, timeoutMs, logger, onOtherHistory }: HostsOptions): Hosts {
  let current: DatabaseHost | undefined;
  let used: UsedHistory | undefined;
  let searching: Promise<DatabaseHost> | undefined;
  /** Why a server is not used, as told last. */
  const refused = new Map<DatabaseHost, string>();
  /** They do not tell their history. */
  const silent = new Set<DatabaseHost>();
  /** Those given out that stand. */
  const standing = new Map<PostgresConnection, DatabaseHost>();

  async function connect(): Promise<PostgresConnection> {
    const known = current;
    if (known) {
      try {
        return await enter(known);
      } catch (error) {
        if (isCrowded(error)) throw noServer([[known, error]]);
        doubt(known);
      }
    }
    searching ??= search().finally(() => {
      searching = undefined;
    });
    const found = await searching;
    try {
      return await enter(found);
    } catch (error) {
      throw noServer([[found, error]]);
    }
  }

  /** Asks all at once, since one that takes writes may be an old primary, and takes the newest. */
  async function search(): Promise<DatabaseHost> {
    const [only] = hosts;
    if (only && hosts.length === 1) return only;
    const found: Judged[] = [];
    const failed: [DatabaseHost, unknown][] = [];
    let enough: () => void = () => {};
    const grace = new Promise<void>((resolve) => {
      enough = resolve;
    });
    let timer: NodeJS.Timeout | undefined;
    const asking = hosts.map(async (host) => {
      try {
        found.push(await ask(host));
        timer ??= setTimeout(enough, GRACE_MS);
      } catch (error) {
        failed.push([host, error]);
        tellRefused(host, error);
      }
    });
    await Promise.race([Promise.all(asking), grace]);
    clearTimeout(timer);
    const [first, ...others] = found;
    if (!first) throw noServer(failed);
    return others.reduce(newer, first).host;
  }

  const ask = (host: DatabaseHost): Promise<Judged> =>
    withConnection(host, async (connection, server) => {
      connection.destroy();
      return { host, server };
    });

  const enter = (host: DatabaseHost): Promise<PostgresConnection> =>
    withConnection(host, async (connection, server) => {
      const now = await agreeOnHistory(connection, server, (from, to) => {
        logger.warn(
          { host: nameOf(host), was: { ...from }, is: { ...to } },
          'the database was promoted or restored: channels number anew from here on',
        );
      });
      // Another connection may have come to a newer one meanwhile.
      refuseOld(now);
      const isOther = used !== undefined && used.epoch.label !== now.epoch.label;
      used = now;
      // Nothing is written any more where the data go another way.
      for (const [other, where] of standing) if (isOther || where !== host) other.destroy();
      if (current !== host) logger.info({ host: nameOf(host) }, 'a database server takes writes and is used');
      current = host;
      refused.delete(host);
      if (now.server && server.hasStore) connection.holdTo(now.server.timeline);
      standing.set(connection, host);
      connection.onLost(() => {
        standing.delete(connection);
        doubt(host);
      });
      if (isOther) onOtherHistory();
      return connection;
    });

  /** Destroys it when something is amiss, or takes too long. */
  async function withConnection<Result>(
    host: DatabaseHost,
    act: (connection: PostgresConnection, server: Server) => Promise<Result>,
  ): Promise<Result> {
    const connection = await open(host);
    const timer = setTimeout(connection.destroy, timeoutMs);
    try {
      const server = await readServer(connection, !silent.has(host));
      refuseOld(server.used);
      return await act(connection, server);
    } catch (error) {
      connection.destroy();
      if (!isNotTold(error) || silent.has(host)) throw error;
      silent.add(host);
      logger.warn(
        { host: nameOf(host), reason: reasonOf(error) },
        'a database server does not tell its timeline: after a promotion, start with --restored',
      );
      return await withConnection(host, act);
    } finally {
      clearTimeout(timer);
    }
  }

  function refuseOld(found: UsedHistory): void {
    if (used && isBehind(used, found)) {
      throw new Error('its data are older than those used until now, as of an old primary that came back');
    }
  }

  function tellRefused(host: DatabaseHost, error: unknown): void {
    const reason = reasonOf(error);
    if (refused.get(host) === reason) return;
    refused.set(host, reason);
    logger.warn({ host: nameOf(host), reason }, 'a database server is not used');
  }

  /** It may take no writes any more: all are asked before the next connection. */
  function doubt(host: DatabaseHost): void {
    if (current === host) current = undefined;
  }

  return { connect };
}

/** Of two that take writes, the one whose data go further; the one before it when neither does. */
const newer = (best: Judged, next: Judged): Judged =>
  isBehind(next.server.used, best.server.used) && !isBehind(best.server.used, next.server.used) ? next : best;

function noServer(failed: readonly (readonly [DatabaseHost, unknown])[]): Error {
  const reasons = failed.map(([host, error]) => `${nameOf(host)}: ${reasonOf(error)}`);
  return new Error(`No database server can be used: ${reasons.join('; ')}`, { cause: failed[0]?.[1] });
}

/** There is no room for another connection; the server is well. */
const isCrowded = (error: unknown): boolean => sqlStateOf(error)?.startsWith('53') ?? false;

const nameOf = ({ host, port }: DatabaseHost): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

function reasonOf(error: unknown): string {
  // Several addresses of one name that all failed.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
}
