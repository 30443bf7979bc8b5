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
import { CARRIERS } from './pick-lists.ts';
import { LINE_ITEM, PRODUCT_DETAIL } from './subforms.ts';

export const salesOrders: Module = {
  apiName: 'Sales_Orders',
  serial: 2215,
  singular: 'Sales Order',
  plural: 'Sales Orders',
  nameField: 'Subject',
  duplicateCheck: ['Subject'],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    field('autonumber', 'SO_Number', { length: 120, readOnly: true }),
    text('Subject', 120, { mandatory: true }),
    lookup('Account_Name', 'Accounts', { mandatory: true }),
    lookup('Contact_Name', 'Contacts'),
    lookup('Deal_Name', 'Deals'),
    lookup('Quote_Name', 'Quotes'),
    text('Customer_No', 100),
    text('Purchase_Order', 100),
    date('Due_Date'),
    pickList('Carrier', CARRIERS),
    text('Pending', 250),
    currency('Excise_Duty'),
    currency('Sales_Commission'),
    pickList('Status', ['Created', 'Approved', 'Delivered', 'Cancelled']),
    subform('Product_Details', PRODUCT_DETAIL),
    subform('Ordered_Items', LINE_ITEM),
    ...TOTALS,
    ...ADDRESSES,
    textarea('Terms_and_Conditions'),
    textarea('Description'),
    tag,
    locked,
  ],
};
