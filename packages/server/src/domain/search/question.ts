import { isStorable } from '../json.ts';
import type { Module } from '../module.ts';
import { keyValue } from '../record.ts';
import type { Condition } from './condition.ts';
import { parseCriteria } from './criteria.ts';
import { invalidQuery } from './refusals.ts';
import { textKind, typeCriteria } from './typing.ts';

/** What a caller asks for; `email` and `phone` look at all fields of that type, `word` at all that hold text. */
export interface Question {
  readonly by: 'criteria' | 'email' | 'phone' | 'word';
  readonly text: string;
}

const MAX_TEXT = 255;
/** Reads the same within JSON, and its letters fold the same whatever stands around them. */
const PLAIN = /^[ !#-[\]-~]+$/;

/** Throws INVALID_QUERY when it cannot be read. */
export function conditionOf(module: Module, { by, text }: Question): Condition {
  if (!isStorable(text)) throw invalidQuery('the text has characters that no value can have', { param_name: by });
  if (by === 'criteria') return typeCriteria(module, parseCriteria(text));
  if (text.length > MAX_TEXT) throw invalidQuery('the text is too long', { param_name: by, maximum_length: MAX_TEXT });
  const values = [keyValue(text)];
  const members = module.fields.flatMap((field): Condition[] => {
    const { apiName, type } = field;
    if (by !== 'word') return type === by ? [{ kind: 'text', field: apiName, test: 'any', values }] : [];
    const kind = textKind(field);
    return kind ? [{ kind, field: apiName, test: 'part', values }] : [];
  });
  const some: Condition = { kind: 'or', members };
  const [value = ''] = values;
  return by === 'word' && PLAIN.test(value)
    ? { kind: 'and', members: [{ kind: 'anywhere', text: value }, some] }
    : some;
}
