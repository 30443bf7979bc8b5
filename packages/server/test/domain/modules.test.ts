import { expect, test } from 'vitest';
import { isId, type OrgId, type ProfileId } from '../../src/domain/ids.ts';
import { ANY_MODULE } from '../../src/domain/module.ts';
import {
  fieldId,
  findField,
  findModule,
  MODULES,
  mayUse,
  moduleId,
  nameOf,
  pickListValueId,
  relatedListId,
  STANDARD_CATALOG,
} from '../../src/domain/modules/catalog.ts';
import { DEAL_STAGES, findDealStage } from '../../src/domain/modules/deal-stages.ts';

const org = '3652397' as OrgId;
const byName = MODULES.map((module) => [module.apiName, module] as const);

test('every module that can be watched is known by its API name', () => {
  expect(MODULES.map((module) => module.apiName)).toEqual([
    'Leads',
    'Accounts',
    'Contacts',
    'Deals',
    'Campaigns',
    'Tasks',
    'Cases',
    'Events',
    'Calls',
    'Solutions',
    'Products',
    'Vendors',
    'Price_Books',
    'Quotes',
    'Sales_Orders',
    'Purchase_Orders',
    'Invoices',
    'Appointments__s',
    'Services__s',
    'Appointments_Rescheduled_History__s',
    'Notes',
    'users',
  ]);
});

test.each([
  ['Leads', '3652397000000002175'],
  ['Accounts', '3652397000000002177'],
  ['Contacts', '3652397000000002179'],
  ['Deals', '3652397000000002181'],
])('%s has the id of the published samples, %s', (name, id) => {
  expect(moduleId(org, findModule(STANDARD_CATALOG, name)!)).toBe(id);
});

test('a module is found by its exact API name only', () => {
  expect(findModule(STANDARD_CATALOG, 'contacts')).toBeUndefined();
  expect(findModule(STANDARD_CATALOG, 'Contact')).toBeUndefined();
  expect(findModule(STANDARD_CATALOG, 'constructor')).toBeUndefined();
});

test('no two things of the metadata share an id', () => {
  const ids = MODULES.flatMap((module) => [
    moduleId(org, module),
    ...MODULES.map((related) => relatedListId(org, module, related)),
    ...module.fields.flatMap((field) => [
      fieldId(org, module, field),
      ...['', ...(field.pickList ?? [])].map((_, position) => pickListValueId(org, module, field, position)),
    ]),
  ]);
  expect(ids.filter((id) => !isId(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(byName)('%s names each field once and has what it refers to', (_, module) => {
  const names = module.fields.map((field) => field.apiName);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain(module.nameField);
  for (const name of module.duplicateCheck) expect(findField(module, name)?.apiName).toBe(name);
});

test.each(byName)('every lookup of %s points at a module, every pick list has values without repeats', (_, module) => {
  for (const field of module.fields) {
    if (field.lookup === ANY_MODULE) expect(field.type).toBe('lookup');
    else if (field.type === 'lookup') expect(findModule(STANDARD_CATALOG, field.lookup ?? '')?.hasRecords).toBe(true);
    else expect(field.lookup).toBeUndefined();
    if (field.type === 'picklist' || field.type === 'multiselectpicklist') {
      expect(field.pickList?.length).toBeGreaterThan(0);
      expect(new Set(field.pickList).size).toBe(field.pickList?.length);
    } else expect(field.pickList).toBeUndefined();
  }
});

test.each(byName)(
  '%s keeps who made and changed a record, and what the system sets is never mandatory',
  (_, module) => {
    const names = module.fields.map((field) => field.apiName.toLowerCase());
    expect(names).toEqual(expect.arrayContaining(['created_by', 'modified_by', 'created_time', 'modified_time']));
    expect(module.fields.filter((field) => field.mandatory && field.readOnly)).toEqual([]);
  },
);

test.each([
  ['Leads', ['Company', 'Last_Name']],
  ['Contacts', ['Last_Name']],
  ['Accounts', ['Account_Name']],
  ['Deals', ['Deal_Name', 'Stage']],
  ['Quotes', ['Subject', 'Account_Name']],
  ['users', ['last_name', 'email', 'profile']],
])('%s cannot be without %j', (name, mandatory) => {
  const fields = findModule(STANDARD_CATALOG, name)!.fields;
  expect(fields.filter((field) => field.mandatory).map((field) => field.apiName)).toEqual(mandatory);
});

test('subforms and participants are never reported among affected fields', () => {
  const subforms = MODULES.flatMap((module) => module.fields).filter((field) => field.type === 'subform');
  expect(subforms.map((field) => field.apiName)).toEqual(expect.arrayContaining(['Participants', 'Product_Details']));
  expect(subforms.every((field) => field.unreported)).toBe(true);
});

test('only users have no records', () => {
  expect(MODULES.filter((module) => !module.hasRecords).map((module) => module.apiName)).toEqual(['users']);
});

test.each([
  ['Qualification', 10],
  ['Proposal/Price Quote', 75],
  ['Closed Won', 100],
  ['Closed Lost', 0],
  ['No such stage', undefined],
])('the stage %j gives a deal the probability %j', (name, probability) => {
  expect(findDealStage(name)?.probability).toBe(probability);
});

test('a deal can have the stages that have a probability, and no others', () => {
  const stage = findField(findModule(STANDARD_CATALOG, 'Deals')!, 'Stage');
  expect(stage?.pickList).toEqual(DEAL_STAGES.map(({ name }) => name));
});

test('a profile may use what it is not denied', () => {
  const profile = { id: '1' as ProfileId, name: 'Standard', deniedModules: ['Deals'] };
  expect(mayUse(profile, 'Deals')).toBe(false);
  expect(mayUse(profile, 'Leads')).toBe(true);
});

test('a record is called by its name field', () => {
  expect(nameOf({ Full_Name: 'Ada Byron', Last_Name: 'Byron' }, findModule(STANDARD_CATALOG, 'Contacts')!)).toBe(
    'Ada Byron',
  );
  expect(nameOf({ Last_Name: 'Byron' }, findModule(STANDARD_CATALOG, 'Contacts')!)).toBeUndefined();
});
