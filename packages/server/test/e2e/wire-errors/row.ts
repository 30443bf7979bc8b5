import type { JsonObject } from '../../../src/domain/json.ts';
import { API_VERSIONS, type ApiVersion } from '../../../src/domain/wire/api-version.ts';

/** An error as it is answered, its keys in their order. */
export interface Told {
  readonly code: string;
  readonly details: JsonObject;
  readonly message: string;
}

/** One error of reference §4.9 or §4.10, and a request that is answered with it. */
export interface ErrorRow {
  /** In the words of docs/compatibility.md. */
  readonly cause: string;
  /** Section of the reference. */
  readonly reference: '4.9' | '4.10';
  /** As docs/compatibility.md names it. */
  readonly source: string;
  /** Those that it is answered on. */
  readonly versions: readonly ApiVersion[];
  readonly status: number;
  readonly told: Told;
  /** Bare, or the only or the second entry of the list `watch`. */
  readonly place: 'answer' | 'entry' | 'second';
  /** What the server must be like. */
  readonly stage: Stage;
  readonly asks: readonly Ask[];
}

export type Stage = 'served' | 'limited' | 'guessed' | 'full' | 'buggy' | 'storeless';

export interface Ask {
  readonly method: string;
  /** Below `/crm/{version}`, unless it begins with `/crm`. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  /** Whose token is sent; without it one of a user who may do all but use Invoices. */
  readonly by?: Who;
}

export type Who =
  | 'nobody'
  | 'other-scheme'
  | 'tokenless'
  | 'unknown'
  | 'endless'
  | 'expired'
  | 'revoked'
  | 'narrow'
  | 'other-family';

export const WATCH = 'actions/watch';
export const since = (first: ApiVersion): readonly ApiVersion[] => API_VERSIONS.slice(API_VERSIONS.indexOf(first));
export const before = (end: ApiVersion): readonly ApiVersion[] => API_VERSIONS.slice(0, API_VERSIONS.indexOf(end));

export const json = (body: unknown): string => JSON.stringify(body);
export const watch = (...entries: unknown[]): string => json({ watch: entries });

/** What a sound entry says. */
export const SOUND = { channel_id: '1', notify_url: 'http://127.0.0.1:9/hook', events: ['Leads.create'] };

/** The row of docs/compatibility.md. */
export function documented({ cause, versions, status, told, source }: ErrorRow): string {
  const [first, last] = [versions[0], versions.at(-1)];
  const range = first === last ? first : `${first} … ${last}`;
  return `| ${cause} | ${range} | ${status} | \`${told.code}\` | ${told.message} | \`${json(told.details)}\` | ${source} |`;
}
