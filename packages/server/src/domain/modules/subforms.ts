import type { Field } from '../module.ts';
import { boolean, currency, double, email, integer, lookup, percent, pickList, text, textarea } from './fields.ts';

/** One line of a quote, order or invoice as callers know it since v2.1 (`Quoted_Items`, `Invoiced_Items` …). */
export const LINE_ITEM: readonly Field[] = [
  lookup('Product_Name', 'Products', { mandatory: true }),
  double('Quantity', { mandatory: true }),
  currency('List_Price'),
  currency('Unit_Price', { readOnly: true }),
  currency('Total', { readOnly: true, label: 'Amount' }),
  currency('Discount'),
  currency('Total_After_Discount', { readOnly: true }),
  currency('Tax', { readOnly: true }),
  currency('Net_Total', { readOnly: true, label: 'Total' }),
  textarea('Description'),
  lookup('Price_Book_Name', 'Price_Books'),
  double('Quantity_in_Stock', { readOnly: true }),
  integer('Sequence_Number', { label: 'S.NO' }),
];

/** The older form of the same line. */
export const PRODUCT_DETAIL: readonly Field[] = [
  lookup('product', 'Products', { mandatory: true, label: 'Product' }),
  double('quantity', { mandatory: true, label: 'Quantity' }),
  currency('list_price', { label: 'List Price' }),
  currency('unit_price', { label: 'Unit Price', readOnly: true }),
  currency('total', { label: 'Amount', readOnly: true }),
  currency('Discount'),
  currency('total_after_discount', { label: 'Total After Discount', readOnly: true }),
  currency('Tax', { readOnly: true }),
  currency('net_total', { label: 'Total', readOnly: true }),
  textarea('product_description', 32_000, { label: 'Product Description' }),
  lookup('book', 'Price_Books', { label: 'Price Book' }),
  double('quantity_in_stock', { label: 'Quantity in Stock', readOnly: true }),
];

/** One invited to an event: a user, contact or lead by id, anybody else by e-mail address. */
export const PARTICIPANT: readonly Field[] = [
  text('participant', 100, { mandatory: true, label: 'Participant' }),
  pickList('type', ['user', 'contact', 'lead', 'email'], { mandatory: true, label: 'Type' }),
  text('name', 255, { label: 'Name', readOnly: true }),
  email('Email', { readOnly: true }),
  boolean('invited', { label: 'Invited', readOnly: true }),
  pickList('status', ['not_known', 'accepted', 'declined', 'tentative'], { label: 'Status', readOnly: true }),
];

/** Which discount a price book gives for which quantity. */
export const PRICING_DETAIL: readonly Field[] = [
  double('from_range', { mandatory: true, label: 'From Range' }),
  double('to_range', { mandatory: true, label: 'To Range' }),
  percent('discount', { mandatory: true, label: 'Discount' }),
];
