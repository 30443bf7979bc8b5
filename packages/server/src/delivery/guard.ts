import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Address, Range } from '../domain/addresses.ts';
import {
  type EgressReason,
  type EgressRefusal,
  type EgressRules,
  isTrustedHost,
  type JudgeUrl,
  type PortRange,
  plainName,
  refuseAddress,
  refuseName,
  refusePort,
} from '../domain/egress.ts';
import { createResolve, type Resolve } from './resolve.ts';

/** Decides what is connected to (P8). */
export interface Guard {
  readonly judge: JudgeUrl;
  /**
   * The addresses of one look-up that may be connected to, at least one; of a host that is an address, that one.
   * Rejects with `Forbidden` when none is left, with the resolver's error when none was found.
   */
  find(host: string, stop: AbortSignal): Promise<readonly LookupAddress[]>;
}

export interface GuardOptions {
  /** What may be connected to although it is not global: CIDRs, addresses, host names, `*.` and a domain. */
  readonly allow: readonly string[];
  /** Undefined: every port but those of other protocols. */
  readonly ports?: readonly PortRange[];
  /** Instead of the machine's own. */
  readonly resolve?: Resolve;
}

/** The guard refused the port, the name or every address of a receiver. */
export class Forbidden extends Error {
  override readonly name = 'Forbidden';
  readonly refusal: EgressRefusal;

  constructor(refusal: EgressRefusal) {
    super(`${refusal.address} is not connected to: ${refusal.reason}`);
    this.refusal = refusal;
  }
}

export function createGuard({ allow, ports, resolve }: GuardOptions): Guard {
  const rules = readRules(allow, ports);
  const isTrusted = (host: string) => isTrustedHost(host, rules);
  const lookUp = resolve ?? createResolve({ isOwn: isTrusted });

  /** Of text that a resolver answered or that stands in a URL. */
  function refuse(text: string, trusted: boolean): EgressReason | undefined {
    const address = addressOf(text);
    return address ? refuseAddress(address, rules, trusted) : 'malformed';
  }
  function refuseHost(host: string): EgressReason | undefined {
    return isIP(host) === 0 ? refuseName(host, rules) : refuse(host, false);
  }

  return {
    judge(url) {
      const host = unbracketed(url.hostname);
      const port = portOf(url);
      const portReason = refusePort(port, rules);
      if (portReason) return { address: `${url.hostname}:${port}`, reason: portReason };
      const reason = refuseHost(host);
      return reason && { address: host, reason };
    },
    async find(host, stop) {
      const reason = refuseHost(host);
      if (reason) throw new Forbidden({ address: host, reason });
      const family = isIP(host);
      if (family !== 0) return [{ address: host, family }];
      const trusted = isTrusted(host);
      const judged = (await lookUp(host, stop)).map((found) => ({ ...found, reason: refuse(found.address, trusted) }));
      const allowed = judged.filter((found) => found.reason === undefined);
      if (allowed.length > 0) return allowed.map(({ address, family }) => ({ address, family }));
      const [first] = judged;
      throw first?.reason ? new Forbidden({ address: first.address, reason: first.reason }) : notFound(host);
    },
  };
}

/** In bytes, an IPv4 address in IPv6 clothes as IPv4; undefined of what is no plain address, such as one with a zone. */
export function addressOf(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return undefined;
  return ipaddr.process(family === 6 ? inGroups(text) : text).toByteArray();
}

/** Hexadecimal throughout: `::8.8.8.8` would be read as `::ffff:8.8.8.8`. */
const inGroups = (text: string): string => unbracketed(new URL(`http://[${text}]`).hostname);

export const portOf = ({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);

/** A host as it stands in a URL, without the brackets of version 6. */
export const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, '');

const notFound = (host: string): Error => Object.assign(new Error(`No address of ${host}`), { code: 'ENOTFOUND' });

function readRules(allow: readonly string[], ports: readonly PortRange[] | undefined): EgressRules {
  const entries = allow.map((entry) => ({ entry, range: readRange(entry) }));
  return {
    ranges: entries.flatMap(({ range }) => range ?? []),
    hosts: entries.flatMap(({ entry, range }) => (range ? [] : [plainName(entry)])),
    ports,
  };
}

/** A CIDR or a single address; undefined of a host name. */
function readRange(entry: string): Range | undefined {
  const [text = '', bits] = entry.split('/');
  const plain = unbracketed(text);
  if (isIP(plain) === 0) return undefined;
  const start = ipaddr.parse(isIP(plain) === 6 ? inGroups(plain) : plain).toByteArray();
  const fixed = bits === undefined ? start.length * 8 : Number(bits);
  const mapped = addressOf(plain);
  // IPv4 in IPv6 clothes: addresses are judged without them.
  if (mapped && mapped.length < start.length && fixed >= 96) return { start: mapped, bits: fixed - 96 };
  return { start, bits: fixed };
}
