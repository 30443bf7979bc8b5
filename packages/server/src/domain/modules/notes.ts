import type { Module } from '../module.ts';
import { lookupAny, SYSTEM_FIELDS, text, textarea } from './fields.ts';

export const notes: Module = {
  apiName: 'Notes',
  serial: 2227,
  singular: 'Note',
  plural: 'Notes',
  nameField: 'Note_Title',
  duplicateCheck: [],
  isIncomplete: true,
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Note_Title', 120),
    textarea('Note_Content', 32_000, { mandatory: true }),
    lookupAny('Parent_Id', { label: 'Parent ID', mandatory: true }),
  ],
};
