import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isObject, type JsonObject } from '../../../src/domain/json.ts';

const REPOSITORY = fileURLToPath(new URL('../../../../../', import.meta.url));

/** The folder with the public OpenAPI files of v8, which are not part of this repository. */
const OAS_FOLDER = process.env.WATCHBELL_TEST_OAS ?? join(REPOSITORY, '../shared/oas');

/** Nothing is checked where the files are not. */
export const hasOas = existsSync(join(OAS_FOLDER, 'notifications.json'));

/** A part of one of the files. References in it are to that file unless they name another. */
export interface Part {
  readonly file: string;
  readonly value: JsonObject;
}

/** By name without `.json`; read at the first need. */
let documents: ReadonlyMap<string, JsonObject> | undefined;

export function oasDocuments(): ReadonlyMap<string, JsonObject> {
  documents ??= new Map(
    readdirSync(OAS_FOLDER)
      .filter((name) => name.endsWith('.json'))
      .map((name) => [name.slice(0, -5), JSON.parse(readFileSync(join(OAS_FOLDER, name), 'utf8')) as JsonObject]),
  );
  return documents;
}

/** What a part is, or what it refers to; undefined when that is in a file which is not there. */
export function resolve(part: Part): Part | undefined {
  const { $ref: reference } = part.value;
  if (typeof reference !== 'string') return part;
  const [, named, pointer = ''] = /^(?:.*?([^/]+)\.json)?#\/(.+)$/.exec(reference) ?? [];
  const file = named ?? part.file;
  const document = oasDocuments().get(file);
  if (!document) return undefined;
  const found = pointer
    .split('/')
    .reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), document);
  if (!isObject(found)) throw new Error(`${part.file}.json refers to ${reference}, which is not there`);
  return resolve({ file, value: found });
}
