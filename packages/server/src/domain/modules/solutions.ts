import type { Module } from '../module.ts';
import { boolean, field, integer, locked, lookup, pickList, SYSTEM_FIELDS, tag, text, textarea } from './fields.ts';

export const solutions: Module = {
  apiName: 'Solutions',
  serial: 2205,
  singular: 'Solution',
  plural: 'Solutions',
  nameField: 'Solution_Title',
  duplicateCheck: ['Solution_Title'],
  isIncomplete: true,
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    field('autonumber', 'Solution_Number', { length: 120, readOnly: true }),
    text('Solution_Title', 255, { mandatory: true }),
    pickList('Status', ['Draft', 'Reviewed', 'Duplicate', 'Created']),
    lookup('Product_Name', 'Products'),
    boolean('Published'),
    textarea('Question'),
    textarea('Answer'),
    integer('No_of_comments', { label: 'No. of comments', readOnly: true }),
    tag,
    locked,
    textarea('Add_Comment'),
  ],
};
