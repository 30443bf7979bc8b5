import type { Module } from '../module.ts';
import { keyFields } from '../records/keys.ts';
import type { Condition } from './condition.ts';

/** Where the records that may match are found: a search looks at these only, newest first. */
export type Candidates =
  | { readonly kind: 'module' }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** Those with one of these look-up entries. */
  | { readonly kind: 'keys'; readonly keys: readonly { readonly field: string; readonly value: string }[] };

/** Most look-up entries that are followed; with more the whole module is looked at. */
const MAX_KEYS = 100;

/** The narrowest way that needs no look at the whole module. Never leaves out a record that matches. */
export function candidatesFor(module: Module, condition: Condition): Candidates {
  switch (condition.kind) {
    case 'and':
      return condition.members.map((member) => candidatesFor(module, member)).reduce(narrower, { kind: 'module' });
    case 'or':
      return union(condition.members.map((member) => candidatesFor(module, member)));
    case 'text':
      return condition.test === 'any' && keyFields(module).includes(condition.field)
        ? keyed(condition.field, condition.values)
        : { kind: 'module' };
    case 'reference':
      return condition.test === 'any' && 'field' in condition.of && keyFields(module).includes(condition.of.field)
        ? keyed(condition.of.field, condition.ids)
        : { kind: 'module' };
    case 'column':
      return idsOf(condition);
    case 'choices':
    case 'field':
    case 'boolean':
    case 'anywhere':
      return { kind: 'module' };
  }
}

const keyed = (field: string, values: readonly string[]): Candidates => ({
  kind: 'keys',
  keys: [...new Set(values)].map((value) => ({ field, value })),
});

function idsOf({ column, ranges, outside }: Extract<Condition, { kind: 'column' }>): Candidates {
  if (column !== 'id' || outside) return { kind: 'module' };
  const ids = ranges.flatMap(({ from, to }) => (from !== undefined && from === to ? [String(from)] : []));
  return ids.length === ranges.length ? { kind: 'ids', ids } : { kind: 'module' };
}

function narrower(a: Candidates, b: Candidates): Candidates {
  if (a.kind === 'module' || b.kind === 'module') return a.kind === 'module' ? b : a;
  if (a.kind === 'ids' || b.kind === 'ids') return a.kind === 'ids' ? a : b;
  return b.keys.length < a.keys.length ? b : a;
}

/** An alternative that looks at everything makes the rest useless; ids and keys are not followed together. */
function union(all: readonly Candidates[]): Candidates {
  if (all.every((one) => one.kind === 'ids')) return { kind: 'ids', ids: all.flatMap(({ ids }) => ids) };
  if (!all.every((one) => one.kind === 'keys')) return { kind: 'module' };
  const keys = all.flatMap((one) => one.keys);
  return keys.length <= MAX_KEYS ? { kind: 'keys', keys } : { kind: 'module' };
}
