import type { Module } from '../module.ts';
import {
  boolean,
  date,
  datetime,
  locked,
  lookup,
  lookupAny,
  pickList,
  SYSTEM_FIELDS,
  tag,
  text,
  textarea,
} from './fields.ts';
import { PRIORITIES } from './pick-lists.ts';

export const tasks: Module = {
  apiName: 'Tasks',
  serial: 2193,
  singular: 'Task',
  plural: 'Tasks',
  nameField: 'Subject',
  duplicateCheck: [],
  isIncomplete: true,
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Subject', 300, { mandatory: true }),
    date('Due_Date'),
    lookup('Who_Id', 'Contacts', { label: 'Contact Name' }),
    lookupAny('What_Id', { label: 'Related To' }),
    pickList('Status', ['Not Started', 'Deferred', 'In Progress', 'Completed', 'Waiting for input']),
    pickList('Priority', PRIORITIES),
    datetime('Closed_Time', { readOnly: true }),
    boolean('Send_Notification_Email'),
    datetime('Remind_At'),
    textarea('Description'),
    tag,
    locked,
  ],
};
