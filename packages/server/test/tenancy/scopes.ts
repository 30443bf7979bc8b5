import { cells } from '../docs/page.ts';
import type { Route } from './callers.ts';
import type { Ask } from './rows.ts';

const OPERATIONS = ['ALL', 'READ', 'CREATE', 'UPDATE', 'WRITE', 'DELETE'];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  notifications: [],
  modules: ['Contacts', 'Accounts', 'Notes', 'Nowhere'],
  mass_update: ['Contacts', 'Leads'],
  mass_delete: ['Contacts', 'Leads'],
  settings: ['modules', 'fields', 'related_lists', 'tags', 'recycle_bin'],
  org: [],
  users: [],
  // Grants nothing.
  coql: [],
};
/** One at a time: of each family, and of parts of some. */
export const SINGLE_SCOPES = Object.entries(PARTS).flatMap(([family, parts]) =>
  [family, ...parts.map((part) => `${family}.${part}`)].flatMap((name) =>
    OPERATIONS.map((operation) => `ZohoCRM.${name}.${operation}`),
  ),
);

/** The kind of metadata that a path below `settings` is about. */
const settingsPart = ({ path }: Route): string | undefined => /\/settings\/(\w+)/.exec(path)?.[1];

export interface ScopeRow {
  readonly route: Route;
  readonly version: string;
  readonly family: string;
  readonly operations: readonly string[];
  /** It is the call that takes events away. */
  readonly isRemoving: boolean;
}

/** A line of the table of scopes in docs/compatibility.md. */
export function readScopeRow(line: string): ScopeRow {
  const [call = '', versions = '', family = '', operations = ''] = cells(line);
  const [, method = '', named = '', removing] = /^`(\w+) (\S+)`( with)?/.exec(call) ?? [];
  const path = `/crm/{version}/${named.replace('{related}/{id}', '{related}/{relatedId}')}`;
  return {
    route: { method, path },
    version: versions.split(/, | … /).at(-1) ?? '',
    family,
    operations: operations.split(', '),
    isRemoving: removing !== undefined,
  };
}

/** Whether the table says that a scope opens a call. */
export function isOpenedBy(scope: string, { route, family, operations }: ScopeRow, { path }: Ask): boolean {
  const [, ofFamily, ...rest] = scope.split('.');
  const [operation = '', ofPart] = rest.reverse();
  const part = settingsPart(route) ?? path?.related ?? path?.module;
  return ofFamily === family && operations.includes(operation) && (ofPart === undefined || ofPart === part);
}
