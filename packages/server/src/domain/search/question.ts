import { isStorable } from '../json.ts';
import type { Field, FieldType, Module } from '../module.ts';
import { keyValue } from '../record.ts';
import type { Condition } from './condition.ts';
import { parseCriteria } from './criteria.ts';
import { invalidQuery } from './refusals.ts';
import { operatorsOf, typeCriteria } from './typing.ts';

/** What a caller asks for; `email` and `phone` look at all fields of that type, `word` at all that hold text. */
export interface Question {
  readonly by: 'criteria' | 'email' | 'phone' | 'word';
  readonly text: string;
}

const MAX_TEXT = 255;
const TEXTS: ReadonlySet<FieldType> = new Set([
  'text',
  'textarea',
  'email',
  'phone',
  'website',
  'picklist',
  'multiselectpicklist',
  'autonumber',
]);

/** Throws INVALID_QUERY when it cannot be read. */
export function conditionOf(module: Module, { by, text }: Question): Condition {
  if (!isStorable(text)) throw invalidQuery('the text has characters that no value can have', { param_name: by });
  if (by === 'criteria') return typeCriteria(module, parseCriteria(text));
  if (text.length > MAX_TEXT) throw invalidQuery('the text is too long', { param_name: by, maximum_length: MAX_TEXT });
  const value = keyValue(text);
  if (by === 'word')
    return {
      kind: 'word',
      fields: namesOf(module, (field) => TEXTS.has(field.type) && operatorsOf(field) !== undefined),
      text: value,
    };
  const members = namesOf(module, ({ type }) => type === by).map(
    (field): Condition => ({ kind: 'text', field, test: 'any', values: [value] }),
  );
  return { kind: 'or', members };
}

const namesOf = (module: Module, isAsked: (field: Field) => boolean): string[] =>
  module.fields.filter(isAsked).map((field) => field.apiName);
