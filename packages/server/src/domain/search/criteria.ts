import { invalidQuery } from './refusals.ts';

/** One comparison as it was written. */
export interface Clause {
  readonly kind: 'clause';
  readonly field: string;
  readonly operator: string;
  /** Unescaped; none is blank. */
  readonly values: readonly string[];
  /** Where it begins in the text, from 0. */
  readonly at: number;
}

export type Criteria = Clause | { readonly kind: 'and' | 'or'; readonly members: readonly Criteria[] };

const MAX_LENGTH = 5000;
const MAX_CLAUSES = 15;
const MAX_DEPTH = 20;
const MAX_VALUES = 100;

interface Reader {
  readonly text: string;
  at: number;
  clauses: number;
}

/**
 * Reads `((Last_Name:equals:Boyle)and(City:in:Pune,Salem))`. Between groups `and` binds tighter than `or`. In a value a
 * backslash makes a parenthesis, a comma or a backslash plain. Throws INVALID_QUERY with the place of the first fault.
 */
export function parseCriteria(text: string): Criteria {
  if (text.length > MAX_LENGTH) throw invalidQuery('the criteria are too long', { maximum_length: MAX_LENGTH });
  const reader: Reader = { text, at: 0, clauses: 0 };
  const criteria = readAny(reader, 1);
  skipBlanks(reader);
  if (reader.at < text.length) throw fault(reader, '«and», «or» or the end is expected');
  return criteria;
}

function readAny(reader: Reader, depth: number): Criteria {
  const members = [readAll(reader, depth)];
  while (takeWord(reader, 'or')) members.push(readAll(reader, depth));
  return joined('or', members);
}

function readAll(reader: Reader, depth: number): Criteria {
  const members = [readGroup(reader, depth)];
  while (takeWord(reader, 'and')) members.push(readGroup(reader, depth));
  return joined('and', members);
}

const joined = (kind: 'and' | 'or', members: readonly Criteria[]): Criteria => {
  const [only] = members;
  return members.length === 1 && only ? only : { kind, members };
};

function readGroup(reader: Reader, depth: number): Criteria {
  take(reader, '(');
  if (depth > MAX_DEPTH) throw fault(reader, `parentheses are nested more than ${MAX_DEPTH} deep`);
  skipBlanks(reader);
  const inner = reader.text[reader.at] === '(' ? readAny(reader, depth + 1) : readClause(reader);
  take(reader, ')');
  return inner;
}

function readClause(reader: Reader): Clause {
  reader.clauses += 1;
  if (reader.clauses > MAX_CLAUSES) throw fault(reader, `there are more than ${MAX_CLAUSES} conditions`);
  const { at } = reader;
  const field = readName(reader, 'a field');
  const operator = readName(reader, 'an operator');
  return { kind: 'clause', field, operator, values: readValues(reader), at };
}

const NAME = /\s*([\w$.]{1,100})\s*:/y;

function readName(reader: Reader, what: string): string {
  NAME.lastIndex = reader.at;
  const name = NAME.exec(reader.text)?.[1];
  if (name === undefined) throw fault(reader, `${what} followed by a colon is expected`);
  reader.at = NAME.lastIndex;
  return name;
}

function readValues(reader: Reader): string[] {
  const values = [readValue(reader)];
  while (reader.text[reader.at] === ',') {
    reader.at += 1;
    if (values.length === MAX_VALUES) throw fault(reader, `there are more than ${MAX_VALUES} values`);
    values.push(readValue(reader));
  }
  return values;
}

const PLAIN = /[^(),\\]+/y;
const ESCAPABLE = '(),\\';

/** Up to the next plain comma or closing parenthesis. */
function readValue(reader: Reader): string {
  const { text } = reader;
  const start = reader.at;
  let value = '';
  while (text[reader.at] !== ',' && text[reader.at] !== ')') {
    const next = text[reader.at];
    if (next === undefined) throw fault(reader, 'a closing parenthesis is missing');
    if (next === '(') throw fault(reader, 'a parenthesis in a value needs a backslash before it');
    if (next === '\\') {
      const escaped = text[reader.at + 1] ?? '';
      const isEscape = escaped !== '' && ESCAPABLE.includes(escaped);
      value += isEscape ? escaped : next;
      reader.at += isEscape ? 2 : 1;
    } else {
      PLAIN.lastIndex = reader.at;
      const plain = PLAIN.exec(text)?.[0] ?? '';
      value += plain;
      reader.at += plain.length;
    }
  }
  if (value.trim() === '') throw fault({ ...reader, at: start }, 'a value is missing');
  return value;
}

function take(reader: Reader, sign: '(' | ')'): void {
  skipBlanks(reader);
  if (reader.text[reader.at] !== sign) {
    throw fault(reader, `${sign === '(' ? 'an opening' : 'a closing'} parenthesis is expected`);
  }
  reader.at += 1;
}

function takeWord(reader: Reader, word: 'and' | 'or'): boolean {
  skipBlanks(reader);
  if (reader.text.slice(reader.at, reader.at + word.length).toLowerCase() !== word) return false;
  reader.at += word.length;
  return true;
}

function skipBlanks(reader: Reader): void {
  while (/\s/.test(reader.text[reader.at] ?? '')) reader.at += 1;
}

const fault = ({ at }: Reader, reason: string) => invalidQuery(reason, { index: at });
