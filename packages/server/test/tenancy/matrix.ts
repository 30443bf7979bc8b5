/** What each caller was answered on each route, for people to read. */
export interface Matrix {
  note(route: string, caller: string, what: string): void;
  print(): string;
}

export function createMatrix(title: string, callers: readonly string[]): Matrix {
  const rows = new Map<string, Map<string, Set<string>>>();
  return {
    note(route, caller, what) {
      const row = rows.get(route) ?? new Map<string, Set<string>>();
      rows.set(route, row);
      row.set(caller, (row.get(caller) ?? new Set()).add(what));
    },
    print() {
      const wide = Math.max(title.length, ...[...rows.keys()].map((route) => route.length));
      const line = (first: string, cells: readonly string[]) =>
        [first.padEnd(wide), ...cells.map((cell, i) => cell.padEnd(callers[i]?.length ?? 0))].join('  ').trimEnd();
      const shownOf = (row: Map<string, Set<string>>) =>
        callers.map((caller) => [...(row.get(caller) ?? ['–'])].sort().join('/'));
      return [line(title, callers), ...[...rows].map(([route, row]) => line(route, shownOf(row)))].join('\n');
    },
  };
}
