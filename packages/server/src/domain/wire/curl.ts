import { requestUrl } from './notification-body.ts';

/**
 * A command line for a POSIX shell that sends the body, byte by byte. It goes through a pipe: as an argument a long one
 * would be refused by the system.
 */
export function curlOf(notifyUrl: string, headers: Readonly<Record<string, string>>, body: string): string {
  const url = new URL(requestUrl(notifyUrl));
  // Attempts do not send them either.
  url.username = '';
  url.password = '';
  const named = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const options = ['-sS', '-i', '-g', '-X POST', ...named, "-H 'expect:'", '--data-binary @-', quoted(url.href)];
  return `printf '%s' ${quoted(body)} | curl ${options.join(' ')}`;
}

/** Nothing means anything between single quotes, but for the quote itself. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
