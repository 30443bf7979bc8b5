import { readFile } from 'node:fs/promises';
import { Value } from 'typebox/value';
import { ConfigError } from './config.ts';
import { AppError } from './domain/error.ts';
import type { OrgId } from './domain/ids.ts';
import { ModuleFile, readWanted } from './http/wire/module-definition.ts';
import type { Catalogs } from './services/catalogs.ts';
import { meetModules } from './services/module-file.ts';
import { SETTINGS } from './settings.ts';

const MAX_BYTES = 16_777_216;

/**
 * Gives an organisation the modules and fields that a JSON file asks for. `usual` is the organisation when the file names
 * none. Rejects with a `ConfigError` that says what of the file is wrong.
 */
export async function applyModuleFile(path: string, catalogs: Catalogs, usual: OrgId | undefined): Promise<void> {
  const file = await read(path);
  const org = (file.org as OrgId | undefined) ?? usual;
  if (org === undefined) throw problem(`${path}: org is missing; it says whose modules these are`);
  try {
    await meetModules(catalogs, org, readWanted(file));
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'SERVICE_UNAVAILABLE') throw error;
    throw problem(`${path}: ${error.message}${at(error.details.json_path)}`);
  }
}

async function read(path: string) {
  let content: unknown;
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > MAX_BYTES) throw new RangeError(`it is larger than ${MAX_BYTES} bytes`);
    content = JSON.parse(text);
  } catch (error) {
    throw problem(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (Value.Check(ModuleFile, content)) return content;
  const [fault] = Value.Errors(ModuleFile, content);
  const what = fault?.keyword === 'boolean' ? 'is no key that is known there' : fault?.message;
  throw problem(`${path}: ${fault?.instancePath || 'the file'} ${what ?? 'is not as expected'}`);
}

const at = (path: unknown): string => (typeof path === 'string' ? ` (${path})` : '');

const problem = (what: string): ConfigError =>
  new ConfigError([`${SETTINGS.modules.env} (${SETTINGS.modules.flag}) ${what}`]);
