import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '@watchbell/client';
import type { ExitCode } from './errors.ts';
import { firstMinuteText } from './first-minute.ts';
import { print, printJson } from './output.ts';
import { runServer } from './server-command.ts';
import { type Environment, readConfig } from './settings.ts';

export interface DevOptions {
  readonly json?: boolean;
  readonly restored?: boolean;
}

/** Serves the dev profile and says how to go on. */
export async function dev(
  options: DevOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<ExitCode> {
  const config = { ...readConfig('dev', options, env), isRestored: options.restored === true };
  return runServer(config, async (base) => {
    const path = join(config.dataDir, 'credentials.json');
    if (options.json) return printJson({ base, credentials: path });
    const credentials = JSON.parse(await readFile(path, 'utf8')) as Credentials;
    print(`Watchbell is ready on ${base} (dev profile: fixed credentials, receivers on this machine are allowed).`);
    print(`Credentials: ${path}`);
    print('');
    print('For a first notification, paste these lines into another terminal:');
    print('');
    print(firstMinuteText({ ...credentials, base }));
    print('');
    print('Or let the command line do it: "watchbell listen Contacts.all", then "watchbell trigger Contacts.create".');
    print(`All calls, in a browser: ${base}/_watchbell/docs`);
  });
}
