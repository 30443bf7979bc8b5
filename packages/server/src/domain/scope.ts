const SCOPE_OPERATIONS = ['ALL', 'READ', 'CREATE', 'UPDATE', 'WRITE', 'DELETE'] as const;
export type ScopeOperation = (typeof SCOPE_OPERATIONS)[number];

/** What a call asks for: any one of these operations on `ZohoCRM.{family}` or `ZohoCRM.{family}.{part}`. */
export interface ScopeNeed {
  readonly family: 'notifications' | 'modules' | 'mass_update' | 'mass_delete' | 'settings' | 'org' | 'users';
  /** Such as a module's API name (`modules.Contacts`) or a kind of metadata (`settings.fields`). */
  readonly part?: string;
  /** `ALL` is always accepted and need not be named. */
  readonly operations: readonly ScopeOperation[];
}

export interface Scope {
  /** Lower case, like the part. */
  readonly family: string;
  /** Undefined: every part of the family. */
  readonly part?: string;
  readonly operation: ScopeOperation;
}

/** More are asked for by no application. */
const MAX_SCOPES = 50;
/** `service.scope_name.operation`; a name may have parts. */
const SHAPE = /^[A-Za-z]\w{0,39}(?:\.\w{1,60}){2,4}$/;

/**
 * A list as it is sent: scopes between commas or blanks, each once. Those of other services are taken and grant nothing.
 * What is no scope is told by `fault`, which is empty when nothing was asked for.
 */
export function readScopes(text: string): { readonly scopes: readonly string[] } | { readonly fault: string } {
  const scopes = [...new Set(text.split(/[\s,]+/).filter((scope) => scope !== ''))];
  const fault = scopes.find((scope) => !isScope(scope)) ?? scopes[MAX_SCOPES];
  if (fault !== undefined) return { fault };
  return scopes.length === 0 ? { fault: '' } : { scopes };
}

export function isScope(text: string): boolean {
  return SHAPE.test(text) && (!/^zohocrm\./i.test(text) || parseScope(text) !== undefined);
}

/** Whether one of the scopes covers the need. Letter case does not matter; what is not a scope grants nothing. */
export const grants = (scopes: readonly string[], need: ScopeNeed): boolean =>
  parsed(scopes).some((scope) => covers(scope, need));

const parsedLists = new WeakMap<readonly string[], readonly Scope[]>();

/** A caller's list is asked with each request. */
function parsed(scopes: readonly string[]): readonly Scope[] {
  const known = parsedLists.get(scopes);
  if (known) return known;
  const list = scopes.flatMap((text) => parseScope(text) ?? []);
  parsedLists.set(scopes, list);
  return list;
}

/** `ZohoCRM.{family}[.{part}].{OPERATION}` (reference §6.4); undefined for what is none. */
export function parseScope(text: string): Scope | undefined {
  const [service, family, ...rest] = text.split('.');
  const operation = SCOPE_OPERATIONS.find((known) => known === rest.at(-1)?.toUpperCase());
  if (service?.toLowerCase() !== 'zohocrm' || !family || operation === undefined || rest.length > 2) return undefined;
  if (rest.length === 1) return { family: family.toLowerCase(), operation };
  return rest[0] ? { family: family.toLowerCase(), part: rest[0].toLowerCase(), operation } : undefined;
}

function covers(scope: Scope, need: ScopeNeed): boolean {
  if (scope.family !== need.family) return false;
  if (scope.part !== undefined && scope.part !== need.part?.toLowerCase()) return false;
  return scope.operation === 'ALL' || need.operations.includes(scope.operation);
}
