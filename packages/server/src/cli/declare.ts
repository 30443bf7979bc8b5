import type { ExitCode } from './errors.ts';

/** Runs a command's work and keeps its exit code. */
export type Run = (work: Promise<ExitCode>) => Promise<void>;

/** The part of a command's help that shows it at work. */
export const examples = (...lines: readonly string[]): string =>
  ['', 'Examples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
