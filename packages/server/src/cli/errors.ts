import { ApiError, UnreachableError } from '@watchbell/client';
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
  if (error instanceof ApiError) return { said: `watchbell: ${apiErrorText(error)}`, exitCode: 1 };
  if (error instanceof UnreachableError) return { said: `watchbell: ${error.message}`, exitCode: 1 };
  return { said: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}

function apiErrorText({ code, message, details }: ApiError): string {
  const more = Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : '';
  return `${code}: ${message}${more}`;
}
