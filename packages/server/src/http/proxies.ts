import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import type { TrustedProxies } from '../domain/trusted-proxies.ts';

/** Whether the peer `hop` connections away, 0 being the nearest, is one of our proxies. */
export type Trusts = (address: string | undefined, hop: number) => boolean;

export function readTrust(proxies: TrustedProxies): Trusts {
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies;
  const ranges = proxies.map(readRange);
  return (address) => {
    if (address === undefined || isIP(address) === 0) return false;
    const peer = ipaddr.process(address);
    return ranges.some(([range, bits]) => peer.kind() === range.kind() && peer.match(range, bits));
  };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

function readRange(text: string): readonly [Address, number] {
  const [given = '', bits] = text.split('/');
  const address = ipaddr.parse(given);
  return [address, bits === undefined ? address.toByteArray().length * 8 : Number(bits)];
}

/** Where a request comes from, past our own proxies: an IP address, or `unknown` where a proxy names none. */
export function addressOf(request: FastifyRequest): string {
  const { headers, socket } = request.raw;
  // Without it the framework goes through proxies all the same.
  const named = headers['x-forwarded-for'] === undefined ? (socket.remoteAddress ?? '') : request.ip;
  const kind = isIP(named);
  if (kind === 4) return named;
  if (kind === 6) return ipaddr.process(named).toString();
  const withoutPort = /^\[?([^\]]+?)\]?:\d+$/.exec(named)?.[1] ?? '';
  return isIP(withoutPort) === 0 ? 'unknown' : ipaddr.process(withoutPort).toString();
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * The origin under which a caller reached us through one of our proxies, without a trailing slash: `X-Forwarded-Host`
 * with `X-Forwarded-Proto`. Undefined when the peer is no proxy of ours or does not say; a `Host` is never believed.
 */
export function forwardedOrigin({ raw: { socket, headers } }: FastifyRequest, trusts: Trusts): string | undefined {
  if (!trusts(socket.remoteAddress, 0)) return undefined;
  const host = lastOf(headers['x-forwarded-host']);
  if (host === undefined || !HOST.test(host)) return undefined;
  const origin = `${lastOf(headers['x-forwarded-proto']) === 'https' ? 'https' : 'http'}://${host.toLowerCase()}`;
  return URL.canParse(origin) ? new URL(origin).origin : undefined;
}

/** The entry that the nearest proxy wrote: those before it may come from anybody. */
const lastOf = (header: string | string[] | undefined): string | undefined =>
  [header ?? ''].flat().join(',').split(',').at(-1)?.trim() || undefined;
