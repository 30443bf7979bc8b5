import { resolve } from 'node:path';
import { restore as restoreInto } from '../maintenance.ts';
import { showCopy } from './backup.ts';
import type { ExitCode } from './errors.ts';
import { note } from './output.ts';
import { type Environment, readConfig } from './settings.ts';

export interface RestoreOptions {
  readonly from: string;
  readonly dev?: boolean;
  readonly json?: boolean;
}

/** Puts a backup as the store into an empty data directory, ready to be served. */
export async function restore(
  options: RestoreOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<ExitCode> {
  const config = readConfig(options.dev ? 'dev' : 'production', options, env);
  const facts = await restoreInto(config, resolve(options.from));
  showCopy(resolve(options.from), facts, options.json);
  if (!options.json) note(`Restored into ${config.dataDir}. Start it as ever, and never the original again.`);
  return 0;
}
