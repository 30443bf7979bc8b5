import type { Module } from '../module.ts';
import { date, field, locked, lookup, pickList, SYSTEM_FIELDS, subform, tag, text, textarea } from './fields.ts';
import { ADDRESSES, TOTALS } from './inventory.ts';
import { CARRIERS } from './pick-lists.ts';
import { LINE_ITEM, PRODUCT_DETAIL } from './subforms.ts';

export const quotes: Module = {
  apiName: 'Quotes',
  serial: 2213,
  singular: 'Quote',
  plural: 'Quotes',
  nameField: 'Subject',
  duplicateCheck: ['Subject'],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    field('autonumber', 'Quote_Number', { length: 120, readOnly: true }),
    text('Subject', 120, { mandatory: true }),
    lookup('Account_Name', 'Accounts', { mandatory: true }),
    lookup('Contact_Name', 'Contacts'),
    lookup('Deal_Name', 'Deals'),
    pickList('Quote_Stage', ['Draft', 'Negotiation', 'Delivered', 'On Hold', 'Confirmed', 'Closed Won', 'Closed Lost']),
    date('Valid_Till', { label: 'Valid Until' }),
    text('Team', 40),
    pickList('Carrier', CARRIERS),
    subform('Product_Details', PRODUCT_DETAIL),
    subform('Quoted_Items', LINE_ITEM),
    ...TOTALS,
    ...ADDRESSES,
    textarea('Terms_and_Conditions'),
    textarea('Description'),
    tag,
    locked,
  ],
};
