import type { Module } from '../module.ts';
import { lookup, SYSTEM_FIELDS, text, textarea } from './fields.ts';

export const notes: Module = {
  apiName: 'Notes',
  serial: 2227,
  singular: 'Note',
  plural: 'Notes',
  nameField: 'Note_Title',
  duplicateCheck: [],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Note_Title', 120),
    textarea('Note_Content', 32_000, { mandatory: true }),
    // The API lets it point at records of any module; here at contacts.
    lookup('Parent_Id', 'Contacts', { label: 'Parent ID' }),
  ],
};
