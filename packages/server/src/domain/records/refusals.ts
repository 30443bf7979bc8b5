import type { Refusal } from '../error.ts';
import type { RecordId } from '../ids.ts';
import type { JsonObject } from '../json.ts';

/** Names the field that is refused. `path` is the JSON path of its record, such as `$.data[0]`. */
const at = (path: string, apiName: string): JsonObject => ({ api_name: apiName, json_path: `${path}.${apiName}` });

/** A value that its field cannot hold; `why` says what it could, such as `{"maximum_length": 80}`. */
export const invalidValue = (path: string, apiName: string, why: JsonObject): Refusal => ({
  code: 'INVALID_DATA',
  message: 'invalid data',
  details: { ...why, ...at(path, apiName) },
});

export const missingValue = (path: string, apiName: string): Refusal => ({
  code: 'MANDATORY_NOT_FOUND',
  message: 'required field not found',
  details: at(path, apiName),
});

/** Another record holds the value of a unique field already. */
export const takenValue = (path: string, apiName: string, holder: RecordId): Refusal => ({
  code: 'DUPLICATE_DATA',
  message: 'duplicate data',
  details: { ...at(path, apiName), id: holder },
});

/** A lookup that points at nothing. */
export const unknownTarget = (path: string, apiName: string): Refusal => ({
  code: 'INVALID_DATA',
  message: 'the id given seems to be invalid',
  details: { ...at(`${path}.${apiName}`, 'id'), parent_api_name: apiName },
});

/** No record of the module has this id. */
export const unknownRecord = (id: RecordId, path?: string): Refusal => ({
  code: 'INVALID_DATA',
  message: 'the id given seems to be invalid',
  details: path === undefined ? { id } : { id, ...at(path, 'id') },
});

/** Text or a number that is no id at all. */
export const malformedId = (path?: string): Refusal => ({
  code: 'INVALID_DATA',
  message: 'the id given seems to be invalid',
  details: { expected_data_type: 'bigint', ...(path === undefined ? { api_name: 'id' } : at(path, 'id')) },
});
