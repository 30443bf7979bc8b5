import { type AddressKind, embedded, isWithin, METADATA, type Range, sameAddress, specialKind } from './addresses.ts';

/** What may be connected to (P8). */
export interface EgressRules {
  /** Allowed although not global. Metadata addresses only when one of them is listed as a single address. */
  readonly ranges: readonly Range[];
  /** Names whose addresses are not judged; `*.` at the beginning: every name below. Lower case, no dot at the end. */
  readonly hosts: readonly string[];
  /** Undefined: every port but those of other protocols. */
  readonly ports: readonly PortRange[] | undefined;
}

/** Both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export type EgressReason =
  | AddressKind
  | 'metadata'
  | 'port'
  /** Another than those vetted was connected to. */
  | 'unvetted'
  /** A zone, or no address at all. */
  | 'malformed';

/** What was refused, as an address, a name or `host:port`, and why. */
export interface EgressRefusal {
  readonly address: string;
  readonly reason: EgressReason;
}

/** Judges what can be judged of a URL without a look-up: its port, special names, addresses in every spelling. */
export type JudgeUrl = (url: URL) => EgressRefusal | undefined;

/**
 * Why an address must not be connected to. One that carries an IPv4 address is judged by that one too. The address of a
 * trusted host is refused as metadata only.
 */
export function refuseAddress(
  address: readonly number[],
  rules: EgressRules,
  isTrusted = false,
): EgressReason | undefined {
  if (rules.ranges.some((range) => range.bits === range.start.length * 8 && isWithin(address, range))) return undefined;
  if (METADATA.some((known) => sameAddress(known, address))) return 'metadata';
  const inner = embedded(address);
  for (const carried of inner.addresses) {
    const reason = refuseAddress(carried, rules, isTrusted);
    if (reason) return reason;
  }
  if (isTrusted || inner.isSame || rules.ranges.some((range) => isWithin(address, range))) return undefined;
  return specialKind(address);
}

const IPV4_LOOPBACK = [127, 0, 0, 1];
const IPV6_LOOPBACK = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/** Names under which clouds serve credentials to their machines. */
const METADATA_NAMES = [
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'instance-data',
  'instance-data.ec2.internal',
];

/** Why a host name must not be looked up: whatever it resolves to, it stands for this machine (RFC 6761) or its cloud. */
export function refuseName(host: string, rules: EgressRules): EgressReason | undefined {
  if (isTrustedHost(host, rules)) return undefined;
  const name = plainName(host);
  if (METADATA_NAMES.includes(name)) return 'metadata';
  if (name !== 'localhost' && !name.endsWith('.localhost')) return undefined;
  const refusals = [IPV4_LOOPBACK, IPV6_LOOPBACK].map((address) => refuseAddress(address, rules));
  return refusals.includes(undefined) ? undefined : 'loopback';
}

export function isTrustedHost(host: string, { hosts }: EgressRules): boolean {
  const name = plainName(host);
  return hosts.some((listed) =>
    listed.startsWith('*.') ? name.endsWith(listed.slice(1)) && name.length >= listed.length : listed === name,
  );
}

/** Lower case, without the dot that may stand at the end. */
export const plainName = (host: string): string => host.toLowerCase().replace(/\.$/, '');

export function refusePort(port: number, { ports }: EgressRules): EgressReason | undefined {
  const isIn = (ranges: readonly PortRange[]) => ranges.some(({ from, to }) => port >= from && port <= to);
  if (ports) return isIn(ports) ? undefined : 'port';
  return isIn(HTTP_PORTS) && !isIn(OTHER_PROTOCOLS) ? undefined : 'port';
}

const only = (port: number): PortRange => ({ from: port, to: port });

const HTTP_PORTS: readonly PortRange[] = [only(80), only(443), { from: 1024, to: 65_535 }];

/** Registered ports whose servers do not speak HTTP, and what a POST could do harm to: mail and news are below 1024. */
export const OTHER_PROTOCOLS: readonly PortRange[] = [
  only(1080), // SOCKS
  only(1433), // SQL Server
  only(1521), // Oracle
  { from: 1719, to: 1723 }, // H.323, PPTP
  only(1883), // MQTT
  only(2049), // NFS
  only(2181), // ZooKeeper
  { from: 2375, to: 2380 }, // Docker, etcd
  only(3306), // MySQL
  only(3389), // RDP
  only(4190), // Sieve
  only(4369), // Erlang
  { from: 5060, to: 5061 }, // SIP
  only(5222), // XMPP
  only(5269),
  only(5432), // PostgreSQL
  { from: 5671, to: 5672 }, // AMQP
  only(5900), // VNC
  { from: 6000, to: 6063 }, // X11
  { from: 6379, to: 6380 }, // Redis
  { from: 6660, to: 6669 }, // IRC
  only(6697),
  only(8883), // MQTT
  only(9042), // Cassandra
  only(9092), // Kafka
  only(9300), // Elasticsearch
  { from: 10_250, to: 10_255 }, // Kubernetes
  only(11_211), // memcached
  only(26_379), // Redis
  { from: 27_017, to: 27_019 }, // MongoDB
];
