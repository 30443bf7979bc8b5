import { AppError } from '../../domain/error.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { type ApiVersion, VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { Call } from '../call.ts';

/** The records of a write: `data`, a list that is not empty. Other keys (`trigger`, `process`, …) have no effect. */
export function readItems({ data }: JsonObject): readonly Json[] {
  const at = { api_name: 'data', json_path: '$.data' };
  if (data === undefined || data === null) throw new AppError('MANDATORY_NOT_FOUND', 'required field not found', at);
  if (!Array.isArray(data))
    throw new AppError('INVALID_DATA', 'invalid data', { expected_data_type: 'jsonarray', ...at });
  if (data.length === 0) throw new AppError('INVALID_DATA', 'invalid data', { minimum_length: 1, ...at });
  return data;
}

/** The fields by which an upsert finds records; undefined when it leaves the choice to the module. */
export function readCheckFields({ duplicate_check_fields: asked }: JsonObject): readonly string[] | undefined {
  if (asked === undefined || asked === null) return undefined;
  const isList = Array.isArray(asked) && asked.every((name) => typeof name === 'string');
  if (isList) return asked.length > 0 ? asked : undefined;
  throw new AppError('INVALID_DATA', 'invalid data', {
    expected_data_type: 'jsonarray',
    api_name: 'duplicate_check_fields',
    json_path: '$.duplicate_check_fields',
  });
}

/** The members of a query parameter such as `ids=1,2`; undefined when there are none. */
export function readList(query: ReadonlyMap<string, string>, param: string): readonly string[] | undefined {
  const items = (query.get(param) ?? '').split(',').map((item) => item.trim());
  const given = items.filter((item) => item !== '');
  return given.length > 0 ? given : undefined;
}

export function requireList(query: ReadonlyMap<string, string>, param: string, version: ApiVersion): readonly string[] {
  const items = readList(query, param);
  if (items) return items;
  throw new AppError(
    'REQUIRED_PARAM_MISSING',
    'One of the expected parameter is missing',
    Object.fromEntries(VERSION_RULES[version].missingParamKeys.map((key) => [key, param])),
  );
}

/** The field of the module that `X-EXTERNAL` names, such as `Leads.Serial,Contacts.Number`; undefined without the header. */
export function externalField({ external }: Pick<Call, 'external'>, module: string): string | undefined {
  if (external === undefined) return undefined;
  const named = external.split(',').map((part) => part.trim().split('.'));
  const field = named.find(([of, name, ...more]) => of === module && name && more.length === 0)?.[1];
  if (field !== undefined) return field;
  throw new AppError('INVALID_DATA', 'the external field given seems to be invalid', { api_name: 'X-EXTERNAL' });
}
