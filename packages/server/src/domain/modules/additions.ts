import type { Field, Module } from '../module.ts';
import { lastActivity, locked, SYSTEM_FIELDS, tag, text } from './fields.ts';

/** A module that an organisation made. */
export interface AddedModule {
  readonly apiName: string;
  /** From `FIRST_ADDED_MODULE`, in the order they were made; never given again. */
  readonly serial: number;
  readonly singular: string;
  readonly plural: string;
  /** Its records live elsewhere: their changes are told by the intake, and no record of it is kept here. */
  readonly isExternal?: true;
  /** Epoch ms. */
  readonly modifiedAt: number;
  /** Once set, the module is gone, but its name and serial stay taken. */
  readonly removedAt?: number;
}

/** A field that an organisation added to one of its own modules or to a standard one. */
export interface AddedField {
  readonly module: string;
  /** Its `serial` is set and among the organisation's; those after it are for the values of its pick list. */
  readonly field: Field & { readonly serial: number };
  readonly modifiedAt: number;
  /** Once set, the field is gone, but values stored in it stay, and so its name stays taken. */
  readonly removedAt?: number;
}

/** All that an organisation ever added, in the order it was added. */
export interface Additions {
  readonly modules: readonly AddedModule[];
  readonly fields: readonly AddedField[];
}

/** Serials above the standard modules' and below 10,000, so that ids of modules, fields and related lists stay apart. */
export const FIRST_ADDED_MODULE = 3001;
export const LAST_ADDED_MODULE = 9999;

export const isCurrent = ({ removedAt }: { readonly removedAt?: number }): boolean => removedAt === undefined;

/** An organisation's module with what each has from the beginning; append only, since positions make ids. */
export const customModule = ({ apiName, serial, singular, plural, isExternal, modifiedAt }: AddedModule): Module => ({
  apiName,
  serial,
  singular,
  plural,
  nameField: 'Name',
  duplicateCheck: ['Name'],
  hasRecords: !isExternal,
  isCustom: true,
  ...(isExternal && { isExternal }),
  modifiedAt,
  fields: [
    ...SYSTEM_FIELDS,
    text('Name', 120, { label: `${singular} Name`, mandatory: true }),
    tag,
    lastActivity,
    locked,
  ],
});

/** The module with its added fields, which follow its own in the order they were added. */
export function withFields(module: Module, added: readonly AddedField[]): Module {
  if (added.length === 0) return module;
  const times = [...added.map((one) => one.modifiedAt), module.modifiedAt ?? 0];
  return {
    ...module,
    modifiedAt: Math.max(...times),
    fields: [...module.fields, ...added.filter(isCurrent).map(({ field }) => field)],
  };
}
