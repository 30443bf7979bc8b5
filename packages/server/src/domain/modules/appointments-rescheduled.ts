import type { Module } from '../module.ts';
import { datetime, field, locked, lookup, SYSTEM_FIELDS, tag, text, textarea } from './fields.ts';

export const appointmentsRescheduled: Module = {
  apiName: 'Appointments_Rescheduled_History__s',
  serial: 2225,
  singular: 'Appointment Rescheduled History',
  plural: 'Appointments Rescheduled History',
  nameField: 'Rescheduled_History_Name',
  duplicateCheck: [],
  isIncomplete: true,
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Rescheduled_History_Name', 120),
    lookup('Appointment_Name', 'Appointments__s', { mandatory: true }),
    datetime('Rescheduled_From', { mandatory: true }),
    datetime('Rescheduled_To', { mandatory: true }),
    datetime('Rescheduled_Time'),
    field('userlookup', 'Rescheduled_By', { length: 120 }),
    text('Reschedule_Reason', 120),
    textarea('Reschedule_Note'),
    tag,
    locked,
  ],
};
