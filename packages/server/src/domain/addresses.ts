/** IP addresses as bytes in network order: 4 of IPv4, 16 of IPv6. */
export type Address = readonly number[];

export interface Range {
  readonly start: Address;
  /** How many bits are fixed. */
  readonly bits: number;
}

export const sameAddress = (one: Address, other: Address): boolean =>
  one.length === other.length && one.every((byte, i) => byte === other[i]);

export function isWithin(address: Address, { start, bits }: Range): boolean {
  if (address.length !== start.length) return false;
  return start.every((byte, i) => {
    const fixed = Math.min(Math.max(bits - i * 8, 0), 8);
    const mask = (0xff << (8 - fixed)) & 0xff;
    return ((address[i] ?? 0) & mask) === (byte & mask);
  });
}

/** Of what kind an address is that is not global unicast. */
export type AddressKind =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'site-local'
  | 'unique-local'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'benchmarking'
  | 'discard'
  | 'reserved';

type Special = readonly [range: Range, kind: AddressKind];

const ipv4 = (start: Address, bits: number, kind: AddressKind): Special => [{ start, bits }, kind];

/** IANA's special-purpose IPv4 addresses; the first that fits counts. */
const IPV4: readonly Special[] = [
  ipv4([0, 0, 0, 0], 8, 'unspecified'),
  ipv4([10, 0, 0, 0], 8, 'private'),
  ipv4([100, 64, 0, 0], 10, 'shared'),
  ipv4([127, 0, 0, 0], 8, 'loopback'),
  ipv4([169, 254, 0, 0], 16, 'link-local'),
  ipv4([172, 16, 0, 0], 12, 'private'),
  ipv4([192, 0, 0, 0], 24, 'reserved'),
  ipv4([192, 0, 2, 0], 24, 'documentation'),
  ipv4([192, 31, 196, 0], 24, 'reserved'),
  ipv4([192, 52, 193, 0], 24, 'reserved'),
  ipv4([192, 88, 99, 0], 24, 'reserved'),
  ipv4([192, 168, 0, 0], 16, 'private'),
  ipv4([192, 175, 48, 0], 24, 'reserved'),
  ipv4([198, 18, 0, 0], 15, 'benchmarking'),
  ipv4([198, 51, 100, 0], 24, 'documentation'),
  ipv4([203, 0, 113, 0], 24, 'documentation'),
  ipv4([224, 0, 0, 0], 4, 'multicast'),
  ipv4([255, 255, 255, 255], 32, 'broadcast'),
  ipv4([240, 0, 0, 0], 4, 'reserved'),
];

/** From its first groups of 16 bits; what is left is zero. */
const groups = (first: readonly number[]): number[] =>
  Array.from({ length: 8 }, (_, i) => first[i] ?? 0).flatMap((group) => [group >> 8, group & 0xff]);

const ipv6 = (first: readonly number[], bits: number, kind: AddressKind): Special => [
  { start: groups(first), bits },
  kind,
];

/** Special-purpose IPv6 addresses; the first that fits counts. */
const IPV6: readonly Special[] = [
  ipv6([], 128, 'unspecified'),
  ipv6([0, 0, 0, 0, 0, 0, 0, 1], 128, 'loopback'),
  ipv6([0x100], 64, 'discard'),
  ipv6([0x2001, 2], 48, 'benchmarking'),
  ipv6([0x2001, 0xdb8], 32, 'documentation'),
  ipv6([0x2620, 0x4f, 0x8000], 48, 'reserved'),
  ipv6([0x3fff], 20, 'documentation'),
  ipv6([0xfc00], 7, 'unique-local'),
  ipv6([0xfe80], 10, 'link-local'),
  ipv6([0xfec0], 10, 'site-local'),
  ipv6([0xff00], 8, 'multicast'),
];
const TEREDO: Range = { start: groups([0x2001]), bits: 32 };
/** Of the IETF's own; Teredo is the only part that hosts have. */
const PROTOCOLS: Range = { start: groups([0x2001]), bits: 23 };
const GLOBAL: Range = { start: groups([0x2000]), bits: 3 };
const NAT64: Range = { start: groups([0x64, 0xff9b]), bits: 96 };

/** Of an address by itself, whatever it carries; undefined when it is global unicast. */
export function specialKind(address: Address): AddressKind | undefined {
  const special = (address.length === 4 ? IPV4 : IPV6).find(([range]) => isWithin(address, range));
  if (special) return special[1];
  if (address.length === 4 || isWithin(address, NAT64)) return undefined;
  if (isWithin(address, PROTOCOLS) && !isWithin(address, TEREDO)) return 'reserved';
  return isWithin(address, GLOBAL) ? undefined : 'reserved';
}

/** Where clouds serve credentials and settings to their machines. */
export const METADATA: readonly Address[] = [
  [169, 254, 169, 254], // nearly all
  [169, 254, 170, 2], // AWS containers
  [169, 254, 170, 23],
  [169, 254, 0, 23], // Tencent
  [100, 100, 100, 200], // Alibaba
  [168, 63, 129, 16], // Azure
  [192, 0, 0, 192], // Oracle
  groups([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]), // AWS
  groups([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23]),
  groups([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]), // Google
  groups([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe]), // OpenStack
];

interface Carried {
  /** IPv4 addresses that the address stands for. */
  readonly addresses: readonly Address[];
  /** It is nothing but another spelling of the one that it carries. */
  readonly isSame?: boolean;
}

const NOTHING: Carried = { addresses: [] };
const MAPPED: Range = { start: groups([0, 0, 0, 0, 0, 0xffff]), bits: 96 };
const COMPATIBLE: Range = { start: groups([]), bits: 96 };
const TRANSLATED: Range = { start: groups([0, 0, 0, 0, 0xffff]), bits: 96 };
const LOCAL_NAT64: Range = { start: groups([0x64, 0xff9b, 1]), bits: 48 };
const SIX_TO_FOUR: Range = { start: groups([0x2002]), bits: 16 };

/** IPv4 addresses that an IPv6 one leads to, by how it is made (RFC 4291, 6052, 7915, 3056, 4380, 5214). */
export function embedded(address: Address): Carried {
  if (address.length === 4) return NOTHING;
  const last = address.slice(12);
  const within = (range: Range) => isWithin(address, range);
  if (within(MAPPED)) return { addresses: [last], isSame: true };
  // Below 256 it is the unspecified address, loopback, or nothing that anybody has.
  if (within(COMPATIBLE)) return isZero(last.slice(0, 3)) ? NOTHING : { addresses: [last] };
  if (within(TRANSLATED) || within(NAT64)) return { addresses: [last] };
  if (within(LOCAL_NAT64)) return { addresses: localNat64(address) };
  if (within(SIX_TO_FOUR)) return { addresses: [address.slice(2, 6)] };
  if (within(TEREDO)) return { addresses: [address.slice(4, 8), last.map((byte) => byte ^ 0xff)] };
  const [universal, ...rest] = address.slice(8, 12);
  const isIsatap = (universal === 0 || universal === 2) && sameAddress(rest, [0, 0x5e, 0xfe]);
  return isIsatap ? { addresses: [last] } : NOTHING;
}

const isZero = (bytes: readonly number[]): boolean => bytes.every((byte) => byte === 0);

/** The length of a network's own prefix is not known: the usual place, and metadata in any of the others. */
function localNat64(address: Address): Address[] {
  const [first, ...rest] = address.slice(12);
  const places = [
    [6, 7, 9, 10],
    [7, 9, 10, 11],
    [9, 10, 11, 12],
  ].map((place) => place.map((i) => address[i] ?? 0));
  const metadata = places.filter((place) => METADATA.some((known) => sameAddress(known, place)));
  // Behind an address that stands elsewhere there are zeros.
  const isElsewhere = first === 0 || isZero(rest);
  return isElsewhere ? metadata : [...metadata, address.slice(12)];
}
