import type { Json } from '../json.ts';
import type { Module } from '../module.ts';
import { findDealStage } from '../modules/deal-stages.ts';
import type { Values } from '../record.ts';

/**
 * Adds what the system sets along with what was given: a deal that moves to another Stage takes its Probability, unless
 * that is given as well. Listed among the affected fields, after those given.
 */
export function withProbability(
  module: Module,
  before: Values,
  given: ReadonlyMap<string, Json>,
): ReadonlyMap<string, Json> {
  const stage = given.get('Stage');
  if (module.apiName !== 'Deals' || typeof stage !== 'string') return given;
  if (stage === before.Stage || given.has('Probability')) return given;
  const probability = findDealStage(stage)?.probability;
  return probability === undefined ? given : new Map([...given, ['Probability', probability]]);
}

/** Fills the fields that follow from others and are not reported as affected: full names, a deal's expected revenue. */
export function withDerived(module: Module, values: Values): Values {
  if (module.nameField === 'Full_Name') {
    const fullName = [values.First_Name, values.Last_Name].filter((part) => typeof part === 'string').join(' ');
    return values.Full_Name === fullName ? values : { ...values, Full_Name: fullName };
  }
  if (module.apiName === 'Deals') {
    const { Amount: amount, Probability: probability } = values;
    const isKnown = typeof amount === 'number' && typeof probability === 'number';
    return withoutEmpty({ ...values, Expected_Revenue: isKnown ? Math.round(amount * probability) / 100 : null });
  }
  return values;
}

/** The values that a record has with what was given in its place; what was emptied is left out. */
export function withGiven(before: Values, given: ReadonlyMap<string, Json>): Values {
  const values: Record<string, Json> = { ...before };
  let isEmptied = false;
  for (const [name, value] of given) {
    values[name] = value;
    isEmptied ||= value === null;
  }
  return isEmptied ? withoutEmpty(values) : values;
}

/** Empty fields are left out of what is stored. */
export function withoutEmpty(values: Values): Values {
  const kept: Record<string, Json> = {};
  for (const name of Object.keys(values)) {
    const value = values[name] ?? null;
    if (value !== null) kept[name] = value;
  }
  return kept;
}
