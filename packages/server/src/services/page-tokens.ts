import { createHmac } from 'node:crypto';
import { AppError } from '../domain/error.ts';
import type { OrgId, RecordId } from '../domain/ids.ts';
import { type Position, SORT_FIELDS, SORT_ORDERS, type SortField, type SortOrder } from '../domain/record-list.ts';
import { sameHash } from './secret.ts';

/** How long a page token is good for. */
export const PAGE_TOKEN_LIFE_MS = 24 * 3_600_000;

/** Where a list goes on, with the query that it belongs to. */
export interface Cursor {
  readonly module: string;
  readonly sortBy: SortField;
  readonly order: SortOrder;
  readonly since?: number;
  /** Number of the page that it leads to. */
  readonly page: number;
  /** Towards the start of the list. */
  readonly isBack: boolean;
  readonly position: Position;
  readonly expiresAt: number;
}

/** Page tokens: opaque to callers, worthless when they are changed or used in another organisation. */
export interface PageTokens {
  seal(org: OrgId, cursor: Cursor): string;
  /** Throws INVALID_DATA for what was not sealed for the organisation. */
  open(org: OrgId, token: string): Cursor;
}

const MAX_TOKEN = 500;

/** Those that were sealed under a former key are good for their time. */
export function createPageTokens(key: Uint8Array, former: readonly Uint8Array[] = []): PageTokens {
  const seal = (org: OrgId, text: string, by = key): string =>
    createHmac('sha256', by).update(`page-token/${org}/${text}`).digest('base64url').slice(0, 32);
  return {
    seal(org, { module, sortBy, order, since, page, isBack, position, expiresAt }) {
      const parts = [module, sortBy, order, since ?? null, page, isBack, position.at, position.id, expiresAt];
      const text = Buffer.from(JSON.stringify(parts)).toString('base64url');
      return `${text}.${seal(org, text)}`;
    },
    open(org, token) {
      const [text = '', proof = ''] = token.length <= MAX_TOKEN ? token.split('.') : [];
      if (![key, ...former].some((by) => sameHash(proof, seal(org, text, by))))
        throw new AppError('INVALID_DATA', 'invalid data', NAMED);
      return readCursor(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    },
  };
}

const NAMED = { param_name: 'page_token' } as const;

/** What carries our proof was written by `seal`. */
function readCursor(parts: readonly unknown[]): Cursor {
  const [module, sortBy, order, since, page, isBack, at, id, expiresAt] = parts;
  return {
    module: String(module),
    sortBy: SORT_FIELDS.find((known) => known === sortBy) ?? 'id',
    order: SORT_ORDERS.find((known) => known === order) ?? 'desc',
    ...(typeof since === 'number' && { since }),
    page: Number(page),
    isBack: isBack === true,
    position: { at: Number(at), id: String(id) as RecordId },
    expiresAt: Number(expiresAt),
  };
}
