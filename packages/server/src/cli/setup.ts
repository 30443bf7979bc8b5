import { setup as makeFirstOrg } from '../maintenance.ts';
import type { ExitCode } from './errors.ts';
import { note, print, printJson, table } from './output.ts';
import { type Environment, readConfig } from './settings.ts';

export interface SetupOptions {
  readonly org: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly client: string;
  readonly json?: boolean;
}

/** Makes the first organisation, user and client, and shows their secrets once. */
export async function setup(
  options: SetupOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<ExitCode> {
  const config = readConfig('production', options, env);
  const made = await makeFirstOrg(config, {
    orgName: options.org,
    timeZone: config.timeZone,
    email: options.email,
    firstName: options.firstName,
    lastName: options.lastName,
    clientName: options.client,
  });
  if (options.json) printJson(made);
  else print(table(Object.entries(made)));
  note('Keep these now: only their hashes are stored, and they are not shown again.');
  return 0;
}
