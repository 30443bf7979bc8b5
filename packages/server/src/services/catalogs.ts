import { AppError } from '../domain/error.ts';
import type { OrgId } from '../domain/ids.ts';
import type { Field, Module } from '../domain/module.ts';
import type { Catalog } from '../domain/modules/catalog.ts';
import type { FieldInput, ModuleInput } from '../domain/modules/definition.ts';
import {
  addField,
  addModule,
  changeField,
  changeModule,
  type FieldChange,
  type ModuleChange,
  removeField,
  removeModule,
} from '../domain/modules/edit.ts';
import { requireStays } from '../domain/org.ts';
import type { WorkingSet } from '../domain/working-set.ts';
import type { AccountStore } from '../storage/store.ts';
import type { Writer } from './writer.ts';

/**
 * The modules and fields of organisations. Changes go through the organisation's writer, so they are ordered with its
 * records, and hold for every call that begins after they are answered.
 *
 * All throw `AppError`: INVALID_DATA, DUPLICATE_DATA, LIMIT_REACHED or NOT_FOUND that name what is wrong.
 */
export interface Catalogs {
  find(org: OrgId): Promise<Catalog>;
  addModule(org: OrgId, input: ModuleInput): Promise<Module>;
  changeModule(org: OrgId, module: string, change: ModuleChange): Promise<Module>;
  /** Refused while it has records or a field of another module points at it. */
  removeModule(org: OrgId, module: string): Promise<void>;
  /** `path` is where a refusal says that the input stands, such as `$.modules[0].fields[1]`. */
  addField(org: OrgId, module: string, input: FieldInput, path?: string): Promise<Field>;
  changeField(org: OrgId, module: string, field: string, change: FieldChange): Promise<Field>;
  /** What is stored in it stays and is not shown. */
  removeField(org: OrgId, module: string, field: string): Promise<void>;
}

export interface CatalogsParts {
  readonly writer: Writer;
  readonly accounts: AccountStore;
  /** Told of each change once it is durable, before it is answered. */
  readonly onChanged: (org: OrgId) => void;
}

const WEIGHT = 10;

export function createCatalogs({ writer, accounts, onChanged }: CatalogsParts): Catalogs {
  async function find(org: OrgId): Promise<Catalog> {
    const catalog = await accounts.findCatalog(org);
    if (catalog) return catalog;
    throw new AppError('NOT_FOUND', 'There is no such org', { api_name: 'org' });
  }

  async function change<Answer>(
    org: OrgId,
    decide: (set: WorkingSet) => Answer,
    modulesInUse: readonly string[] = [],
  ): Promise<Answer> {
    await find(org);
    const answer = await writer.submit(org, {
      needs: { modulesInUse },
      weight: WEIGHT,
      isAdministration: true,
      decide(set) {
        requireStays(set.org);
        return decide(set);
      },
    });
    onChanged(org);
    return answer;
  }

  return {
    find,
    addModule: (org, input) => change(org, (set) => addModule(set, input)),
    changeModule: (org, module, wanted) => change(org, (set) => changeModule(set, module, wanted)),
    removeModule: (org, module) => change(org, (set) => removeModule(set, module), [module]),
    addField: (org, module, input, path) => change(org, (set) => addField(set, module, input, path)),
    changeField: (org, module, field, wanted) => change(org, (set) => changeField(set, module, field, wanted)),
    removeField: (org, module, field) => change(org, (set) => removeField(set, module, field)),
  };
}
