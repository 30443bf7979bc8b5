import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import { AppError } from '../domain/error.ts';
import type { RecordId } from '../domain/ids.ts';
import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import { ANY_MODULE, type Field, type Module } from '../domain/module.ts';
import { findModule } from '../domain/modules/catalog.ts';
import type { Principal } from '../domain/org.ts';
import type { StoredRecord } from '../domain/record.ts';
import { updateAll } from '../domain/records/call.ts';
import { readInput } from '../domain/records/input.ts';
import { lookupTarget } from '../domain/records/lookup.ts';
import { needsOf } from '../domain/records/needs.ts';
import { unknownRecord } from '../domain/records/refusals.ts';
import { done, refused } from '../domain/records/result.ts';
import { findRecord } from '../domain/working-set.ts';
import type { RecordReads, RelatedQuery, RelatedReads } from '../storage/store.ts';
import type { ExternalIds } from './external-ids.ts';
import type { Naming } from './naming.ts';
import { pathId, readId, tooMany, tooManyIds, usable } from './record-access.ts';
import type { WriteRecords, WriteResults } from './record-writes.ts';
import type { FoundRecords, Records } from './records.ts';
import { fieldsPointingAt } from './related-fields.ts';

/** The records of another module that point at one record: a related list of it. */
export interface Related {
  list(principal: Principal, place: Place, query: RelatedQuery): Promise<FoundRecords>;
  /** One of the list; none when it does not point at the record. */
  find(principal: Principal, place: Place, id: string): Promise<FoundRecords>;
  /** Only notes are made in their list. */
  create(principal: Principal, place: Place, items: readonly Json[]): Promise<WriteResults>;
  /** Sets the items' values and lets them point at the record; each names its record unless `id` says it for the only one. */
  link(principal: Principal, place: Place, items: readonly Json[], id?: string): Promise<WriteResults>;
  /** Lets records point at nothing; notes are deleted. */
  unlink(principal: Principal, place: Place, ids: readonly string[]): Promise<WriteResults>;
}

/** Where a related list is: that of `related` at the record `id` of `module`. */
export interface Place {
  readonly module: string;
  readonly id: string;
  readonly related: string;
  /** The fields of the module, and of the related one, whose values stand for ids. */
  readonly external?: string | undefined;
  readonly relatedExternal?: string | undefined;
}

interface Found {
  readonly parent: StoredRecord;
  readonly module: Module;
  readonly related: Module;
  /** The lookups of the related module that may point at the record, the first of them being set by `link`. */
  readonly fields: readonly [Field, ...Field[]];
}

interface RelatedParts {
  readonly records: Records;
  readonly write: WriteRecords;
  readonly naming: Naming;
  readonly externalIds: ExternalIds;
  readonly reads: RecordReads;
  readonly relatedReads: RelatedReads;
}

const NOTES = 'Notes';

export function createRelated({ records, write, naming, externalIds, reads, relatedReads }: RelatedParts): Related {
  async function resolve(principal: Principal, module: Module, text: string, external?: string): Promise<RecordId> {
    if (external === undefined) return pathId(text);
    const id = (await externalIds.find(principal.org.id, module, external, [text])).get(text);
    if (id) return id;
    throw new AppError('INVALID_DATA', 'the id given seems to be invalid', { api_name: external });
  }

  /** The place, if the record is there and the caller may use both modules. */
  async function locate(principal: Principal, place: Place, act: 'View' | 'Create' | 'Edit'): Promise<Found> {
    const module = usable(principal, place.module, 'View');
    const known = findModule(principal.catalog, place.related);
    const [first, ...others] = known ? fieldsPointingAt(known, module) : [];
    if (!first)
      throw new AppError('INVALID_DATA', 'the relation name given seems to be invalid', { api_name: 'related' });
    const related = usable(principal, place.related, act);
    const id = await resolve(principal, module, place.id, place.external);
    const [parent] = await reads.findMany(principal.org.id, module.apiName, [id]);
    if (!parent) throw new AppError('INVALID_DATA', 'the id given seems to be invalid', { api_name: 'id' });
    return { parent, module, related, fields: [first, ...others] };
  }

  return {
    async list(principal, place, query) {
      const { parent, related, fields } = await locate(principal, place, 'View');
      const names = fields.map(({ apiName }) => apiName);
      const found = await relatedReads.page(principal.org.id, related.apiName, names, parent.id, query);
      return { module: related, ...found, names: await naming.named(principal, related, found.records) };
    },

    async find(principal, place, text) {
      const { parent, related, fields } = await locate(principal, place, 'View');
      const id = await resolve(principal, related, text, place.relatedExternal);
      const all = await reads.findMany(principal.org.id, related.apiName, [id]);
      const found = all.filter((record) => pointing(fields, record, parent.id).length > 0);
      return {
        module: related,
        records: found,
        moreRecords: false,
        names: await naming.named(principal, related, found),
      };
    },

    async create(principal, place, items) {
      const { parent, module, related, fields } = await locate(principal, place, 'Create');
      if (related.apiName !== NOTES) {
        throw new AppError('INVALID_REQUEST_METHOD', 'The http request method type is not a valid one');
      }
      const link = linkTo(fields[0], module, parent.id);
      return records.create(
        principal,
        related.apiName,
        items.map((item) => (isObject(item) ? { ...item, ...link } : item)),
      );
    },

    async link(principal, place, items, text) {
      const { parent, module, related, fields } = await locate(principal, place, 'Edit');
      if (items.length > MAX_RECORDS_PER_CHANGE) throw tooMany(MAX_RECORDS_PER_CHANGE);
      if (text !== undefined && items.length > 1) throw tooMany(1);
      const only = text === undefined ? undefined : await resolve(principal, related, text, place.relatedExternal);
      const link = linkTo(fields[0], module, parent.id);
      const read = items.map((item, i) =>
        readInput(related, isObject(item) ? { ...item, ...link } : item, `$.data[${i}]`),
      );
      const inputs =
        only || place.relatedExternal === undefined
          ? read
          : await externalIds.identify(principal.org.id, related, place.relatedExternal, read);
      return write(principal, items.length, needsOf(related, inputs, { only }), (set) =>
        updateAll(set, related, inputs, principal.user, only),
      );
    },

    async unlink(principal, place, texts) {
      const { parent, related, fields } = await locate(principal, place, 'Edit');
      if (related.apiName === NOTES) return records.remove(principal, NOTES, texts);
      if (texts.length > MAX_RECORDS_PER_CHANGE) throw tooManyIds();
      const ids = place.relatedExternal
        ? await Promise.all(
            texts.map(async (text) => done(await resolve(principal, related, text, place.relatedExternal))),
          )
        : texts.map(readId);
      const needs = { records: ids.flatMap((id) => (id.ok ? [{ module: related.apiName, id: id.value }] : [])) };
      return write(principal, ids.length, needs, (set) =>
        updateAll(
          set,
          related,
          ids.map((id) => {
            if (!id.ok) return id;
            const record = findRecord(set, related.apiName, id.value);
            const emptied = record ? pointing(fields, record, parent.id) : [];
            if (emptied.length === 0) return refused(unknownRecord(id.value));
            return done({ path: '$', id: id.value, given: new Map(emptied.map(({ apiName }) => [apiName, null])) });
          }),
          principal.user,
        ),
      );
    },
  };
}

const pointing = (fields: readonly Field[], record: StoredRecord, id: RecordId): readonly Field[] =>
  fields.filter((field) => lookupTarget(field, record.values[field.apiName])?.id === id);

const linkTo = (field: Field, module: Module, id: RecordId): JsonObject => ({
  [field.apiName]: field.lookup === ANY_MODULE ? { id, module: module.apiName } : { id },
});
