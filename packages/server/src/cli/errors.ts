import { UnreachableError } from '@watchbell/client';
import { CommanderError } from 'commander';

/** 0 done · 1 failed · 2 used wrongly. */
export type ExitCode = 0 | 1 | 2;

/** Something that a person can mend: told in its own words, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What is said on stderr, and the exit code. `said` is empty when commander has spoken already. */
export function judge(error: unknown): { readonly said: string; readonly exitCode: ExitCode } {
  if (error instanceof CommanderError) return { said: '', exitCode: error.exitCode === 0 ? 0 : 2 };
  if (error instanceof CliError) return { said: `watchbell: ${error.message}`, exitCode: error.exitCode };
  if (isExpected(error)) return { said: `watchbell: ${expectedText(error)}`, exitCode: 1 };
  return { said: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}

interface ExpectedError extends Error {
  readonly code: string;
}

/** Refusals of the API, the store or the system all carry a code. `ERR_…` is Node's word for a mistake in our own code. */
export const isExpected = (error: unknown): error is ExpectedError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');

/** One line: the code where the message does not hold it, the message, and what an API error adds. */
export function expectedText(error: ExpectedError): string {
  const details = 'details' in error ? JSON.stringify(error.details) : '{}';
  const code = error instanceof UnreachableError || error.message.includes(error.code) ? '' : `${error.code}: `;
  return `${code}${error.message}${details === '{}' ? '' : ` ${details}`}`;
}
