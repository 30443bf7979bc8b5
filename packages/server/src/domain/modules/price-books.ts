import type { Module } from '../module.ts';
import { boolean, locked, pickList, SYSTEM_FIELDS, subform, tag, text, textarea } from './fields.ts';
import { PRICING_DETAIL } from './subforms.ts';

export const priceBooks: Module = {
  apiName: 'Price_Books',
  serial: 2211,
  singular: 'Price Book',
  plural: 'Price Books',
  nameField: 'Price_Book_Name',
  duplicateCheck: ['Price_Book_Name'],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Price_Book_Name', 120, { mandatory: true }),
    boolean('Active'),
    pickList('Pricing_Model', ['Flat', 'Differential']),
    subform('Pricing_Details', PRICING_DETAIL),
    textarea('Description'),
    tag,
    locked,
  ],
};
