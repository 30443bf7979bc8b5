import type { Field } from '../module.ts';
import { currency, text } from './fields.ts';

/** Sums of the documents with line items. Closed like `SYSTEM_FIELDS`: appending here would move ids. */
export const TOTALS: readonly Field[] = [
  currency('Sub_Total', { readOnly: true }),
  currency('Discount'),
  currency('Tax'),
  currency('Adjustment'),
  currency('Grand_Total', { readOnly: true }),
];

/** Closed like `SYSTEM_FIELDS`. */
export const ADDRESSES: readonly Field[] = [
  text('Billing_Street', 250),
  text('Billing_City', 100),
  text('Billing_State', 100),
  text('Billing_Code', 30),
  text('Billing_Country', 100),
  text('Shipping_Street', 250),
  text('Shipping_City', 100),
  text('Shipping_State', 100),
  text('Shipping_Code', 30),
  text('Shipping_Country', 100),
];
