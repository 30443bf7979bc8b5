import { ANY_MODULE, type Field, type Module } from '../domain/module.ts';

/** The lookups of a module that point, or may point, at records of another. */
export const fieldsPointingAt = (module: Module, target: Module): readonly Field[] =>
  module.fields.filter(({ lookup, readOnly }) => (lookup === target.apiName || lookup === ANY_MODULE) && !readOnly);
