import { parseScope, type ScopeNeed, type ScopeOperation } from '../../domain/scope.ts';

const DOES: Readonly<Record<ScopeOperation, string>> = {
  ALL: 'See, add, change and delete',
  READ: 'See',
  CREATE: 'Add',
  UPDATE: 'Change',
  WRITE: 'Add and change',
  DELETE: 'Delete',
};

interface Meaning {
  /** Of the family as a whole. */
  readonly all: string;
  readonly part: (name: string) => string;
}

const MANY: Meaning = { all: 'many records at once', part: (name) => `many records of ${name} at once` };

const MEANS: Readonly<Record<ScopeNeed['family'], Meaning>> = {
  notifications: { all: 'notifications about your records', part: (name) => `notifications: ${name}` },
  modules: { all: 'records of every module', part: (name) => `records of ${name}` },
  mass_update: MANY,
  mass_delete: MANY,
  settings: { all: 'the settings of your organization', part: (name) => `settings: ${name}` },
  org: { all: 'the details of your organization', part: (name) => `details of your organization: ${name}` },
  users: { all: 'the users of your organization', part: (name) => `users: ${name}` },
};
const BY_FAMILY: ReadonlyMap<string, Meaning> = new Map(Object.entries(MEANS));

const unused = (family: string): Meaning => ({
  all: `what “${family}” covers, which this server does not have`,
  part: (name) => `“${family}” of ${name}, which this server does not have`,
});

/** A scope in words. A part is named as it was asked for. */
export function scopeInWords(text: string): string {
  const scope = parseScope(text);
  if (!scope) return 'Nothing here: it belongs to another service';
  const meaning = BY_FAMILY.get(scope.family) ?? unused(scope.family);
  const [, , name = ''] = text.split('.');
  return `${DOES[scope.operation]} ${scope.part === undefined ? meaning.all : meaning.part(name)}`;
}
