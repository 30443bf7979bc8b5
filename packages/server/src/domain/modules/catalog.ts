import { idFromSerial, type OrgId } from '../ids.ts';
import type { Field, Module } from '../module.ts';
import type { Values } from '../record.ts';
import { accounts } from './accounts.ts';
import { type AddedField, type Additions, customModule, isCurrent, withFields } from './additions.ts';
import { appointments } from './appointments.ts';
import { appointmentsRescheduled } from './appointments-rescheduled.ts';
import { calls } from './calls.ts';
import { campaigns } from './campaigns.ts';
import { cases } from './cases.ts';
import { contacts } from './contacts.ts';
import { deals } from './deals.ts';
import { events } from './events.ts';
import { invoices } from './invoices.ts';
import { leads } from './leads.ts';
import { notes } from './notes.ts';
import { priceBooks } from './price-books.ts';
import { products } from './products.ts';
import { purchaseOrders } from './purchase-orders.ts';
import { quotes } from './quotes.ts';
import { salesOrders } from './sales-orders.ts';
import { services } from './services.ts';
import { solutions } from './solutions.ts';
import { tasks } from './tasks.ts';
import { users } from './users.ts';
import { vendors } from './vendors.ts';

/** The modules that every organisation has, in the order in which the API lists them. */
export const MODULES: readonly Module[] = [
  leads,
  accounts,
  contacts,
  deals,
  campaigns,
  tasks,
  cases,
  events,
  calls,
  solutions,
  products,
  vendors,
  priceBooks,
  quotes,
  salesOrders,
  purchaseOrders,
  invoices,
  appointments,
  services,
  appointmentsRescheduled,
  notes,
  users,
];

const FIELDS_PER_MODULE = 1000;
const VALUES_PER_PICK_LIST = 1000;
/** Ranges that the serials of records, users and profiles do not reach. */
const RELATED_LISTS_FROM = 700_000_000_000;
const PICK_LIST_VALUES_FROM = 800_000_000_000;
const MODULE_SERIALS = 10_000;

/** All modules of one organisation: the standard ones, with the fields it added, and its own. */
export interface Catalog {
  /** In the order in which the API lists them. */
  readonly modules: readonly Module[];
  readonly byName: ReadonlyMap<string, Module>;
  /** What the organisation added. */
  readonly additions: Additions;
}

export function createCatalog(additions: Additions): Catalog {
  const added = new Map<string, AddedField[]>();
  for (const field of additions.fields) {
    const known = added.get(field.module);
    if (known) known.push(field);
    else added.set(field.module, [field]);
  }
  const modules = [...MODULES, ...additions.modules.filter(isCurrent).map(customModule)].map((module) =>
    withFields(module, added.get(module.apiName) ?? []),
  );
  return { modules, byName: new Map(modules.map((module) => [module.apiName, module])), additions };
}

export const STANDARD_CATALOG: Catalog = createCatalog({ modules: [], fields: [] });

/** By its exact API name. */
export const findModule = ({ byName }: Catalog, apiName: string): Module | undefined => byName.get(apiName);

/**
 * By its API name, also when it was removed, with the fields that were removed: for what names them still, such as
 * channels.
 */
export function findFormer(catalog: Catalog, apiName: string): Module | undefined {
  const { modules, fields } = catalog.additions;
  const removed = modules.find((module) => module.apiName === apiName && !isCurrent(module));
  const module = removed ? customModule(removed) : findModule(catalog, apiName);
  const former = fields.filter((added) => added.module === apiName && (removed || !isCurrent(added)));
  if (!module || former.length === 0) return module;
  return { ...module, fields: [...module.fields, ...former.map(({ field }) => field)] };
}

interface Placed {
  readonly field: Field;
  readonly position: number;
}

const placedFields = new WeakMap<Module, ReadonlyMap<string, Placed>>();

function fieldsOf(module: Module): ReadonlyMap<string, Placed> {
  const known = placedFields.get(module);
  if (known) return known;
  const placed = new Map(module.fields.map((field, position) => [field.apiName, { field, position }]));
  placedFields.set(module, placed);
  return placed;
}

/** By its exact API name. */
export const findField = (module: Module, apiName: string): Field | undefined => fieldsOf(module).get(apiName)?.field;

export const moduleId = (org: OrgId, module: Module): string => idFromSerial(org, module.serial);

/**
 * Made of the module's serial and the field's position, which never changes: lists of fields only grow at their end. A
 * field that the organisation added has a serial of its own.
 */
export const fieldId = (org: OrgId, module: Module, field: Field): string =>
  idFromSerial(org, fieldSerial(module, field.apiName));

/** Of the list that shows the records of `related` which point at a record of `module`. */
export const relatedListId = (org: OrgId, module: Module, related: Module): string =>
  idFromSerial(org, RELATED_LISTS_FROM + module.serial * MODULE_SERIALS + related.serial);

/** `position` counts from 0 within the pick list. A field that was added has serials of its own for them. */
export const pickListValueId = (org: OrgId, module: Module, field: Field, position: number): string =>
  idFromSerial(
    org,
    field.serial === undefined
      ? PICK_LIST_VALUES_FROM + fieldSerial(module, field.apiName) * VALUES_PER_PICK_LIST + position
      : field.serial + 1 + position,
  );

export const mayUse = ({ deniedModules }: { readonly deniedModules: readonly string[] }, module: string): boolean =>
  !deniedModules.includes(module);

/** What a record is called in lookups; undefined when it has no name. */
export function nameOf(values: Values, module: Module): string | undefined {
  const name = values[module.nameField];
  return typeof name === 'string' ? name : undefined;
}

function fieldSerial(module: Module, apiName: string): number {
  const found = fieldsOf(module).get(apiName);
  if (!found) throw new Error(`${module.apiName} has no field ${apiName}`);
  return found.field.serial ?? module.serial * FIELDS_PER_MODULE + found.position;
}
