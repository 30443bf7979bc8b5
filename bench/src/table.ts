// npm run table: writes the figures of a run into docs/performance.md, between its markers.
import { readFileSync } from 'node:fs';
import { RESULTS } from './arguments.ts';
import { shown, spreadOf, valuesOf } from './figures.ts';
import { GOALS, judge, valuesFor } from './goals.ts';
import type { Machine } from './machine.ts';
import { putIntoPage, table } from './page.ts';
import type { Figures, Measured } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';

interface Document {
  readonly date: string;
  readonly command: string;
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly scenarios: Readonly<Record<string, Measured>>;
}

const spread = (values: readonly number[]): string => {
  if (values.length === 0) return '–';
  const { median, min, max } = spreadOf(values);
  return values.length === 1 ? shown(median) : `${shown(median)} (${shown(min)}–${shown(max)})`;
};

function where({ date, command, rounds, machine, versions, isQuick }: Document): string {
  const { processor, cores, memoryGiB, kernel, node } = machine;
  const { watchbell = 'unknown', ...others } = versions;
  // Where the figures were put meanwhile is nobody's business.
  const asked = command.replace(/ --json \S+/, '').replace(/ --$/, '');
  const named = Object.entries(others).map(([name, version]) => `${name} ${version}`);
  return [
    `On ${date.slice(0, 10)}, by \`${asked}\` in \`bench/\`, ${rounds === 1 ? 'one round' : `${rounds} rounds`}: ${processor}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}. Watchbell at commit ${watchbell}; ${named.join(', ')}.`,
    ...(isQuick ? ['**A short look: these figures are not to be quoted.**'] : []),
  ].join('\n\n');
}

function goals({ scenarios }: Document): string {
  const bound = (value: number | undefined, unit: string): string =>
    value === undefined ? '–' : `${shown(value)} ${unit}`.trim();
  const rows = GOALS.map((goal) => {
    const { about, unit, floor, aim } = goal;
    const values = valuesFor(goal, scenarios);
    const reached = values.length === 0 ? '–' : `${spread(values)} ${unit}`.trim();
    return [about, reached, bound(floor, unit), bound(aim, unit), judge(goal, scenarios).verdict];
  });
  return table(['', 'median (least–most)', 'floor', 'aim', ''], rows);
}

/** A line a system, a column a figure; or the other way round where there are more figures than systems. */
function scenario(name: string, about: string, { rounds, remarks = [] }: Measured): string {
  const systems = Object.keys(rounds);
  const named = new Set(systems.flatMap((system) => (rounds[system] ?? []).flatMap((round) => Object.keys(round))));
  const figures = [...named].filter((figure) => systems.some((system) => isTelling(rounds[system], figure)));
  const cell = (system: string, figure: string): string => spread(valuesOf(rounds[system], figure));
  const words = (figure: string): string => figure.replaceAll('_', ' ');
  const isWide = figures.length > systems.length;
  const body = isWide
    ? table(
        ['', ...systems],
        figures.map((figure) => [words(figure), ...systems.map((system) => cell(system, figure))]),
      )
    : table(
        ['', ...figures.map(words)],
        systems.map((system) => [system, ...figures.map((figure) => cell(system, figure))]),
      );
  return [`### ${name}`, `${about.charAt(0).toUpperCase()}${about.slice(1)}.`, body, ...remarks].join('\n\n');
}

/** Nothing is told of what was nothing in all rounds of all, such as duplicates. */
const isTelling = (rounds: readonly Figures[] | undefined, figure: string): boolean =>
  valuesOf(rounds, figure).some((value) => value !== 0);

const [file = RESULTS] = process.argv.slice(2);
const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
const measured = SCENARIOS.flatMap(({ name, about }) => {
  const figures = document.scenarios[name];
  return figures ? [scenario(name, about, figures)] : [];
});
const figures = [where(document), goals(document), ...measured].join('\n\n');
putIntoPage('figures', figures);
