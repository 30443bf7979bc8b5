import type { Module } from '../module.ts';
import { currency, date, integer, locked, pickList, SYSTEM_FIELDS, tag, text, textarea } from './fields.ts';

export const services: Module = {
  apiName: 'Services__s',
  serial: 2223,
  singular: 'Service',
  plural: 'Services',
  nameField: 'Service_Name',
  duplicateCheck: [],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Service_Name', 120, { mandatory: true }),
    integer('Duration', { mandatory: true }),
    pickList('Duration_Type', ['Minutes', 'Hours', 'Days']),
    pickList('Location', ['Business Address', 'Client Address'], { mandatory: true }),
    pickList('Status', ['Active', 'Inactive']),
    currency('Price'),
    integer('Job_Sheet_Required'),
    date('Available_From'),
    date('Available_Till'),
    textarea('Description'),
    tag,
    locked,
  ],
};
