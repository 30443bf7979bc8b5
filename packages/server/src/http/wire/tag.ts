import { AppError } from '../../domain/error.ts';
import { isObject, isStorable, type Json, type JsonObject } from '../../domain/json.ts';
import type { StoredRecord } from '../../domain/record.ts';
import type { Result } from '../../domain/records/result.ts';
import type { TagInput } from '../../domain/records/tagging.ts';
import { formatTime } from '../../domain/time.ts';
import type { FoundTags, TaggedRecords } from '../../services/tags.ts';
import type { Call } from '../call.ts';
import { wireError } from '../errors.ts';
import { userReference } from './record.ts';
import { readList } from './record-input.ts';

const MAX_TAGS = 50;
const MAX_NAME = 25;
const COLOR = /^#[0-9A-Fa-f]{6}$/;

/** `tags` of a body, or `tag_names` of the URL: 1 to 50, each with its name. */
export function readTags(body: JsonObject, query: ReadonlyMap<string, string>): readonly TagInput[] {
  const names = readList(query, 'tag_names');
  if (names) return names.map((name, i) => readTag({ name }, i));
  return readTagList(body).map(readTag);
}

/** Tags with their ids; `id` says that of the only one. */
export function readNamedTags(body: JsonObject, id?: string): readonly (TagInput & { readonly id: string })[] {
  const items = readTagList(body);
  if (id !== undefined && items.length > 1) throw refused({ maximum_length: 1, api_name: 'tags', json_path: '$.tags' });
  return items.map((item, i) => {
    const own = id ?? (isObject(item) ? item.id : undefined);
    if (own === undefined || own === null) throw missing(`$.tags[${i}].id`, 'id');
    return { ...readTag(item, i), id: String(own) };
  });
}

function readTagList({ tags }: JsonObject): readonly Json[] {
  if (tags === undefined || tags === null) throw missing('$.tags', 'tags');
  const at = { api_name: 'tags', json_path: '$.tags' };
  if (!Array.isArray(tags)) throw refused({ expected_data_type: 'jsonarray', ...at });
  if (tags.length === 0) throw refused({ minimum_length: 1, ...at });
  if (tags.length > MAX_TAGS) throw refused({ maximum_length: MAX_TAGS, ...at });
  return tags;
}

function readTag(item: Json, position: number): TagInput {
  const path = `$.tags[${position}]`;
  if (!isObject(item)) throw refused({ expected_data_type: 'jsonobject', api_name: 'tags', json_path: path });
  const { name, color_code: color } = item;
  if (name === undefined || name === null) throw missing(`${path}.name`, 'name');
  const at = { api_name: 'name', json_path: `${path}.name` };
  if (typeof name !== 'string' || !isStorable(name) || name.trim() === '')
    throw refused({ expected_data_type: 'text', ...at });
  if (name.trim().length > MAX_NAME) throw refused({ maximum_length: MAX_NAME, ...at });
  if (color === undefined || color === null) return { name: name.trim() };
  if (typeof color === 'string' && COLOR.test(color)) return { name: name.trim(), color };
  throw refused({ expected_data_type: 'color', api_name: 'color_code', json_path: `${path}.color_code` });
}

const refused = (details: JsonObject): AppError => new AppError('INVALID_DATA', 'invalid data', details);
const missing = (path: string, name: string): AppError =>
  new AppError('MANDATORY_NOT_FOUND', 'required field not found', { api_name: name, json_path: path });

/** One entry of `settings/tags`. */
export const wireTag = (tag: StoredRecord, user: FoundTags['user'], timeZone: string): JsonObject => ({
  created_time: formatTime(tag.createdAt, timeZone),
  modified_time: formatTime(tag.modifiedAt, timeZone),
  color_code: tag.values.color_code ?? null,
  name: tag.values.name ?? null,
  modified_by: userReference(tag.modifiedBy, user),
  id: tag.id,
  created_by: userReference(tag.createdBy, user),
});

export function wireTagResult(
  result: Result<StoredRecord>,
  { principal }: Call,
  done: 'created' | 'updated' | 'deleted',
): object {
  if (!result.ok) return wireError(result.refusal);
  const tag = result.value;
  const user = (id: string) => (id === principal.user.id ? principal.user : undefined);
  const details = done === 'deleted' ? { id: tag.id } : wireTag(tag, user, principal.org.timeZone);
  return { code: 'SUCCESS', details, message: `tags ${done} successfully`, status: 'success' };
}

export const wireTagged = ({ results, tagsOf }: TaggedRecords): object[] =>
  results.map((result) => {
    if (!result.ok) return wireError(result.refusal);
    const { id } = result.value.record;
    return {
      code: 'SUCCESS',
      details: { id, tags: tagsOf(id) },
      message: 'tags updated successfully',
      status: 'success',
    };
  });
