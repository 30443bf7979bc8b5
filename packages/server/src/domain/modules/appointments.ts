import type { Module } from '../module.ts';
import { currency, datetime, integer, locked, lookup, pickList, SYSTEM_FIELDS, tag, text, textarea } from './fields.ts';

export const appointments: Module = {
  apiName: 'Appointments__s',
  serial: 2221,
  singular: 'Appointment',
  plural: 'Appointments',
  nameField: 'Appointment_Name',
  duplicateCheck: [],
  hasRecords: true,
  fields: [
    ...SYSTEM_FIELDS,
    text('Appointment_Name', 120, { readOnly: true }),
    lookup('Appointment_For', 'Contacts', { mandatory: true }),
    lookup('Service_Name', 'Services__s', { mandatory: true }),
    datetime('Appointment_Start_Time', { mandatory: true }),
    datetime('Appointment_End_Time'),
    pickList('Status', ['Scheduled', 'Completed', 'Cancelled', 'Overdue']),
    pickList('Location', ['Business Address', 'Client Address'], { mandatory: true }),
    text('Address', 250),
    integer('Duration', { readOnly: true }),
    currency('Price'),
    integer('Rescheduled_Count', { readOnly: true }),
    text('Cancellation_Reason', 120),
    textarea('Cancellation_Note'),
    textarea('Additional_Information'),
    tag,
    locked,
  ],
};
