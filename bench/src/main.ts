import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Arguments, HELP, readArguments } from './arguments.ts';
import { GOALS, judge } from './goals.ts';
import { log } from './log.ts';
import { machine, versions } from './machine.ts';
import { cleanUpAtEnd } from './processes.ts';
import { reportGoals, reportScenario } from './report.ts';
import type { Measured, Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  if (args.isHelp) {
    say(HELP);
    return 0;
  }
  if (args.isList) {
    for (const { name, about, minutes } of SCENARIOS) say(`${name.padEnd(18)} ${about} (about ${minutes} min)`);
    return 0;
  }
  const { results, failed } = await run(args, scenariosFor(args));
  const goals = GOALS.map((goal) => judge(goal, results)).filter(({ scenario }) => results[scenario] !== undefined);
  if (goals.length > 0) say(reportGoals(goals));
  if (args.isQuick) say('A short look: these figures are not to be quoted.');
  mkdirSync(dirname(args.json), { recursive: true });
  writeFileSync(args.json, `${JSON.stringify(document(args, results, failed, goals), undefined, 1)}\n`);
  say(`All figures: ${args.json}`);
  for (const name of Object.keys(failed)) say(`FAILED: ${name}: ${failed[name]}`);
  return Object.keys(failed).length === 0 ? 0 : 1;
}

function scenariosFor({ scenarios: names }: Arguments): readonly Scenario[] {
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new Error(`There is no scenario ${unknown}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  }
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => names.includes(name));
}

interface Run {
  readonly results: Record<string, Measured>;
  /** What was wrong with those that could not be measured. */
  readonly failed: Record<string, string>;
}

/** One after the other; one that fails does not keep the others from being measured. */
async function run({ rounds, isQuick, systems, profileDir }: Arguments, scenarios: readonly Scenario[]): Promise<Run> {
  const made: Run = { results: {}, failed: {} };
  const ask = { rounds, isQuick, log, ...(systems && { systems }), ...(profileDir !== undefined && { profileDir }) };
  for (const scenario of scenarios) {
    log(`${scenario.name}: ${scenario.about}`);
    try {
      const measured = await scenario.run(ask);
      made.results[scenario.name] = measured;
      say(reportScenario(scenario, measured));
    } catch (error) {
      made.failed[scenario.name] = error instanceof Error ? error.message : String(error);
      log(`${scenario.name} failed: ${error instanceof Error ? error.stack : error}`);
    }
  }
  return made;
}

const document = (
  { rounds, isQuick }: Arguments,
  scenarios: Run['results'],
  failed: Run['failed'],
  goals: readonly unknown[],
) => ({
  date: new Date().toISOString(),
  command: ['npm run all --', ...process.argv.slice(2)].join(' '),
  rounds,
  isQuick,
  machine: machine(),
  versions: versions(),
  goals,
  scenarios,
  failed,
});

cleanUpAtEnd();
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(2);
  },
);
