import { type Command, Option } from 'commander';
import { type Config, ConfigError, loadConfig, type Profile } from '../config.ts';
import { type Flags, SETTINGS, type SettingName } from '../settings.ts';
import { CliError } from './errors.ts';

/** Where flags and environment come together; the latter is handed down from the process entry. */
export type Environment = NodeJS.ProcessEnv;

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** Gives a command a flag for each of the settings. */
export function addSettings(command: Command, names: readonly SettingName[] = NAMES): Command {
  for (const name of names) command.addOption(optionFor(name));
  return command;
}

function optionFor(name: SettingName): Option {
  const { env, flag, placeholder, help } = SETTINGS[name];
  return new Option(`${flag} ${placeholder}`, `${help} (${env})`);
}

/** The data directory for a command that needs no other setting, such as one that only reads the credentials in it. */
export function credentialsDirOption(env: Environment, what = 'where the server keeps credentials.json'): Option {
  const { env: variable, flag, placeholder, fallback } = SETTINGS.dataDir;
  return new Option(`${flag} ${placeholder}`, `${what} (${variable})`).default(env[variable] || fallback);
}

/** The admin token for a command that calls a running server with it. */
export function adminTokenOption(env: Environment): Option {
  const { env: variable, flag, placeholder } = SETTINGS.adminToken;
  const option = new Option(
    `${flag} ${placeholder}`,
    `admin token; that of the credentials file when absent (${variable})`,
  );
  return env[variable] ? option.default(env[variable], 'as set') : option;
}

/** Configuration of a command with settings. Throws `CliError` (used wrongly) that names every problem. */
export function readConfig(profile: Profile, options: Readonly<Record<string, unknown>>, env: Environment): Config {
  const flags: { [Name in SettingName]?: string } = {};
  for (const name of NAMES) {
    const value = options[optionFor(name).attributeName()];
    if (typeof value === 'string') flags[name] = value;
  }
  try {
    return loadConfig(profile, flags satisfies Flags, env);
  } catch (error) {
    throw unusable(error);
  }
}

/** What is wrong with the configuration as a `CliError`; anything else as it is. */
export function unusable(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  return new CliError(['the configuration is not usable:', ...error.problems].join('\n  '), 2, { cause: error });
}
