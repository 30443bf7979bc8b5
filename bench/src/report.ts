import { pairs, shown, spreadOf, valuesOf } from './figures.ts';
import type { JudgedGoal } from './goals.ts';
import type { Measured, Scenario } from './scenario.ts';

/** Lines of a table whose columns are as wide as what stands in them; the first is aligned to the left. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)));
  const pad = (text: string, column: number): string => {
    const blanks = ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...text].length));
    return column === 0 ? text + blanks : blanks + text;
  };
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

const spread = (values: readonly number[]): string => {
  if (values.length === 0) return '–';
  const { median, min, max } = spreadOf(values);
  return values.length === 1 ? shown(median) : `${shown(median)} (${shown(min)}–${shown(max)})`;
};

/** Medians of the rounds with least and most, one line a figure, one column a system. */
export function reportScenario({ name, about, compared }: Scenario, { rounds, remarks = [] }: Measured): string {
  const systems = Object.keys(rounds);
  const figures = [
    ...new Set(systems.flatMap((system) => (rounds[system] ?? []).flatMap((round) => Object.keys(round)))),
  ];
  const cells = systems.map((system) => [system, ...figures.map((figure) => spread(valuesOf(rounds[system], figure)))]);
  const isWide = figures.length > systems.length;
  const rows = [['', ...figures], ...cells];
  const lines = table(isWide ? turned(rows) : rows);
  return [`${name}: ${about}`, ...lines, ...ratios(compared, rounds), ...remarks, ''].join('\n');
}

const turned = (rows: readonly (readonly string[])[]): string[][] =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ''));

/** Medians of the pairs of each round. */
function ratios(compared: Scenario['compared'], rounds: Measured['rounds']): string[] {
  if (compared === undefined || rounds[compared.to] === undefined) return [];
  const { figure, to } = compared;
  const own = valuesOf(rounds[to], figure);
  const rows = Object.keys(rounds)
    .filter((system) => system !== to)
    .map((system) => [
      `  ${to} / ${system}`,
      `${spread(pairs(own, valuesOf(rounds[system], figure), (left, right) => left / right))} ×`,
    ]);
  return rows.length === 0 ? [] : [`ratios of ${figure}, pair by pair:`, ...table(rows)];
}

/** The table of goals. */
export function reportGoals(goals: readonly JudgedGoal[]): string {
  const bound = (value: number | undefined, unit: string): string =>
    value === undefined ? '–' : `${shown(value)} ${unit}`.trim();
  const rows = goals.map(({ about, unit, floor, aim, reached, verdict }) => [
    about,
    bound(reached, unit),
    bound(floor, unit),
    bound(aim, unit),
    verdict,
  ]);
  return table([['goal', 'median', 'floor', 'aim', ''], ...rows]).join('\n');
}
