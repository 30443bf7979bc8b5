import { describe, expect, test } from 'vitest';
import { grants, isScope, readScopes, type ScopeNeed } from '../../src/domain/scope.ts';

const notifications = (...operations: ScopeNeed['operations']): ScopeNeed => ({ family: 'notifications', operations });
const READ_CONTACTS: ScopeNeed = { family: 'modules', part: 'Contacts', operations: ['READ'] };
const READ_FIELDS: ScopeNeed = { family: 'settings', part: 'fields', operations: ['READ'] };

/** The acceptance matrix of reference §6.4, call by call. */
const MATRIX: Readonly<Record<string, { readonly need: ScopeNeed; readonly accepted: readonly string[] }>> = {
  enable: { need: notifications('CREATE', 'WRITE'), accepted: ['ALL', 'CREATE', 'WRITE'] },
  details: { need: notifications('READ'), accepted: ['ALL', 'READ'] },
  update: { need: notifications('WRITE', 'UPDATE'), accepted: ['ALL', 'WRITE', 'UPDATE'] },
  'disable specific events': {
    need: notifications('WRITE', 'UPDATE', 'DELETE'),
    accepted: ['ALL', 'WRITE', 'UPDATE', 'DELETE'],
  },
  'disable on v3 and later': { need: notifications('DELETE'), accepted: ['ALL', 'DELETE'] },
  'disable on v2': { need: notifications('DELETE', 'WRITE'), accepted: ['ALL', 'DELETE', 'WRITE'] },
};

describe.each(Object.entries(MATRIX))('%s', (_call, { need, accepted }) => {
  test.each(['ALL', 'READ', 'CREATE', 'UPDATE', 'WRITE', 'DELETE'])('with ZohoCRM.notifications.%s', (operation) => {
    expect(grants([`ZohoCRM.notifications.${operation}`], need)).toBe(accepted.includes(operation));
  });
});

describe('a scope', () => {
  const cases: readonly [string, ScopeNeed, boolean][] = [
    ['ZohoCRM.modules.ALL', READ_CONTACTS, true],
    ['ZohoCRM.modules.READ', READ_CONTACTS, true],
    ['ZohoCRM.modules.Contacts.READ', READ_CONTACTS, true],
    ['ZohoCRM.modules.contacts.ALL', READ_CONTACTS, true],
    ['zohocrm.MODULES.contacts.read', READ_CONTACTS, true],
    ['ZohoCRM.modules.Leads.READ', READ_CONTACTS, false],
    ['ZohoCRM.modules.Contacts.CREATE', READ_CONTACTS, false],
    ['ZohoCRM.modules.Contacts.ALL', { family: 'modules', operations: ['READ'] }, false],
    ['ZohoCRM.settings.ALL', READ_FIELDS, true],
    ['ZohoCRM.settings.fields.READ', READ_FIELDS, true],
    ['ZohoCRM.settings.modules.READ', READ_FIELDS, false],
    ['ZohoCRM.notifications.ALL', READ_CONTACTS, false],
    ['ZohoCRM.org.READ', { family: 'org', operations: ['READ'] }, true],
    ['ZohoCRM.users.ALL', { family: 'users', operations: ['READ'] }, true],
    ['ZohoCRM.modules.Contacts', READ_CONTACTS, false],
    ['ZohoCRM.modules', READ_CONTACTS, false],
    ['ZohoCRM.ALL', READ_CONTACTS, false],
    ['ZohoCRM.modules..READ', READ_CONTACTS, false],
    ['ZohoCRM.modules.Contacts.x.READ', READ_CONTACTS, false],
    ['ZohoBooks.modules.ALL', READ_CONTACTS, false],
    ['', READ_CONTACTS, false],
  ];

  test.each(cases)('%s for %o: %s', (scope, need, covered) => {
    expect(grants([scope], need)).toBe(covered);
  });

  test('counts beside others that do not help', () => {
    expect(grants(['nonsense', 'ZohoCRM.org.READ', 'ZohoCRM.modules.READ'], READ_CONTACTS)).toBe(true);
    expect(grants([], READ_CONTACTS)).toBe(false);
  });
});

describe('a list of scopes', () => {
  const READ = 'ZohoCRM.modules.READ';
  const cases: readonly [string, ReturnType<typeof readScopes>][] = [
    [READ, { scopes: [READ] }],
    [`${READ},ZohoCRM.org.ALL`, { scopes: [READ, 'ZohoCRM.org.ALL'] }],
    [` ${READ} ,, ZohoCRM.org.ALL\n`, { scopes: [READ, 'ZohoCRM.org.ALL'] }],
    [`${READ},${READ}`, { scopes: [READ] }],
    ['zohocrm.modules.contacts.read', { scopes: ['zohocrm.modules.contacts.read'] }],
    ['AaaServer.profile.Read', { scopes: ['AaaServer.profile.Read'] }],
    ['', { fault: '' }],
    [' , ', { fault: '' }],
    [`${READ},nonsense`, { fault: 'nonsense' }],
    ['ZohoCRM.modules', { fault: 'ZohoCRM.modules' }],
    ['ZohoCRM.modules.SEE', { fault: 'ZohoCRM.modules.SEE' }],
    ['ZohoCRM.modules.<b>.READ', { fault: 'ZohoCRM.modules.<b>.READ' }],
    [
      Array.from({ length: 51 }, (_, i) => `ZohoCRM.modules.M${i}.READ`).join(','),
      { fault: 'ZohoCRM.modules.M50.READ' },
    ],
  ];

  test.each(cases)('%s', (text, expected) => {
    expect(readScopes(text)).toEqual(expected);
  });

  test('takes fifty', () => {
    const fifty = Array.from({ length: 50 }, (_, i) => `ZohoCRM.modules.M${i}.READ`);
    expect(readScopes(fifty.join(','))).toEqual({ scopes: fifty });
  });

  test('holds no scope of unreasonable length', () => {
    expect(isScope(`ZohoCRM.modules.${'x'.repeat(60)}.READ`)).toBe(true);
    expect(isScope(`ZohoCRM.modules.${'x'.repeat(61)}.READ`)).toBe(false);
  });
});
