import type { Module } from '../module.ts';
import { datetime, integer, locked, lookup, pickList, SYSTEM_FIELDS, tag, text, textarea } from './fields.ts';

export const calls: Module = {
  apiName: 'Calls',
  serial: 2197,
  singular: 'Call',
  plural: 'Calls',
  nameField: 'Subject',
  duplicateCheck: [],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Subject', 300, { mandatory: true }),
    pickList('Call_Type', ['Outbound', 'Inbound', 'Missed'], { mandatory: true }),
    datetime('Call_Start_Time', { mandatory: true }),
    text('Call_Duration', 250),
    integer('Call_Duration_in_seconds', { readOnly: true }),
    pickList('Call_Purpose', ['Prospecting', 'Administrative', 'Negotiation', 'Demo', 'Project', 'Desk']),
    pickList('Call_Result', [
      'Interested',
      'Not interested',
      'No response/Busy',
      'Requested more info',
      'Requested call back',
      'Invalid number',
    ]),
    text('Call_Agenda', 250),
    lookup('Who_Id', 'Contacts', { label: 'Contact Name' }),
    // The API lets it point at records of any module; here at accounts.
    lookup('What_Id', 'Accounts', { label: 'Related To' }),
    textarea('Description'),
    tag,
    locked,
  ],
};
