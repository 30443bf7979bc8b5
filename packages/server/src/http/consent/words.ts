import { parseScope, type ScopeOperation } from '../../domain/scope.ts';

const DOES: Readonly<Record<ScopeOperation, string>> = {
  ALL: 'See, add, change and delete',
  READ: 'See',
  CREATE: 'Add',
  UPDATE: 'Change',
  WRITE: 'Add and change',
  DELETE: 'Delete',
};

/** By family: what is meant by all of it, and by one part. */
const MEANS: Readonly<Record<string, { readonly all: string; readonly part: (name: string) => string }>> = {
  notifications: { all: 'notifications about your records', part: (name) => `notifications: ${name}` },
  modules: { all: 'records of every module', part: (name) => `records of ${name}` },
  settings: { all: 'the settings of your organization', part: (name) => `settings: ${name}` },
  org: { all: 'the details of your organization', part: (name) => `details of your organization: ${name}` },
  users: { all: 'the users of your organization', part: (name) => `users: ${name}` },
};

/** A scope in words; those of other services in none. A part is named as it was asked for. */
export function scopeInWords(text: string): string {
  const scope = parseScope(text);
  if (!scope) return 'Nothing here: it belongs to another service';
  const means = MEANS[scope.family] ?? {
    all: `what “${scope.family}” covers`,
    part: (name: string) => `${scope.family}: ${name}`,
  };
  const part = scope.part === undefined ? undefined : text.split('.')[2];
  return `${DOES[scope.operation]} ${part === undefined ? means.all : means.part(part)}`;
}
