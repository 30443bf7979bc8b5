import type { Module } from '../module.ts';
import { datetime, email, field, pickList, text } from './fields.ts';

export const users: Module = {
  apiName: 'users',
  serial: 2229,
  singular: 'User',
  plural: 'Users',
  nameField: 'full_name',
  duplicateCheck: [],
  hasRecords: false,
  fields: [
    field('ownerlookup', 'created_by', { length: 120, label: 'Created By', readOnly: true }),
    field('ownerlookup', 'Modified_By', { length: 120, readOnly: true }),
    datetime('created_time', { label: 'Created Time', readOnly: true }),
    datetime('Modified_Time', { readOnly: true }),
    text('first_name', 40, { label: 'First Name' }),
    text('last_name', 80, { label: 'Last Name', mandatory: true }),
    text('full_name', 125, { label: 'Full Name', readOnly: true }),
    email('email', { label: 'Email', mandatory: true, unique: true }),
    text('profile', 120, { label: 'Profile', mandatory: true }),
    pickList('status', ['active', 'inactive', 'deleted'], { label: 'Status' }),
    text('time_zone', 80, { label: 'Time Zone' }),
  ],
};
