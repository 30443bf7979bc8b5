import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/error.ts';
import { type Criteria, parseCriteria } from '../../../src/domain/search/criteria.ts';

/** Without places: `Last_Name equals [Boyle]`, groups in brackets. */
function shown(criteria: Criteria): string {
  if (criteria.kind === 'clause') return `${criteria.field} ${criteria.operator} [${criteria.values.join('|')}]`;
  return `<${criteria.members.map(shown).join(` ${criteria.kind} `)}>`;
}

const refusal = (text: string): unknown => {
  try {
    return parseCriteria(text);
  } catch (error) {
    return error instanceof AppError ? { code: error.code, ...error.details } : error;
  }
};

const clauses = (count: number): string => `(${Array.from({ length: count }, () => '(A:equals:b)').join('and')})`;
const nested = (depth: number): string => `${'('.repeat(depth)}A:equals:b${')'.repeat(depth)}`;
const values = (count: number): string => Array.from({ length: count }, (_, i) => i).join(',');

describe('criteria', () => {
  it.each([
    ['(Last_Name:equals:Boyle)', 'Last_Name equals [Boyle]'],
    ['(((Last_Name:equals:Boyle)))', 'Last_Name equals [Boyle]'],
    [' ( Last_Name : equals :Boyle ) ', 'Last_Name equals [Boyle ]'],
    [
      '(Created_Time:between:2026-01-05T09:00:00+05:30,2026-01-06T09:00:00Z)',
      'Created_Time between [2026-01-05T09:00:00+05:30|2026-01-06T09:00:00Z]',
    ],
    ['(A:equals:1)and(B:equals:2)', '<A equals [1] and B equals [2]>'],
    ['((A:equals:1)OR(B:equals:2))', '<A equals [1] or B equals [2]>'],
    ['(A:equals:1)or(B:equals:2)and(C:equals:3)', '<A equals [1] or <B equals [2] and C equals [3]>>'],
    ['((A:equals:1)or(B:equals:2))and(C:equals:3)', '<<A equals [1] or B equals [2]> and C equals [3]>'],
    ['((A:equals:1) and (B:equals:2) and (C:equals:3))', '<A equals [1] and B equals [2] and C equals [3]>'],
    [String.raw`(A:equals:Burns\,B \(x\) \\ \d)`, String.raw`A equals [Burns,B (x) \ \d]`],
    ['(A:in:x,y , z)', 'A in [x|y | z]'],
    ['(A:equals:a:b and c)', 'A equals [a:b and c]'],
    ['(A:equals:andy)', 'A equals [andy]'],
    ['(Account_Name.id:equals:1)', 'Account_Name.id equals [1]'],
    ['(A:equals:😀 ü)', 'A equals [😀 ü]'],
  ])('reads %s', (text, expected) => {
    expect(shown(parseCriteria(text))).toBe(expected);
  });

  it.each([
    ['', 0, 'an opening parenthesis is expected'],
    ['Last_Name:equals:Boyle', 0, 'an opening parenthesis is expected'],
    ['()', 1, 'a field followed by a colon is expected'],
    ['(Last_Name)', 1, 'a field followed by a colon is expected'],
    ['(Last Name:equals:x)', 1, 'a field followed by a colon is expected'],
    ['(Last_Name:equals)', 11, 'an operator followed by a colon is expected'],
    ['(Last_Name:equals:)', 18, 'a value is missing'],
    ['(Last_Name:in:a,,b)', 16, 'a value is missing'],
    ['(Last_Name:equals:Boyle', 23, 'a closing parenthesis is missing'],
    ['((Last_Name:equals:Boyle)', 25, 'a closing parenthesis is expected'],
    ['(Last_Name:equals:a(b)', 19, 'a parenthesis in a value needs a backslash before it'],
    ['(A:equals:b))', 12, '«and», «or» or the end is expected'],
    ['(A:equals:b)(C:equals:d)', 12, '«and», «or» or the end is expected'],
    ['(A:equals:b)and', 15, 'an opening parenthesis is expected'],
    ['(A:equals:b)xor(C:equals:d)', 12, '«and», «or» or the end is expected'],
    ['(A:equals:b)and C:equals:d', 16, 'an opening parenthesis is expected'],
    [String.raw`(A:equals:b\)`, 13, 'a closing parenthesis is missing'],
    [`(A:in:${values(101)})`, 6 + values(100).length + 1, 'there are more than 100 values'],
    [clauses(16), 227, 'there are more than 15 conditions'],
    [nested(21), 21, 'parentheses are nested more than 20 deep'],
  ])('refuses %s at its first fault', (text, index, reason) => {
    expect(refusal(text)).toEqual({ code: 'INVALID_QUERY', index, reason });
  });

  it('takes criteria up to their bounds', () => {
    expect(() => parseCriteria(clauses(15))).not.toThrow();
    expect(() => parseCriteria(nested(20))).not.toThrow();
    expect(() => parseCriteria(`(A:in:${values(100)})`)).not.toThrow();
    expect(() => parseCriteria(`(A:equals:${'x'.repeat(5000 - 11)})`)).not.toThrow();
    expect(refusal(`(A:equals:${'x'.repeat(5000 - 10)})`)).toEqual({
      code: 'INVALID_QUERY',
      reason: 'the criteria are too long',
      maximum_length: 5000,
    });
  });
});
