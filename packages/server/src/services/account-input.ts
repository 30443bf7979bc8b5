import { AppError } from '../domain/error.ts';
import { isStorable } from '../domain/json.ts';
import type { User } from '../domain/org.ts';
import { isTimeZone } from '../domain/time.ts';

const MAX_TEXT = 100;
const MAX_EMAIL = 254;

// Checks of what the operator gives. Each throws `AppError` INVALID_DATA that names the field as our API does.

export function checkText(field: string, text: string): void {
  if (text.trim() === '' || text.length > MAX_TEXT || !isStorable(text)) {
    throw badField(field, `must have 1 to ${MAX_TEXT} characters`);
  }
}

export function checkTimeZone(field: string, timeZone: string): void {
  if (!isTimeZone(timeZone)) throw badField(field, 'is not an IANA time zone');
}

export function checkUser({ email, firstName, lastName }: Pick<User, 'email' | 'firstName' | 'lastName'>): void {
  if (email.length > MAX_EMAIL || !/^[^\s@\0]+@[^\s@\0]+$/.test(email) || !isStorable(email)) {
    throw badField('email', 'is not an e-mail address');
  }
  if (firstName !== '') checkText('first_name', firstName);
  checkText('last_name', lastName);
}

export const badField = (field: string, what: string): AppError =>
  new AppError('INVALID_DATA', `${field} ${what}`, { api_name: field });
