import type { Ask } from './rows.ts';
import type { Answer, Names } from './world.ts';

/** One operation of the API document. */
export interface Route {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
}

export const keyOf = ({ method, path }: Route): string => `${method} ${path}`;

export const asksOf = (made: Ask | readonly Ask[]): readonly Ask[] => ('length' in made ? made : [made]);

/** The target of a call. */
export function targetOf({ path }: Route, { path: given = {}, query }: Ask, version: string): string {
  const values: Readonly<Record<string, string>> = { version, ...given };
  const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${path}: the row says nothing of {${name}}`);
    return encodeURIComponent(value);
  });
  return query === undefined ? target : `${target}?${encodeURI(query)}`;
}

/**
 * An answer without what was asked by and what is made anew in each call, so that two can be compared letter by letter.
 * `org` is where the caller is.
 */
export function shown({ status, text }: Answer, names: Names, org: string): string {
  let plain = text;
  for (const [name, value] of Object.entries(names)) {
    if (value !== names.org) plain = plain.replaceAll(value, `<${name}>`);
  }
  plain = plain
    .replaceAll(/\b\d{19}\b/g, '<id>')
    .replaceAll(names.org, '<org>')
    .replaceAll(org, '<org>');
  return `${status} ${plain}`;
}

const AROUND = 80;

/** Where two texts part, with what is around. */
export function difference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const part = (text: string) => `${text.slice(0, 4)}…${text.slice(Math.max(4, at - AROUND), at + AROUND)}`;
  return `${part(one)}\n    and not  ${part(other)}`;
}
