import type { Post } from './attempt.ts';

// Visible characters of ASCII only: nothing that could end a line.
const PATH = /^\/[!-~]*$/;
const NAME = /^[!-9;-~]+$/;
const VALUE = /^[ -~]*$/;

/** What is the same in every request to a path. */
export interface RequestStart {
  readonly pathname: string;
  readonly search: string;
  readonly text: string;
}

/** Request line and first headers. Throws on a path that cannot be written. */
export function startOf({ pathname, search }: Post['url'], host: string): RequestStart {
  const path = pathname + search;
  if (!PATH.test(path)) throw new TypeError('The path cannot be written');
  return { pathname, search, text: `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive` };
}

/** A whole request as it is written, and how. */
export interface RequestText {
  readonly text: string;
  /** Latin-1 where that is the same: it is cheaper to write. */
  readonly encoding: 'latin1' | 'utf8';
}

/** Of a header's name: what stands before its value, and the value that was written last, which is plain. */
interface Known {
  readonly lead: string;
  last: string;
}

/** Most values are those of the request before; names are few, as all are written here. */
const known = new Map<string, Known>();

function learn(name: string): Known {
  if (!NAME.test(name)) throw new TypeError(`The header ${JSON.stringify(name)} cannot be written`);
  const made = { lead: `\r\n${name}: `, last: '' };
  if (known.size < 100) known.set(name, made);
  return made;
}

/** Throws on headers that cannot be written. */
export function requestText(start: RequestStart, { headers, body }: Pick<Post, 'headers' | 'body'>): RequestText {
  let lines = start.text;
  for (const name in headers) {
    const value = headers[name] ?? '';
    const header = known.get(name) ?? learn(name);
    if (value !== header.last) {
      if (!VALUE.test(value)) throw new TypeError(`The header ${name} cannot be written`);
      header.last = value;
    }
    lines += header.lead + value;
  }
  const length = Buffer.byteLength(body);
  return {
    text: `${lines}\r\ncontent-length: ${length}\r\n\r\n${body}`,
    // The rest is ASCII.
    encoding: length === body.length ? 'latin1' : 'utf8',
  };
}
