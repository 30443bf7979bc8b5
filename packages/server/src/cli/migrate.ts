import { migrate as applyMigrations, pendingMigrations } from '../maintenance.ts';
import type { ExitCode } from './errors.ts';
import { print, printJson } from './output.ts';
import { type Environment, readConfig } from './settings.ts';

export interface MigrateOptions {
  readonly check?: boolean;
  readonly dev?: boolean;
  readonly json?: boolean;
}

/** Brings the store's schema up to date; with `check` only looks, and exits 1 when something is pending. */
export async function migrate(
  options: MigrateOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<ExitCode> {
  const config = readConfig(options.dev ? 'dev' : 'production', options, env);
  const { applied, pending } = await (options.check ? pendingMigrations(config) : applyMigrations(config));
  if (options.json) {
    printJson(options.check ? { applied, pending } : { applied: [...applied, ...pending], pending: [] });
  } else if (pending.length === 0) {
    print(`Up to date with ${applied.at(-1) ?? 'nothing'}.`);
  } else {
    for (const name of pending) print(`${options.check ? 'pending' : 'applied'}  ${name}`);
  }
  return options.check && pending.length > 0 ? 1 : 0;
}
