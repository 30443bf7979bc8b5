import type { Module } from '../module.ts';
import {
  currency,
  date,
  field,
  locked,
  lookup,
  pickList,
  SYSTEM_FIELDS,
  subform,
  tag,
  text,
  textarea,
} from './fields.ts';
import { ADDRESSES, TOTALS } from './inventory.ts';
import { LINE_ITEM, PRODUCT_DETAIL } from './subforms.ts';

export const invoices: Module = {
  apiName: 'Invoices',
  serial: 2219,
  singular: 'Invoice',
  plural: 'Invoices',
  nameField: 'Subject',
  duplicateCheck: ['Subject'],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    field('autonumber', 'Invoice_Number', { length: 120, readOnly: true }),
    text('Subject', 120, { mandatory: true }),
    lookup('Account_Name', 'Accounts', { mandatory: true }),
    lookup('Contact_Name', 'Contacts'),
    lookup('Deal_Name__s', 'Deals'),
    lookup('Sales_Order', 'Sales_Orders'),
    text('Purchase_Order', 100),
    date('Invoice_Date'),
    date('Due_Date'),
    currency('Excise_Duty'),
    currency('Sales_Commission'),
    pickList('Status', ['Created', 'Approved', 'Delivered', 'Cancelled']),
    subform('Product_Details', PRODUCT_DETAIL),
    subform('Invoiced_Items', LINE_ITEM),
    ...TOTALS,
    ...ADDRESSES,
    textarea('Terms_and_Conditions'),
    textarea('Description'),
    tag,
    locked,
  ],
};
