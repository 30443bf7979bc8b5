import assert from 'node:assert/strict';
import { has, plain } from '../crm.mjs';
import { WATCHED } from './notifications.mjs';

export const title = 'every standard module';

const AT = new Date('2027-03-04T12:00:00Z');
const DAY = new Date('2027-03-05T12:00:00Z');

/** A value for each type of field that holds one by itself. */
const VALUES = {
  text: () => 'A text',
  textarea: () => 'Two\nlines',
  email: () => 'someone@example.com',
  phone: () => '555-0177',
  website: () => 'https://example.com',
  integer: () => 7,
  bigint: () => 12345678901n,
  double: () => 1.25,
  currency: () => 19.5,
  percent: () => 5,
  boolean: () => true,
  date: () => DAY,
  datetime: () => AT,
  picklist: ({ pickListValues }, { choice }) => choice(pickListValues.at(-1).displayValue),
  multiselectpicklist: ({ pickListValues }, { choice }) => [choice(pickListValues.at(-1).displayValue)],
};

export const cases = {
  async 'takes every field that its metadata says can be written, and gives it back'(crm) {
    const { create, get, notified } = crm;
    const left = await writableModules(crm);
    const made = new Map();
    for (let before = left.size + 1; left.size < before; ) {
      before = left.size;
      for (const [module, fields] of left) {
        const values = valuesOf(fields, made, crm);
        if (!values) continue;
        const [id] = await create(module, values);
        if (WATCHED.includes(module)) await notified(module, 'insert', [id]);
        has(await get(module, id), expected(values));
        made.set(module, id);
        left.delete(module);
      }
    }
    assert.deepEqual([...left.keys()], []);
    assert.ok(made.size > 15, [...made.keys()].join());
  },
};

/** The fields that can be written, for each module in which records can be made. */
async function writableModules(crm) {
  const { sdk, adapter, params, headers } = crm;
  const listed = await adapter.modules(new sdk.Modules.ModulesOperations(), await params(), await headers());
  const modules = plain(listed.getObject().getModules()).filter(
    ({ creatable, generatedType }) => creatable && generatedType === 'default',
  );
  const found = new Map();
  for (const { aPIName: module } of modules) {
    const fields = plain((await adapter.fields(crm, module)).getObject().getFields());
    found.set(
      module,
      fields.filter(({ readOnly }) => !readOnly),
    );
  }
  return found;
}

/** Nothing when a mandatory field points at a module of which no record was made yet. */
function valuesOf(fields, made, crm) {
  const pairs = fields.map((field) => [field, valueFor(field, made, crm)]);
  if (pairs.some(([field, value]) => field.systemMandatory && value === undefined)) return undefined;
  return Object.fromEntries(pairs.flatMap(([{ aPIName }, value]) => (value === undefined ? [] : [[aPIName, value]])));
}

function valueFor(field, made, crm) {
  if (field.dataType !== 'lookup') return VALUES[field.dataType]?.(field, crm);
  // Without a module it may point at records of any.
  const target = crm.adapter.lookedUp(field);
  const module = target ?? 'Leads';
  const id = made.get(module);
  if (id === undefined || (target === undefined && !field.systemMandatory)) return undefined;
  return crm.record(target === undefined ? { id, module } : { id });
}

/** How the values read when they come back: a day begins at midnight, and a lookup is compared by its id. */
const expected = (values) =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      if (value === DAY) return [key, '2027-03-05T00:00:00.000Z'];
      return [key, value.getId ? { id: value.getId().toString() } : plain(value)];
    }),
  );
