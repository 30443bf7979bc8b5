import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface Arguments {
  readonly scenarios: readonly string[];
  readonly systems?: readonly string[];
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly json: string;
  readonly profileDir?: string;
  readonly isList: boolean;
  readonly isHelp: boolean;
}

export const HELP = `npm run all -- [SCENARIO …] [options]

Measures Watchbell, and what people would build instead of it, side by side. Without a scenario: all of them.

  --quick          a short look: fewer events, one round; figures are not to be quoted
  --rounds N       counted rounds, 1 to 100; 5 when left out
  --systems A,B    only these systems
  --json FILE      where all figures go; bench/results/latest.json when left out
  --profile DIR    has Watchbell write profiles of its main thread there, which slows it down; for rates only
  --list           names of scenarios, and what they measure
  --help           this text
`;

/** Where figures go when nothing else is said. */
export const RESULTS = fileURLToPath(new URL('../results/latest.json', import.meta.url));
const ROUNDS = 5;
const QUICK_ROUNDS = 1;
const MAX_ROUNDS = 100;

/** Throws with what is wrong. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      systems: { type: 'string' },
      json: { type: 'string', default: RESULTS },
      profile: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick: isQuick, rounds: asked, systems, json, profile, list: isList, help: isHelp } = values;
  const rounds = asked === undefined ? (isQuick ? QUICK_ROUNDS : ROUNDS) : Number(asked);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) {
    throw new Error(`--rounds must be a whole number from 1 to ${MAX_ROUNDS}`);
  }
  const named = systems?.split(',').filter((name) => name !== '');
  if (named?.length === 0) throw new Error('--systems must name at least one system');
  return {
    scenarios: positionals,
    ...(named && { systems: named }),
    rounds,
    isQuick,
    json,
    ...(profile !== undefined && { profileDir: resolve(profile) }),
    isList,
    isHelp,
  };
}
