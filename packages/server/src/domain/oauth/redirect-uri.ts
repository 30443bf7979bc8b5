const MAX_LENGTH = 500;
/** Scheme, host, port and the rest, of which nothing could end a header or an attribute. */
const SHAPE = /^(https?):\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?(?:[/?][\w!$%&()*+,./:;=?@[\]~-]*)?$/i;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** What is wrong with it as a place to send codes to, or undefined. Codes travel in clear only on one machine. */
export function redirectUriFault(uri: string): string | undefined {
  if (uri.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`;
  const [, scheme = '', host = '', port = '1'] = SHAPE.exec(uri) ?? [];
  if (host === '' || Number(port) < 1 || Number(port) > 65_535) {
    return 'must be an absolute http(s) URL without user name, fragment or unescaped characters';
  }
  if (scheme.toLowerCase() === 'http' && !LOOPBACK.test(host)) return 'must be https, or http on localhost';
  return undefined;
}

/** Whether it is a sound `http` address on the caller's own machine. */
export const isLoopbackUri = (uri: string): boolean =>
  redirectUriFault(uri) === undefined && SHAPE.exec(uri)?.[1]?.toLowerCase() === 'http';

/** Scheme, host and port of a sound redirect URI. */
export function redirectOrigin(uri: string): string {
  const [, scheme = '', host = '', port] = SHAPE.exec(uri) ?? [];
  return `${scheme}://${host}${port === undefined ? '' : `:${port}`}`.toLowerCase();
}

/** The URI with parameters added behind its own. */
export function withParameters(uri: string, parameters: readonly (readonly [string, string])[]): string {
  const added = parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return `${uri}${uri.includes('?') ? '&' : '?'}${added}`;
}
