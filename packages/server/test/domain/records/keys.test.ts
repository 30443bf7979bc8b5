import { expect, test } from 'vitest';
import { MODULES } from '../../../src/domain/modules/catalog.ts';
import { isKeyField } from '../../../src/domain/records/keys.ts';
import { TAG_FIELD } from '../../../src/domain/records/tags.ts';

test('no record is found by what is derived from its other values: an update of those looks at the given ones alone', () => {
  for (const module of MODULES) {
    expect(isKeyField(module, 'Full_Name')).toBe(false);
    expect(isKeyField(module, 'Expected_Revenue')).toBe(false);
  }
});

test('records are found by unique values, lookups, emails, phones and tags, and by no others', () => {
  const found = MODULES.find(({ apiName }) => apiName === 'Contacts');
  if (!found) throw new Error('there are no contacts');
  const fields = ['Email', 'Phone', 'Account_Name', TAG_FIELD, 'Description', 'Last_Name'];
  expect(fields.filter((field) => isKeyField(found, field))).toEqual(['Email', 'Phone', 'Account_Name', TAG_FIELD]);
});
