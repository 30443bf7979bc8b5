import { AppError } from '../../domain/error.ts';
import { isObject, type Json, type JsonObject } from '../../domain/json.ts';
import { ambiguous, invalid, wrongType } from './faults.ts';

interface Finder<Found> {
  byName(name: string): Found | undefined;
  byId(id: string): Found | undefined;
}

/** Reads `{"api_name","id"}`: one of them is enough, and both must mean the same. */
export function readReference<Found>(value: Json, key: string, path: string, find: Finder<Found>): Found {
  if (!isObject(value)) throw wrongType('jsonobject', key, path);
  const name = readText(value, 'api_name', path);
  const id = readText(value, 'id', path);
  if (name === undefined && id === undefined) throw nothingNamed(path);
  const byName = name === undefined ? undefined : find.byName(name);
  if (name !== undefined && byName === undefined) throw invalid('api_name', `${path}.api_name`);
  const byId = id === undefined ? undefined : find.byId(id);
  if (byName !== undefined && id !== undefined && byId !== byName) throw ambiguous(path, ['api_name', 'id']);
  const found = byName ?? byId;
  if (found === undefined) throw invalid('id', `${path}.id`);
  return found;
}

function readText(value: JsonObject, key: string, path: string): string | undefined {
  const text = value[key];
  if (text === undefined || text === null) return undefined;
  if (typeof text !== 'string') throw wrongType('string', key, `${path}.${key}`);
  return text;
}

const nothingNamed = (path: string): AppError =>
  new AppError('EXPECTED_FIELD_MISSING', 'Specify atleast one field', {
    expected_fields: ['api_name', 'id'].map((key) => ({ api_name: key, json_path: `${path}.${key}` })),
  });
