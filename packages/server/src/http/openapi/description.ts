import type { PARAMETERS } from './parameters.ts';
import type { SCHEMAS } from './schemas.ts';

export type ParameterName = keyof typeof PARAMETERS;
export type SchemaName = keyof typeof SCHEMAS;

/** What an answer means, and the schema of its body; without one it has none. */
export interface DescribedAnswer {
  readonly description: string;
  readonly schema?: SchemaName;
  /** Other than JSON. */
  readonly contentType?: string;
}

/** What the routes themselves do not say of an operation. Refusals, which are the same everywhere, are left out. */
export interface Description {
  readonly summary: string;
  readonly tag: string;
  readonly detail?: string;
  /** Beside those of the path. A `!` after the name makes it required. */
  readonly parameters?: readonly (ParameterName | `${ParameterName}!`)[];
  readonly body?: { readonly schema: SchemaName; readonly example: object };
  /** Content type of the body, when it is a form. */
  readonly form?: boolean;
  readonly answers: Readonly<Record<number, DescribedAnswer>>;
}

/** By method and path, such as `GET /crm/{version}/{module}`. */
export type Descriptions = Readonly<Record<string, Description>>;
