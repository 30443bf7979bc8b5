import { promises as dns, type LookupAddress } from 'node:dns';
import { setTimeout as sleep } from 'node:timers/promises';

/** All addresses of a host name, of one look-up. Rejects with an error whose `code` says why there is none. */
export type Resolve = (host: string, stop: AbortSignal) => Promise<readonly LookupAddress[]>;

export interface ResolveOptions {
  /** Names of the operator's own network. */
  readonly isOwn: (host: string) => boolean;
  /** DNS servers, `address:port`; those of the machine when absent. */
  readonly servers?: readonly string[];
  /** The machine's own resolver, which knows its hosts file and search domains. */
  readonly system?: (host: string) => Promise<readonly LookupAddress[]>;
}

const FIRST_TRY_MS = 800;
const TRIES = 2;
/** How long the other family is waited for once one is known. */
const GRACE_MS = 50;
/** After that the machine's settings are read anew. */
const RESOLVER_LIFE_MS = 60_000;
const MAX_QUEUED = 100;

/**
 * Asks DNS without a thread, so that servers of hostile names, which never answer, hold up nobody else (P5). The machine's
 * resolver has two threads for all: the operator's own names and those without a dot are asked of it at once, names that DNS
 * does not know one at a time.
 */
export function createResolve({ isOwn, servers, system = systemLookup }: ResolveOptions): Resolve {
  let resolver: dns.Resolver | undefined;
  let madeAt = 0;
  let line: Promise<unknown> = Promise.resolve();
  let queued = 0;

  function current(): dns.Resolver {
    if (resolver && performance.now() - madeAt < RESOLVER_LIFE_MS) return resolver;
    resolver = new dns.Resolver({ timeout: FIRST_TRY_MS, tries: TRIES });
    if (servers) resolver.setServers(servers);
    madeAt = performance.now();
    return resolver;
  }

  async function ask(host: string): Promise<readonly LookupAddress[]> {
    const asked = current();
    const four = asked.resolve4(host).then((found) => found.map((address) => ({ address, family: 4 })));
    const six = asked.resolve6(host).then((found) => found.map((address) => ({ address, family: 6 })));
    const grace = Promise.any([four, six]).then(() => sleep(GRACE_MS, [], { ref: false }));
    const orGrace = (family: typeof four) => Promise.race([family, grace]);
    const answers = await Promise.allSettled([orGrace(four), orGrace(six)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    // A server that fails is told rather than a family that is not there.
    const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    throw errors.find((error) => !isUnknown(error)) ?? errors[0];
  }

  function inLine(host: string, stop: AbortSignal, unknown: unknown): Promise<readonly LookupAddress[]> {
    if (queued >= MAX_QUEUED) throw unknown;
    queued += 1;
    const turn = line.then(() => {
      queued -= 1;
      if (stop.aborted) throw unknown;
      return system(host);
    });
    line = turn.catch(() => undefined);
    return turn;
  }

  return async (host, stop) => {
    if (!host.replace(/\.$/, '').includes('.') || isOwn(host)) return system(host);
    try {
      return await ask(host);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      return inLine(host, stop, error);
    }
  };
}

const systemLookup = (host: string): Promise<LookupAddress[]> => dns.lookup(host, { all: true, verbatim: true });

/** The servers answered that there is no such name, or no address of it. */
const isUnknown = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA');
