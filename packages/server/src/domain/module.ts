/** Names of field types as the metadata API gives them (`data_type`). */
export type FieldType =
  | 'text'
  | 'textarea'
  | 'email'
  | 'phone'
  | 'website'
  | 'integer'
  | 'bigint'
  | 'double'
  | 'currency'
  | 'percent'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'picklist'
  | 'multiselectpicklist'
  | 'lookup'
  | 'ownerlookup'
  | 'userlookup'
  | 'subform'
  | 'autonumber'
  | 'profileimage'
  | 'formula';

/** In a lookup: records of any module that has some. The stored value is then `{ id, module }`. */
export const ANY_MODULE = '*';

export interface Field {
  readonly apiName: string;
  readonly label: string;
  readonly type: FieldType;
  /** Most characters of a text, most digits of a number. */
  readonly length?: number;
  readonly decimals?: number;
  readonly mandatory?: boolean;
  /** Two records of a module never share its value (letter case ignored). */
  readonly unique?: boolean;
  /** Set by the system only: ignored in input, as the API does. */
  readonly readOnly?: boolean;
  readonly pickList?: readonly string[];
  /** API name of the module a lookup points at, or `ANY_MODULE`. */
  readonly lookup?: string;
  /** Of a subform: the fields of a row, beside its id. */
  readonly rows?: readonly Field[];
  /** Whether callers may name records by it; such a field is unique. `user`: one value for each of them. */
  readonly external?: 'org' | 'user';
  /** Of a field that the organisation added: what its id is made of. */
  readonly serial?: number;
  /** Never listed among affected fields: subforms, participants, `Product_Details` (reference §5.2). */
  readonly unreported?: boolean;
}

export interface Module {
  readonly apiName: string;
  /** Serial of the module's id in every organisation, such as 2179 for Contacts (reference §3.9). */
  readonly serial: number;
  readonly singular: string;
  readonly plural: string;
  /** The field whose value names a record in lookups. */
  readonly nameField: string;
  /** Fields that `upsert` compares when the caller names none, in this order. */
  readonly duplicateCheck: readonly string[];
  /** Order is part of the field's id: append only. */
  readonly fields: readonly Field[];
  /** Made by the organisation. */
  readonly isCustom?: boolean;
  /** Its records live elsewhere: their changes are told by the intake, and no record of it is kept here. */
  readonly isExternal?: true;
  /** When the organisation last changed something of it, epoch ms; undefined: never. */
  readonly modifiedAt?: number;
  /** Known to lack standard fields: no source lists them all. */
  readonly isIncomplete?: boolean;
  /** Whether `/crm/{version}/{module}` serves its records; a module without still has metadata and can be watched. */
  readonly hasRecords: boolean;
}

/** Whether a field is a lookup to records of the module. */
export const pointsAt = ({ lookup }: Field, { apiName, hasRecords }: Module): boolean =>
  lookup === apiName || (lookup === ANY_MODULE && hasRecords);
