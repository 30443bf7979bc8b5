import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Decides which addresses are connected to (P8). */
export interface Guard {
  isAllowed(address: string): boolean;
  /** Finds a host's addresses and answers only allowed ones; `ForbiddenAddress` when none is left. */
  readonly lookup: LookupFunction;
  /** Judges a host that is an address itself: sockets look none of those up. */
  vetLiteral(host: string): ForbiddenAddress | undefined;
}

/** The guard refused every address of a host. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
  readonly address: string;

  constructor(address: string) {
    super(`Address ${address} is not public`);
    this.address = address;
  }
}

type Address = ReturnType<typeof ipaddr.process>;
type Range = ReturnType<typeof ipaddr.parseCIDR>;
type Resolve = (host: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void;

const systemResolve: Resolve = (host, done) => lookup(host, { all: true, verbatim: true }, done);

/**
 * `allow`: what may be connected to although it is not public. Ranges (CIDR) and single addresses; host names, whose
 * addresses are then not judged, whatever their letter case.
 */
export function createGuard(allow: readonly string[], resolve: Resolve = systemResolve): Guard {
  const ranges: Range[] = [];
  const hosts = new Set<string>();
  for (const entry of allow) {
    if (ipaddr.isValidCIDR(entry)) ranges.push(ipaddr.parseCIDR(entry));
    else if (ipaddr.isValid(unbracketed(entry))) ranges.push(single(ipaddr.process(unbracketed(entry))));
    else hosts.add(entry.toLowerCase());
  }

  const isAllowed = (text: string): boolean => {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return isPublic(address) || ranges.some((range) => isWithin(address, range));
  };

  return {
    isAllowed,
    lookup(host, { all }, done) {
      resolve(host, (error, found) => {
        if (error) return done(error, []);
        const trusted = hosts.has(host.toLowerCase());
        const allowed = trusted ? found : found.filter(({ address }) => isAllowed(address));
        const first = allowed[0];
        if (!first) return done(new ForbiddenAddress(found[0]?.address ?? host), []);
        if (all) done(null, allowed);
        else done(null, first.address, first.family);
      });
    },
    vetLiteral(host) {
      const literal = unbracketed(host);
      if (isIP(literal) === 0 || isAllowed(literal)) return undefined;
      return new ForbiddenAddress(literal);
    },
  };
}

const single = (address: Address): Range => (address instanceof ipaddr.IPv4 ? [address, 32] : [address, 128]);
const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, '');

/** Global unicast only. Of IPv6 that is 2000::/3; addresses that embed an IPv4 one were turned into it or are refused. */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || ((address.parts[0] ?? 0) & 0xe000) === 0x2000;
}

function isWithin(address: Address, [range, bits]: Range): boolean {
  if (address instanceof ipaddr.IPv4) return range instanceof ipaddr.IPv4 && address.match(range, bits);
  return range instanceof ipaddr.IPv6 && address.match(range, bits);
}
