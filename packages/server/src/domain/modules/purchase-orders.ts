import type { Module } from '../module.ts';
import { currency, date, locked, lookup, pickList, SYSTEM_FIELDS, subform, tag, text, textarea } from './fields.ts';
import { ADDRESSES, TOTALS } from './inventory.ts';
import { CARRIERS } from './pick-lists.ts';
import { LINE_ITEM, PRODUCT_DETAIL } from './subforms.ts';

export const purchaseOrders: Module = {
  apiName: 'Purchase_Orders',
  serial: 2217,
  singular: 'Purchase Order',
  plural: 'Purchase Orders',
  nameField: 'Subject',
  duplicateCheck: ['Subject'],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('PO_Number', 100),
    text('Subject', 120, { mandatory: true }),
    lookup('Vendor_Name', 'Vendors', { mandatory: true }),
    lookup('Contact_Name', 'Contacts'),
    text('Requisition_No', 30),
    text('Tracking_Number', 30),
    date('PO_Date'),
    date('Due_Date'),
    pickList('Carrier', CARRIERS),
    currency('Excise_Duty'),
    currency('Sales_Commission'),
    pickList('Status', ['Created', 'Approved', 'Delivered', 'Cancelled']),
    subform('Product_Details', PRODUCT_DETAIL),
    subform('Purchase_Items', LINE_ITEM),
    ...TOTALS,
    ...ADDRESSES,
    textarea('Terms_and_Conditions'),
    textarea('Description'),
    tag,
    locked,
  ],
};
