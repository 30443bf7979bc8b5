import type { OrgId } from '../domain/ids.ts';
import type { Field } from '../domain/module.ts';
import type { AddedField, AddedModule, Additions } from '../domain/modules/additions.ts';
import { type Catalog, createCatalog, STANDARD_CATALOG } from '../domain/modules/catalog.ts';
import type { WriteSet } from '../domain/working-set.ts';
import { insertRows, type Row, type Statement, sql, type Write } from './db.ts';
import { flag, integer, integerOrNone, jsonObject, text } from './rows.ts';

/** Most organisations whose catalogue is kept; the one unused for longest goes first. */
const MAX_CATALOGS = 1000;

type Query = (statements: readonly Statement[]) => Promise<Row[][]>;

/** What modules and fields organisations have. Kept in memory: a catalogue is read again only when its version moved. */
export interface Catalogs {
  /** `version` as the organisation's row has it. */
  get(org: OrgId, version: number, query: Query): Promise<Catalog>;
  /** A version may come again with other modules. */
  forgetAll(): void;
}

export function createCatalogs(): Catalogs {
  const known = new Map<OrgId, { readonly version: number; readonly catalog: Catalog }>();

  function keep(org: OrgId, version: number, catalog: Catalog): void {
    known.delete(org);
    known.set(org, { version, catalog });
    for (const oldest of known.keys()) {
      if (known.size <= MAX_CATALOGS) break;
      known.delete(oldest);
    }
  }

  return {
    async get(org, version, query) {
      if (version === 0) return STANDARD_CATALOG;
      const kept = known.get(org);
      if (kept?.version === version) {
        keep(org, version, kept.catalog);
        return kept.catalog;
      }
      // The version once more: what is read now may be newer than what the caller knows of.
      const [orgs, modules, fields] = await query(selectAdditions(org));
      const [row] = orgs ?? [];
      if (!row) return STANDARD_CATALOG;
      const catalog = createCatalog(readAdditions(modules ?? [], fields ?? []));
      keep(org, integer(row, 'catalog_version'), catalog);
      return catalog;
    },
    forgetAll: () => known.clear(),
  };
}

const selectAdditions = (org: OrgId): readonly Statement[] => [
  sql`SELECT catalog_version FROM org WHERE id = ${org}`,
  sql`SELECT api_name, serial, singular, plural, modified_at, removed_at, is_external FROM added_module
      WHERE org_id = ${org} ORDER BY serial`,
  sql`SELECT module, serial, definition, modified_at, removed_at FROM added_field WHERE org_id = ${org} ORDER BY serial`,
];

const readAdditions = (modules: readonly Row[], fields: readonly Row[]): Additions => ({
  modules: modules.map(readModule),
  fields: fields.map(readField),
});

const readModule = (row: Row): AddedModule => ({
  apiName: text(row, 'api_name'),
  serial: integer(row, 'serial'),
  singular: text(row, 'singular'),
  plural: text(row, 'plural'),
  ...(flag(row, 'is_external') && { isExternal: true }),
  ...readTimes(row),
});

const readField = (row: Row): AddedField => ({
  module: text(row, 'module'),
  field: { ...jsonObject<Field>(row, 'definition'), serial: integer(row, 'serial') },
  ...readTimes(row),
});

function readTimes(row: Row): { readonly modifiedAt: number; readonly removedAt?: number } {
  const removedAt = integerOrNone(row, 'removed_at');
  return { modifiedAt: integer(row, 'modified_at'), ...(removedAt !== undefined && { removedAt }) };
}

export const saveAdditions = (org: OrgId, { modules, fields }: WriteSet['additions']): Write[] => [
  insertRows(
    'added_module (org_id, api_name, serial, singular, plural, modified_at, removed_at, is_external)',
    [...modules.values()].map(({ apiName, serial, singular, plural, isExternal, modifiedAt, removedAt }) => [
      org,
      apiName,
      serial,
      singular,
      plural,
      modifiedAt,
      removedAt ?? null,
      Number(isExternal ?? false),
    ]),
    `ON CONFLICT (org_id, api_name) DO UPDATE SET singular = excluded.singular, plural = excluded.plural,
       modified_at = excluded.modified_at, removed_at = excluded.removed_at`,
  ),
  insertRows(
    'added_field (org_id, module, api_name, serial, definition, modified_at, removed_at)',
    [...fields.values()].map(({ module, field: { serial, ...definition }, modifiedAt, removedAt }) => [
      org,
      module,
      definition.apiName,
      serial,
      JSON.stringify(definition),
      modifiedAt,
      removedAt ?? null,
    ]),
    `ON CONFLICT (org_id, module, api_name) DO UPDATE SET definition = excluded.definition,
       modified_at = excluded.modified_at, removed_at = excluded.removed_at`,
  ),
];

/** Which of the modules have records, a row for each that has. */
export const selectInUse = (org: OrgId, modules: readonly string[]): Statement[] =>
  [...new Set(modules)].map(
    (module) => sql`SELECT module FROM record WHERE org_id = ${org} AND module = ${module} LIMIT 1`,
  );
