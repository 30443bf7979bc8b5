import { readFileSync } from 'node:fs';

/** Text of a page under `docs/`. */
export const page = (name: string): string =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

/** Rows of the table between `<!-- name -->` and `<!-- /name -->`, without its head. */
export function tableRows(text: string, name: string): readonly string[] {
  const table = text.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0] ?? '';
  return table.trim().split('\n').slice(2);
}

/** Cells of a row. */
export const cells = (row: string): readonly string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
