import { createHmac, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { sameHash } from '../../services/secret.ts';

const LIFE_S = 3600;
const NONCE = /^[0-9a-f]{32}$/;

/** Holds a form to the browser that it was shown in, and to the request that it was shown for. */
export interface Csrf {
  readonly token: string;
  readonly cookie: string;
}

/**
 * The form's token and the cookie that goes with it. The browser keeps the cookie to itself and sends it with forms of
 * our own pages only; behind https no other host or path can have set it.
 */
export function openForm(request: FastifyRequest, isSecure: boolean): Csrf {
  const nonce = readNonce(request, isSecure) ?? randomBytes(16).toString('hex');
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${LIFE_S}${isSecure ? '; Secure' : ''}`;
  return { token: tokenOf(nonce, request), cookie: `${cookieName(isSecure)}=${nonce}; ${attributes}` };
}

/** Whether a form that was sent is one that this browser was shown, and was sent from our own page. */
export function isOwnForm(request: FastifyRequest, token: string, isSecure: boolean): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const nonce = readNonce(request, isSecure);
  return nonce !== undefined && sameHash(token, tokenOf(nonce, request));
}

const cookieName = (isSecure: boolean): string => (isSecure ? '__Host-watchbell-consent' : 'watchbell-consent');

function readNonce({ headers: { cookie = '' } }: FastifyRequest, isSecure: boolean): string | undefined {
  const name = `${cookieName(isSecure)}=`;
  const found = cookie
    .split(/;\s*/)
    .find((pair) => pair.startsWith(name))
    ?.slice(name.length);
  return found !== undefined && NONCE.test(found) ? found : undefined;
}

const tokenOf = (nonce: string, { url }: FastifyRequest): string =>
  createHmac('sha256', nonce).update(url).digest('hex');
