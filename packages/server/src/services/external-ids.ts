import { AppError } from '../domain/error.ts';
import type { OrgId, RecordId } from '../domain/ids.ts';
import type { Json } from '../domain/json.ts';
import type { Field, Module } from '../domain/module.ts';
import { findField } from '../domain/modules/catalog.ts';
import { keyValue } from '../domain/record.ts';
import type { RecordInput } from '../domain/records/input.ts';
import { invalidValue, missingValue } from '../domain/records/refusals.ts';
import { done, type Result, refused } from '../domain/records/result.ts';
import type { RelatedReads } from '../storage/store.ts';

/** Lets callers name records by a field of theirs instead of the id. Values are looked up before the write is decided. */
export interface ExternalIds {
  /** The ids of these values of the field, by value as given; INVALID_DATA when the field is no external one. */
  find(org: OrgId, module: Module, field: string, values: readonly string[]): Promise<Map<string, RecordId>>;
  /** Items with the ids of the records that their own value of the field names, unless they have one. */
  identify(
    org: OrgId,
    module: Module,
    field: string,
    items: readonly Result<RecordInput>[],
  ): Promise<Result<RecordInput>[]>;
}

export function createExternalIds({ reads }: { readonly reads: RelatedReads }): ExternalIds {
  const find: ExternalIds['find'] = async (org, module, name, values) => {
    const { apiName } = externalField(module, name);
    const folded = values.map((value) => [value, keyValue(value)] as const);
    const holders = await reads.holders(org, module.apiName, apiName, [...new Set(folded.map(([, key]) => key))]);
    return new Map(
      folded.flatMap(([value, key]) => {
        const id = holders.get(key);
        return id ? [[value, id] as const] : [];
      }),
    );
  };
  return {
    find,
    async identify(org, module, name, items) {
      const values = items.flatMap((item) => (item.ok ? (textOf(item.value.given.get(name)) ?? []) : []));
      const ids = await find(org, module, name, values);
      return items.map((item) => {
        if (!item.ok || item.value.id) return item;
        const value = textOf(item.value.given.get(name));
        if (value === undefined) return refused(missingValue(item.value.path, name));
        const id = ids.get(value);
        return id ? done({ ...item.value, id }) : refused(invalidValue(item.value.path, name, {}));
      });
    },
  };
}

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

function externalField(module: Module, name: string): Field {
  const field = findField(module, name);
  if (field?.external) return field;
  throw new AppError('INVALID_DATA', 'the external field given seems to be invalid', { api_name: 'X-EXTERNAL' });
}
