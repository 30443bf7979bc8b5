import { describe, expect, it } from 'vitest';
import { changeRows, insertRows, list, sql } from '../../src/storage/db.ts';
import { toCommand } from '../../src/storage/engines/sqlite-message.ts';

describe('a statement', () => {
  it('keeps values out of its text', () => {
    expect(toCommand(sql`SELECT a FROM b WHERE c = ${"'; DROP"} AND d < ${3}`)).toEqual({
      text: 'SELECT a FROM b WHERE c = ? AND d < ?',
      times: 1,
      values: ["'; DROP", 3],
    });
  });

  it('takes fragments in, with their values in order', () => {
    const inner = sql`x = ${1} AND ${sql`y = ${2}`}`;
    expect(toCommand(sql`${sql`SELECT z`} WHERE ${inner} OR w = ${null}`)).toEqual({
      text: 'SELECT z WHERE x = ? AND y = ? OR w = ?',
      times: 1,
      values: [1, 2, null],
    });
  });

  it('has the same text for a list of any length', () => {
    const pick = (ids: string[]) => toCommand(sql`SELECT 1 WHERE id IN ${list(ids)} AND k = ${'v'}`);
    expect(pick(['a', '"b"']).text).toBe(pick([]).text);
    expect(pick(['a', '"b"']).values).toEqual(['["a","\\"b\\""]', 'v']);
  });

  it('runs once for each row', () => {
    expect(
      toCommand(
        insertRows(
          't (a, b)',
          [
            ['x', 1],
            ['y', 2],
          ],
          'ON CONFLICT DO NOTHING',
        ),
      ),
    ).toEqual({
      text: 'INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING',
      times: 2,
      values: ['x', 1, 'y', 2],
      row: '(?, ?)',
    });
    expect(toCommand(changeRows([5, 6], (n) => sql`DELETE FROM t WHERE a = ${n}`))).toEqual({
      text: 'DELETE FROM t WHERE a = ?',
      times: 2,
      values: [5, 6],
    });
  });
});
