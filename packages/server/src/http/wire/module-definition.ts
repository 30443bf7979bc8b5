import { type Static, Type } from 'typebox';
import type { OrgId } from '../../domain/ids.ts';
import type { Field, Module } from '../../domain/module.ts';
import { fieldId, moduleId } from '../../domain/modules/catalog.ts';
import { ADDABLE_TYPES, type FieldInput, LIMITS, type ModuleInput } from '../../domain/modules/definition.ts';
import type { FieldChange, ModuleChange } from '../../domain/modules/edit.ts';
import type { WantedModule } from '../../services/module-file.ts';

// How our own API and the module file write modules and fields. What they may hold is decided in the domain.

const closed = { additionalProperties: false } as const;
const Label = Type.String({ minLength: 1, maxLength: LIMITS.label });
const ApiName = Type.String({ minLength: 1, maxLength: LIMITS.name });
const Choices = Type.Array(Type.String({ maxLength: LIMITS.choice }), { minItems: 1, maxItems: LIMITS.pickList });

const rowMembers = {
  api_name: ApiName,
  label: Type.Optional(Label),
  type: Type.Enum([...ADDABLE_TYPES]),
  length: Type.Optional(Type.Integer({ description: 'Characters of a text, digits of a number' })),
  decimals: Type.Optional(Type.Integer()),
  mandatory: Type.Optional(Type.Boolean()),
  unique: Type.Optional(Type.Boolean()),
  external: Type.Optional(Type.Enum(['org', 'user'], { description: 'Callers may name records by it' })),
  pick_list: Type.Optional(Choices),
  lookup: Type.Optional(Type.String({ description: 'API name of the module pointed at' })),
};
const RowDefinition = Type.Object(rowMembers, closed);
export const FieldDefinition = Type.Object(
  { ...rowMembers, rows: Type.Optional(Type.Array(RowDefinition, { minItems: 1, maxItems: LIMITS.rows })) },
  closed,
);
const Fields = Type.Array(FieldDefinition, { maxItems: LIMITS.fields });

const External = Type.Optional(
  Type.Boolean({ description: 'Its records live elsewhere; their changes come by the intake. Never changes' }),
);

export const ModuleDefinition = Type.Object(
  { api_name: ApiName, singular: Label, plural: Label, external: External, fields: Type.Optional(Fields) },
  closed,
);
export const ModuleChanges = Type.Object({ singular: Type.Optional(Label), plural: Type.Optional(Label) }, closed);
export const FieldChanges = Type.Object(
  { label: Type.Optional(Label), mandatory: Type.Optional(Type.Boolean()), pick_list: Type.Optional(Choices) },
  closed,
);

/** The whole module file. */
export const ModuleFile = Type.Object(
  {
    org: Type.Optional(Type.String({ pattern: '^[1-8]\\d{6}$' })),
    modules: Type.Array(
      Type.Object(
        {
          api_name: ApiName,
          singular: Type.Optional(Label),
          plural: Type.Optional(Label),
          external: External,
          fields: Type.Optional(Fields),
        },
        closed,
      ),
      { maxItems: LIMITS.modules },
    ),
  },
  closed,
);

export function readField({ api_name, pick_list, rows, ...rest }: Static<typeof FieldDefinition>): FieldInput {
  return {
    ...rest,
    apiName: api_name,
    ...(pick_list && { pickList: pick_list }),
    ...(rows && { rows: rows.map(readField) }),
  };
}

export const readModule = ({ api_name, fields = [], ...labels }: Static<typeof ModuleDefinition>): ModuleInput => ({
  ...labels,
  apiName: api_name,
  fields: fields.map(readField),
});

export const readWanted = ({ modules }: Static<typeof ModuleFile>): WantedModule[] =>
  modules.map(({ api_name, fields = [], ...labels }) => ({
    ...labels,
    apiName: api_name,
    fields: fields.map(readField),
  }));

export const readModuleChanges = (body: Static<typeof ModuleChanges>): ModuleChange => body;

export const readFieldChanges = ({ pick_list, ...rest }: Static<typeof FieldChanges>): FieldChange => ({
  ...rest,
  ...(pick_list && { pickList: pick_list }),
});

const shownMembers = {
  api_name: Type.String(),
  label: Type.String(),
  type: Type.String(),
  custom: Type.Boolean(),
  read_only: Type.Boolean(),
  mandatory: Type.Boolean(),
  unique: Type.Boolean(),
  length: Type.Optional(Type.Integer()),
  decimals: Type.Optional(Type.Integer()),
  external: Type.Optional(Type.String()),
  pick_list: Type.Optional(Type.Array(Type.String())),
  lookup: Type.Optional(Type.String({ description: '* stands for any module that has records' })),
};
export const ShownField = Type.Object({
  id: Type.String(),
  ...shownMembers,
  rows: Type.Optional(Type.Array(Type.Object(shownMembers))),
});
export const ShownModule = Type.Object({
  id: Type.String(),
  api_name: Type.String(),
  singular: Type.String(),
  plural: Type.String(),
  custom: Type.Boolean(),
  external: Type.Boolean(),
  fields: Type.Array(ShownField),
});

export const showModule = (org: OrgId, module: Module): Static<typeof ShownModule> => ({
  id: moduleId(org, module),
  api_name: module.apiName,
  singular: module.singular,
  plural: module.plural,
  custom: module.isCustom ?? false,
  external: module.isExternal ?? false,
  fields: module.fields.map((field) => showField(org, module, field)),
});

export const showField = (org: OrgId, module: Module, field: Field): Static<typeof ShownField> => ({
  id: fieldId(org, module, field),
  ...showMembers(field),
  ...(field.rows && { rows: field.rows.map(showMembers) }),
});

const showMembers = (field: Field) => ({
  api_name: field.apiName,
  label: field.label,
  type: field.type,
  custom: field.serial !== undefined,
  read_only: field.readOnly ?? false,
  mandatory: field.mandatory ?? false,
  unique: field.unique ?? false,
  ...(field.length !== undefined && { length: field.length }),
  ...(field.decimals !== undefined && { decimals: field.decimals }),
  ...(field.external && { external: field.external }),
  ...(field.pickList && { pick_list: [...field.pickList] }),
  ...(field.lookup !== undefined && { lookup: field.lookup }),
});
