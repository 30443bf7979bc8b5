import type { ExitCode } from './errors.ts';
import { print, printJson } from './output.ts';
import { runServer } from './server-command.ts';
import { type Environment, readConfig } from './settings.ts';

export interface ServeOptions {
  readonly json?: boolean;
  readonly restored?: boolean;
}

/** Serves the production profile. */
export async function serve(
  options: ServeOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<ExitCode> {
  const config = { ...readConfig('production', options, env), isRestored: options.restored === true };
  return runServer(config, (base) => {
    if (options.json) printJson({ base });
    else print(`Watchbell is ready on ${base}.`);
  });
}
