/** A closed range of values; without an end it is open there. */
export interface Range<Value> {
  readonly from?: Value;
  /** The value `from` itself is not in it. */
  readonly above?: true;
  readonly to?: Value;
  /** The value `to` itself is not in it. */
  readonly below?: true;
}

interface Ranged {
  /** Matches what is in one of them, or with `outside` in none. */
  readonly ranges: readonly Range<string | number>[];
  readonly outside: boolean;
}

/** Equal to one of the values, to none; begins with the value; has it somewhere. */
export type TextTest = 'any' | 'none' | 'prefix' | 'part';

/**
 * What a search asks of a record, typed by its module. An empty value matches no condition on it, except that a box that
 * was never ticked is false.
 */
export type Condition =
  /** `values` are folded as `keyValue` does it, and so is what they are compared with. Of a list, one item suffices. */
  | {
      readonly kind: 'text' | 'choices';
      readonly field: string;
      readonly test: TextTest;
      readonly values: readonly string[];
    }
  /** By the ids of records or users. */
  | {
      readonly kind: 'reference';
      readonly of: { readonly field: string } | { readonly column: 'createdBy' | 'modifiedBy' };
      readonly test: 'any' | 'none';
      readonly ids: readonly string[];
    }
  /** `stored` says how the value is kept: as a number, as digits, or as text whose order is that of the values. */
  | (Ranged & { readonly kind: 'field'; readonly field: string; readonly stored: 'number' | 'digits' | 'text' })
  | (Ranged & { readonly kind: 'column'; readonly column: 'id' | 'createdAt' | 'modifiedAt' })
  | { readonly kind: 'boolean'; readonly field: string; readonly is: boolean }
  /** The folded text is somewhere in all that is kept of the record, names included: a quick look before a closer one. */
  | { readonly kind: 'anywhere'; readonly text: string }
  | { readonly kind: 'and' | 'or'; readonly members: readonly Condition[] };
