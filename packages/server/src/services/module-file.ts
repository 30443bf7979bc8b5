import { AppError } from '../domain/error.ts';
import type { OrgId } from '../domain/ids.ts';
import type { Field } from '../domain/module.ts';
import { findField, findModule } from '../domain/modules/catalog.ts';
import { badDefinition, type FieldInput } from '../domain/modules/definition.ts';
import type { FieldChange } from '../domain/modules/edit.ts';
import type { Catalogs } from './catalogs.ts';

/** A module as a file asks for it: one of the organisation's own, or fields for a standard one. */
export interface WantedModule {
  readonly apiName: string;
  /** Absent: of a new module, its API name in words; else as it is. */
  readonly singular?: string;
  readonly plural?: string;
  /** Absent: of a new module, that it is not; else as it is. */
  readonly external?: boolean;
  readonly fields: readonly FieldInput[];
}

/**
 * Adds what an organisation lacks of the modules wanted, and changes labels, pick lists and what is mandatory where they
 * differ. Removes nothing, and can be repeated. Throws `AppError` at the first thing that cannot be had.
 */
export async function meetModules(catalogs: Catalogs, org: OrgId, wanted: readonly WantedModule[]): Promise<void> {
  for (let before: string | undefined; ; ) {
    try {
      return await tryToMeet(catalogs, org, wanted);
    } catch (error) {
      // Another node that starts at the same moment may have added it just before; then the next thing is met.
      const refused =
        error instanceof AppError ? JSON.stringify([error.code, error.message, error.details]) : undefined;
      if (refused === undefined || refused === before) throw error;
      before = refused;
    }
  }
}

async function tryToMeet(catalogs: Catalogs, org: OrgId, wanted: readonly WantedModule[]): Promise<void> {
  // All modules before any field: lookups may point at those further down.
  for (const [i, module] of wanted.entries()) await meetModule(catalogs, org, module, `$.modules[${i}]`);
  for (const [i, module] of wanted.entries()) {
    for (const [k, field] of module.fields.entries()) {
      await meetField(catalogs, org, module.apiName, field, `$.modules[${i}].fields[${k}]`);
    }
  }
}

async function meetModule(catalogs: Catalogs, org: OrgId, wanted: WantedModule, path: string): Promise<void> {
  const { apiName, singular, plural, external } = wanted;
  const known = findModule(await catalogs.find(org), apiName);
  if (!known) {
    const words = apiName.replaceAll('_', ' ');
    await catalogs.addModule(org, {
      apiName,
      singular: singular ?? words,
      plural: plural ?? words,
      ...(external && { external }),
      fields: [],
    });
  } else if (differs(known.isExternal ?? false, external)) {
    throw badDefinition(`${path}.external`, `differs from what ${apiName} is, which cannot be changed`);
  } else if (differs(known.singular, singular) || differs(known.plural, plural)) {
    await catalogs.changeModule(org, apiName, {
      ...(singular !== undefined && { singular }),
      ...(plural !== undefined && { plural }),
    });
  }
}

async function meetField(
  catalogs: Catalogs,
  org: OrgId,
  moduleName: string,
  wanted: FieldInput,
  path: string,
): Promise<void> {
  const module = findModule(await catalogs.find(org), moduleName);
  const known = module && findField(module, wanted.apiName);
  if (!module || !known) {
    await catalogs.addField(org, moduleName, wanted, path);
    return;
  }
  const fixed = fixedDifference(known, wanted);
  if (fixed) throw badDefinition(`${path}.${fixed}`, `differs from what ${moduleName} has, which cannot be changed`);
  const change = changeTo(known, wanted);
  if (Object.keys(change).length > 0) await catalogs.changeField(org, module.apiName, known.apiName, change);
}

/** The first thing asked for that a field which is there can no longer become, by its name in the file. */
function fixedDifference(known: Field, wanted: FieldInput): string | undefined {
  if (known.type !== wanted.type) return 'type';
  if (differs(known.length, wanted.length)) return 'length';
  if (differs(known.decimals, wanted.decimals)) return 'decimals';
  if (differs(known.lookup, wanted.lookup)) return 'lookup';
  if (differs(known.external, wanted.external)) return 'external';
  if (differs(known.unique ?? false, wanted.unique) && wanted.external === undefined) return 'unique';
  return undefined;
}

function changeTo(known: Field, { label, mandatory, pickList }: FieldInput): FieldChange {
  const isOther = pickList && JSON.stringify(pickList) !== JSON.stringify(known.pickList);
  return {
    ...(label !== undefined && label !== known.label && { label }),
    ...(mandatory !== undefined && mandatory !== (known.mandatory ?? false) && { mandatory }),
    ...(isOther && { pickList }),
  };
}

/** What is not asked for never differs. */
const differs = <Value>(is: Value, wanted: Value | undefined): boolean => wanted !== undefined && wanted !== is;
