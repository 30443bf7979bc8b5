import { expect, test } from 'vitest';
import { REASONS } from '../../src/http/routes/recovery/explain.ts';
import { cells, page, tableRows } from './page.ts';

test('docs/explaining.md lists every reason', () => {
  const listed = tableRows(page('explaining.md'), 'explain-reasons').map((row) => cells(row)[0]);
  expect(listed).toEqual(REASONS.map((reason) => `\`${reason}\``));
});
