import { isObject, type Json } from '../json.ts';
import { type KeyRef, keyValue, type RecordRef } from '../record.ts';
import { readRecordId } from './ids.ts';

/** The field that holds a record's tags: a list of `{ id, module }`, which name records as lookups do. */
export const TAG_FIELD = 'Tag';
export const MAX_TAGS_PER_RECORD = 10;
/** The field by which a tag is called. */
export const TAG_NAME = 'name';

const PREFIX = 'tags.';

/** A module's tags are kept as records under this name, which is no module that callers could name. */
export const tagModule = (module: string): string => PREFIX + module;

export const isTagModule = (module: string): boolean => module.startsWith(PREFIX);

export const tagKey = (module: string, name: string): KeyRef => ({
  module: tagModule(module),
  field: TAG_NAME,
  value: keyValue(name),
});

/** The tags that a stored value names. */
export const tagRefs = (value: Json | undefined): RecordRef[] =>
  (Array.isArray(value) ? value : []).flatMap((item): RecordRef[] => {
    const id = isObject(item) && item.id !== undefined ? readRecordId(item.id) : undefined;
    return id && isObject(item) && typeof item.module === 'string' ? [{ module: item.module, id }] : [];
  });
