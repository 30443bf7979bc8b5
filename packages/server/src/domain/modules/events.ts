import type { Module } from '../module.ts';
import {
  boolean,
  datetime,
  locked,
  lookup,
  lookupAny,
  pickList,
  SYSTEM_FIELDS,
  subform,
  tag,
  text,
  textarea,
} from './fields.ts';
import { PARTICIPANT } from './subforms.ts';

export const events: Module = {
  apiName: 'Events',
  serial: 2195,
  singular: 'Meeting',
  plural: 'Meetings',
  nameField: 'Event_Title',
  duplicateCheck: [],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Event_Title', 255, { mandatory: true, label: 'Title' }),
    datetime('Start_DateTime', { mandatory: true, label: 'From' }),
    datetime('End_DateTime', { mandatory: true, label: 'To' }),
    boolean('All_day'),
    text('Venue', 255, { label: 'Location' }),
    lookup('Who_Id', 'Contacts', { label: 'Contact Name' }),
    lookupAny('What_Id', { label: 'Related To' }),
    subform('Participants', PARTICIPANT),
    datetime('Remind_At'),
    pickList('Check_In_Status', ['PLANNED', 'VISITED'], { readOnly: true }),
    datetime('Check_In_Time', { readOnly: true }),
    textarea('Description'),
    tag,
    locked,
  ],
};
