/** A rule over the fields of one update: `or` any of them changed, `and` all of them did (reference §2.3). */
export type FieldRule =
  | { readonly kind: 'field'; readonly field: string }
  | { readonly kind: 'group'; readonly operator: 'and' | 'or'; readonly members: readonly FieldRule[] };

/** Narrows the updates of one module; creates and deletes pass. */
export interface FieldCondition {
  readonly module: string;
  readonly rule: FieldRule;
}

export function passes(rule: FieldRule, changedFields: readonly string[]): boolean {
  if (rule.kind === 'field') return changedFields.includes(rule.field);
  const holds = (member: FieldRule) => passes(member, changedFields);
  return rule.operator === 'and' ? rule.members.every(holds) : rule.members.some(holds);
}
