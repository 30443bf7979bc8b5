import type { Call } from './transport.ts';
import { listIn } from './transport.ts';
import type { CrmRecord, ItemResult, RecordPage, RecordValues, WrittenRecord } from './wire.ts';

/** Up to 100 records a call; each is judged alone and answered in request order. */
export interface Records {
  create(module: string, records: readonly RecordValues[]): Promise<readonly ItemResult<WrittenRecord>[]>;
  update(module: string, records: readonly CrmRecord[]): Promise<readonly ItemResult<WrittenRecord>[]>;
  /** Updates the record that shares a value of `duplicateCheckFields` (the module's own when absent), else creates. */
  upsert(
    module: string,
    records: readonly RecordValues[],
    duplicateCheckFields?: readonly string[],
  ): Promise<readonly UpsertResult[]>;
  delete(module: string, ids: readonly string[]): Promise<readonly ItemResult<{ readonly id: string }>[]>;
  /** Undefined when there is none. */
  get(module: string, id: string): Promise<CrmRecord | undefined>;
  /** Newest first. */
  list(module: string, options?: ListOptions): Promise<RecordPage>;
}

export type UpsertResult = ItemResult<WrittenRecord> & {
  readonly action?: 'insert' | 'update';
  readonly duplicate_field?: string | null;
};

export interface ListOptions {
  readonly page?: number;
  /** 1 to 200. */
  readonly perPage?: number;
  readonly fields?: readonly string[];
  readonly ids?: readonly string[];
}

export function createRecords(call: Call): Records {
  const write = async (method: 'POST' | 'PUT', path: string, json: object) =>
    listIn<ItemResult<WrittenRecord>>((await call({ method, path, json })).body, 'data');
  return {
    create: (module, data) => write('POST', pathOf(module), { data }),
    update: (module, data) => write('PUT', pathOf(module), { data }),
    upsert: (module, data, duplicateCheckFields) =>
      write('POST', pathOf(module, 'upsert'), {
        data,
        ...(duplicateCheckFields && { duplicate_check_fields: duplicateCheckFields }),
      }),
    async delete(module, ids) {
      const { body } = await call({ method: 'DELETE', path: pathOf(module), query: { ids: ids.join(',') } });
      return listIn<ItemResult<{ readonly id: string }>>(body, 'data');
    },
    async get(module, id) {
      const { body } = await call({ method: 'GET', path: pathOf(module, id) });
      return listIn<CrmRecord>(body, 'data')[0];
    },
    async list(module, { page = 1, perPage = 200, fields, ids } = {}) {
      const query = { page, per_page: perPage, fields: fields?.join(','), ids: ids?.join(',') };
      const { body } = await call({ method: 'GET', path: pathOf(module), query });
      const none = { data: [], info: { per_page: perPage, count: 0, page, more_records: false } };
      return (body as RecordPage | undefined) ?? none;
    },
  };
}

const pathOf = (...parts: readonly string[]): string => parts.map((part) => `/${encodeURIComponent(part)}`).join('');
