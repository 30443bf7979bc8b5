const SCOPE_OPERATIONS = ['ALL', 'READ', 'CREATE', 'UPDATE', 'WRITE', 'DELETE'] as const;
export type ScopeOperation = (typeof SCOPE_OPERATIONS)[number];

/** What a call asks for: any one of these operations on `ZohoCRM.{family}` or `ZohoCRM.{family}.{part}`. */
export interface ScopeNeed {
  readonly family: 'notifications' | 'modules' | 'settings' | 'org' | 'users';
  /** Such as a module's API name (`modules.Contacts`) or a kind of metadata (`settings.fields`). */
  readonly part?: string;
  /** `ALL` is always accepted and need not be named. */
  readonly operations: readonly ScopeOperation[];
}

interface Scope {
  /** Lower case, like the part. */
  readonly family: string;
  /** Undefined: every part of the family. */
  readonly part?: string;
  readonly operation: ScopeOperation;
}

/** Whether one of the scopes covers the need. Letter case does not matter; what is not a scope grants nothing. */
export function grants(scopes: readonly string[], need: ScopeNeed): boolean {
  return scopes.some((text) => {
    const scope = parseScope(text);
    return scope !== undefined && covers(scope, need);
  });
}

/** `ZohoCRM.{family}[.{part}].{OPERATION}` (reference §6.4). */
function parseScope(text: string): Scope | undefined {
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
