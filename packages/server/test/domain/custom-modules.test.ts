import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import { isId } from '../../src/domain/ids.ts';
import type { Field } from '../../src/domain/module.ts';
import {
  fieldId,
  findField,
  findModule,
  moduleId,
  pickListValueId,
  relatedListId,
} from '../../src/domain/modules/catalog.ts';
import type { FieldInput, ModuleInput } from '../../src/domain/modules/definition.ts';
import {
  addField,
  addModule,
  changeField,
  changeModule,
  removeField,
  removeModule,
} from '../../src/domain/modules/edit.ts';
import { recordKey } from '../../src/domain/record.ts';
import { createAll, deleteAll } from '../../src/domain/records/call.ts';
import { readInput } from '../../src/domain/records/input.ts';
import { restoreAll } from '../../src/domain/records/restore.ts';
import { applyTags } from '../../src/domain/records/tagging.ts';
import type { WorkingSet } from '../../src/domain/working-set.ts';
import { patricia as caller, openSet, stored } from './records/working-set.ts';

const machines: ModuleInput = { apiName: 'Machines', singular: 'Machine', plural: 'Machines', fields: [] };
const text = (apiName: string, more: Partial<FieldInput> = {}): FieldInput => ({ apiName, type: 'text', ...more });
const names = (set: WorkingSet, module: string) =>
  findModule(set.catalog, module)?.fields.map((field: Field) => field.apiName);

/** Code, message and details of what is refused. */
function refusal(act: () => unknown): readonly [string, string, unknown] | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.message, error.details.json_path ?? error.details];
    throw error;
  }
}

function withMachines(more: Partial<ModuleInput> = {}): WorkingSet {
  const set = openSet();
  addModule(set, { ...machines, ...more });
  return set;
}

describe('a module that is added', () => {
  test('has system fields, a name and what was asked for, and is seen by the commands after it', () => {
    const set = withMachines({ fields: [text('Serial', { unique: true }), { apiName: 'Up_Since', type: 'date' }] });
    const module = findModule(set.catalog, 'Machines')!;
    expect(module).toMatchObject({ isCustom: true, hasRecords: true, nameField: 'Name', modifiedAt: set.now });
    expect(names(set, 'Machines')).toEqual([
      'Owner',
      'Created_By',
      'Modified_By',
      'Created_Time',
      'Modified_Time',
      'Record_Status__s',
      'Name',
      'Tag',
      'Last_Activity_Time',
      'Locked__s',
      'Serial',
      'Up_Since',
    ]);
    expect(findField(module, 'Up_Since')).toMatchObject({ label: 'Up Since', type: 'date', length: 20 });
    expect(set.catalog.modules.at(-1)).toBe(module);
    expect(set.writes.counters.catalogVersion).toBe(1);
  });

  test('may point at itself and be pointed at', () => {
    const set = withMachines({ fields: [{ apiName: 'Part_Of', type: 'lookup', lookup: 'Machines' }] });
    addField(set, 'Contacts', { apiName: 'Machine', type: 'lookup', lookup: 'Machines' });
    expect(findField(findModule(set.catalog, 'Contacts')!, 'Machine')?.lookup).toBe('Machines');
  });

  test('is not there, nor any of its fields, when one of them is refused', () => {
    const set = openSet();
    const { counters } = set.writes;
    const fields = [text('Fine'), text('Too_Long', { length: 256 })];
    expect(refusal(() => addModule(set, { ...machines, fields }))?.[2]).toBe('$.fields[1].length');
    expect(findModule(set.catalog, 'Machines')).toBeUndefined();
    expect(set.writes.additions.modules.size + set.writes.additions.fields.size).toBe(0);
    expect(set.writes.counters).toEqual(counters);
  });

  test('shares no id with anything of the catalogue', () => {
    const set = openSet();
    set.writes.counters = { ...set.writes.counters, nextSerial: 10_000_000 };
    addModule(set, { ...machines, fields: [text('One'), { apiName: 'Two', type: 'picklist', pickList: ['a', 'b'] }] });
    addModule(set, { ...machines, apiName: 'Sites' });
    addField(set, 'Leads', { apiName: 'Three', type: 'picklist', pickList: ['c'] });
    const org = set.org.id;
    const { modules } = set.catalog;
    const ids = modules.flatMap((module) => [
      moduleId(org, module),
      ...modules.map((related) => relatedListId(org, module, related)),
      ...module.fields.flatMap((field) => [
        fieldId(org, module, field),
        ...['', ...(field.pickList ?? [])]
          .filter(() => field.pickList)
          .map((_, i) => pickListValueId(org, module, field, i)),
      ]),
    ]);
    expect(ids.filter((id) => !isId(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    const custom = ['Machines', 'Sites'].map((name) => moduleId(org, findModule(set.catalog, name)!));
    expect(custom).toEqual([`${org}000000003001`, `${org}000000003002`]);
  });

  test('keeps its id when others are removed, and its name and serial are not given again', () => {
    const set = withMachines();
    removeModule(set, 'Machines');
    addModule(set, { ...machines, apiName: 'Sites' });
    expect(findModule(set.catalog, 'Sites')?.serial).toBe(3002);
    expect(refusal(() => addModule(set, machines))?.[0]).toBe('DUPLICATE_DATA');
  });
});

describe('a name', () => {
  test.each([
    ['Machines2', undefined],
    ['A', undefined],
    ['Custom_Module_1', undefined],
    ['2Machines', 'INVALID_DATA'],
    ['_Machines', 'INVALID_DATA'],
    ['Machines_', 'INVALID_DATA'],
    ['Machines__s', 'INVALID_DATA'],
    ['Machi nes', 'INVALID_DATA'],
    ['Machines.all', 'INVALID_DATA'],
    ['Maschinenä', 'INVALID_DATA'],
    ['', 'INVALID_DATA'],
    ['M'.repeat(51), 'INVALID_DATA'],
    ['settings', 'INVALID_DATA'],
    ['ORG', 'INVALID_DATA'],
    ['Contacts', 'DUPLICATE_DATA'],
    ['contacts', 'DUPLICATE_DATA'],
    ['constructor', undefined],
  ])('%j as a module is answered %s', (apiName, code) => {
    expect(refusal(() => addModule(openSet(), { ...machines, apiName }))?.[0]).toBe(code);
  });

  test.each([
    ['Email', 'DUPLICATE_DATA'],
    ['EMAIL', 'DUPLICATE_DATA'],
    ['id', 'INVALID_DATA'],
    ['se_module', 'INVALID_DATA'],
    ['a.b', 'INVALID_DATA'],
    ['__proto__', 'INVALID_DATA'],
    ['Region', undefined],
  ])('%j as a field of Leads is answered %s', (apiName, code) => {
    expect(refusal(() => addField(openSet(), 'Leads', text(apiName)))?.[0]).toBe(code);
  });

  test('is taken once within a module, also by a field that is gone', () => {
    const set = withMachines({ fields: [text('Serial')] });
    removeField(set, 'Machines', 'Serial');
    expect(refusal(() => addField(set, 'Machines', text('serial')))).toEqual([
      'DUPLICATE_DATA',
      'A field is or was called serial',
      '$.api_name',
    ]);
    expect(refusal(() => addField(set, 'Leads', text('Serial')))).toBeUndefined();
  });
});

describe('a field', () => {
  const field = (more: object): FieldInput => ({ apiName: 'F', type: 'text', ...more }) as FieldInput;
  test.each<readonly [object, Partial<Field>]>([
    [{}, { label: 'F', length: 255 }],
    [
      { length: 40, label: 'Serial no.', mandatory: true },
      { label: 'Serial no.', length: 40, mandatory: true },
    ],
    [{ unique: true }, { unique: true }],
    [{ external: 'org' }, { external: 'org', unique: true }],
    [{ type: 'textarea' }, { length: 32_000 }],
    [{ type: 'integer' }, { length: 9 }],
    [
      { type: 'double', decimals: 4 },
      { length: 16, decimals: 4 },
    ],
    [{ type: 'picklist', pickList: ['a'] }, { pickList: ['a'] }],
    [{ type: 'multiselectpicklist', pickList: ['a', 'b'] }, { pickList: ['a', 'b'] }],
    [{ type: 'lookup', lookup: 'Contacts' }, { lookup: 'Contacts' }],
    [{ type: 'userlookup' }, {}],
    [
      { type: 'subform', rows: [text('Part')] },
      { unreported: true, rows: [expect.objectContaining(text('Part'))] },
    ],
  ])('%j becomes %j', (input, expected) => {
    expect(addField(openSet(), 'Leads', field(input))).toMatchObject({ ...expected, serial: expect.any(Number) });
  });

  test.each([
    [{ length: 0 }, '$.length'],
    [{ length: 256 }, '$.length'],
    [{ length: 1.5 }, '$.length'],
    [{ type: 'boolean', length: 3 }, '$.length'],
    [{ decimals: 2 }, '$.decimals'],
    [{ type: 'double', decimals: 10 }, '$.decimals'],
    [{ label: ' ' }, '$.label'],
    [{ label: 'x'.repeat(101) }, '$.label'],
    [{ label: 'a\0' }, '$.label'],
    [{ type: 'boolean', unique: true }, '$.unique'],
    [{ type: 'picklist', pickList: ['a'], external: 'org' }, '$.external'],
    [{ type: 'picklist' }, '$.pick_list'],
    [{ type: 'picklist', pickList: [] }, '$.pick_list'],
    [{ type: 'picklist', pickList: Array.from({ length: 1001 }, String) }, '$.pick_list'],
    [{ type: 'picklist', pickList: ['a', 'a'] }, '$.pick_list[1]'],
    [{ type: 'picklist', pickList: ['-None-'] }, '$.pick_list[0]'],
    [{ type: 'picklist', pickList: [' a'] }, '$.pick_list[0]'],
    [{ pickList: ['a'] }, '$.pick_list'],
    [{ type: 'lookup' }, '$.lookup'],
    [{ type: 'lookup', lookup: 'Nowhere' }, '$.lookup'],
    [{ type: 'lookup', lookup: 'users' }, '$.lookup'],
    [{ lookup: 'Contacts' }, '$.lookup'],
    [{ rows: [text('A')] }, '$.rows'],
    [{ type: 'subform' }, '$.rows'],
    [{ type: 'subform', rows: [text('A'), text('a')] }, '$.rows[1].api_name'],
    [{ type: 'subform', rows: [text('A', { unique: true })] }, '$.rows[0].unique'],
    [{ type: 'subform', rows: [{ apiName: 'A', type: 'subform' }] }, '$.rows[0].type'],
    [{ type: 'subform', rows: [text('A', { length: 999 })] }, '$.rows[0].length'],
  ])('%j is refused at %s', (input, path) => {
    const set = openSet();
    const answer = refusal(() => addField(set, 'Leads', field(input)));
    expect([answer?.[0], answer?.[2]]).toEqual([path.endsWith('api_name') ? 'DUPLICATE_DATA' : 'INVALID_DATA', path]);
    expect(set.writes.additions.fields.size).toBe(0);
  });

  test('is not for users, which have no records, nor for what is not there', () => {
    expect(refusal(() => addField(openSet(), 'users', text('F')))?.[0]).toBe('INVALID_DATA');
    expect(refusal(() => addField(openSet(), 'Nowhere', text('F')))?.[0]).toBe('NOT_FOUND');
  });

  test('can be the 500th of a module, and not the 501st', () => {
    const set = withMachines();
    const room = 500 - names(set, 'Machines')!.length;
    const many = Array.from({ length: room + 1 }, (_, i) => text(`F${i}`));
    expect(refusal(() => addModule(set, { ...machines, apiName: 'Full', fields: many }))?.[0]).toBe('LIMIT_REACHED');
    addModule(set, { ...machines, apiName: 'Full', fields: many.slice(1) });
    expect(names(set, 'Full')).toHaveLength(500);
    expect(refusal(() => addField(set, 'Full', text('More')))?.[0]).toBe('LIMIT_REACHED');
  });

  test('changes its label, list and whether it is mandatory; what is the same is no change', () => {
    const set = withMachines({ fields: [{ apiName: 'State', type: 'picklist', pickList: ['a', 'b'] }] });
    const { serial } = findField(findModule(set.catalog, 'Machines')!, 'State')!;
    expect(
      changeField(set, 'Machines', 'State', { label: 'Condition', pickList: ['b', 'c'], mandatory: true }),
    ).toMatchObject({ label: 'Condition', pickList: ['b', 'c'], mandatory: true, serial });
    expect(set.writes.counters.catalogVersion).toBe(2);
    changeField(set, 'Machines', 'State', { label: 'Condition', pickList: ['b', 'c'] });
    expect(set.writes.counters.catalogVersion).toBe(2);
    expect(changeField(set, 'Machines', 'State', { mandatory: false }).mandatory).toBeUndefined();
  });

  test.each([
    ['Contacts', 'Email', {}, '$.field'],
    ['Machines', 'Name', {}, '$.field'],
    ['Machines', 'Nothing', {}, { api_name: 'field' }],
    ['Machines', 'Serial', { pickList: ['a'] }, '$.pick_list'],
    ['Machines', 'Serial', { label: '' }, '$.label'],
  ])('%s.%s cannot be changed by %j', (module, name, change, path) => {
    const set = withMachines({ fields: [text('Serial')] });
    expect(refusal(() => changeField(set, module, name, change))?.[2]).toEqual(path);
  });
});

describe('removing', () => {
  const input = (set: WorkingSet, values: object) => [
    readInput(findModule(set.catalog, 'Machines')!, values as Parameters<typeof readInput>[1], '$.data[0]'),
  ];

  test('a field hides what is stored in it', () => {
    const set = withMachines({ fields: [text('Serial', { unique: true })] });
    const before = findModule(set.catalog, 'Machines')!;
    const [made] = createAll(set, before, input(set, { Name: 'Press', Serial: 'A1' }), caller);
    removeField(set, 'Machines', 'Serial');
    expect(names(set, 'Machines')).not.toContain('Serial');
    expect(made?.ok && made.value.record.values.Serial).toBe('A1');
    // Read before the field was removed, decided after: it is a field no more, so it is not compared.
    const [again] = createAll(set, before, [readInput(before, { Name: 'Other', Serial: 'A1' }, '$.data[0]')], caller);
    expect(again?.ok).toBe(true);
  });

  test('a module is refused while it has records, stored or written just before in the same batch', () => {
    const set = withMachines();
    const [made] = createAll(set, findModule(set.catalog, 'Machines')!, input(set, { Name: 'Press' }), caller);
    expect(refusal(() => removeModule(set, 'Machines'))?.[1]).toMatch(/has records/);
    if (made?.ok)
      deleteAll(set, findModule(set.catalog, 'Machines')!, [{ ok: true, value: made.value.record.id }], caller);
    expect(refusal(() => removeModule(set, 'Machines'))).toBeUndefined();
    const used = { ...withMachines(), modulesInUse: new Set(['Machines']) };
    expect(refusal(() => removeModule(used, 'Machines'))?.[1]).toMatch(/has records/);
  });

  test('a module leaves no record behind that was on its way', () => {
    const set = withMachines();
    const before = findModule(set.catalog, 'Machines')!;
    const items = input(set, { Name: 'Press' });
    removeModule(set, 'Machines');
    expect(refusal(() => createAll(set, before, items, caller))?.[0]).toBe('INVALID_MODULE');
    expect(set.writes.records.size).toBe(0);
  });

  test('a module takes back no record from the bin, and leaves no tag behind, that was on its way', () => {
    const set = withMachines();
    const before = findModule(set.catalog, 'Machines')!;
    const press = stored('Machines', 1, { Name: 'Press' });
    const bin = { displayName: 'Press', deletedBy: caller.id, record: press };
    set.deleted.set(press.id, { module: 'Machines', id: press.id, deletedAt: set.now, bin });
    set.records.set(recordKey('Machines', press.id), press);
    removeModule(set, 'Machines');
    expect(restoreAll(set, [{ id: press.id, module: before }], caller)).toMatchObject([{ ok: false }]);
    const tag = () => applyTags(set, before, [{ ok: true, value: press.id }], [{ name: 'hot' }], 'add', caller);
    expect(refusal(tag)?.[0]).toBe('INVALID_MODULE');
    expect(set.writes.records.size).toBe(0);
  });

  test('a module is refused while a field of another points at it', () => {
    const set = withMachines();
    addField(set, 'Leads', { apiName: 'Machine', type: 'lookup', lookup: 'Machines' });
    expect(refusal(() => removeModule(set, 'Machines'))?.[1]).toBe('Leads.Machine points at Machines; remove it first');
    removeField(set, 'Leads', 'Machine');
    expect(refusal(() => removeModule(set, 'Machines'))).toBeUndefined();
  });

  test('and renaming are not for standard modules', () => {
    expect(refusal(() => removeModule(openSet(), 'Leads'))?.[1]).toMatch(/standard module/);
    expect(refusal(() => changeModule(openSet(), 'Leads', { plural: 'Prospects' }))?.[1]).toMatch(/standard module/);
    expect(refusal(() => removeField(openSet(), 'Leads', 'Company'))?.[1]).toMatch(/standard field/);
  });
});

test('a module changes its labels', () => {
  const set = withMachines();
  expect(changeModule(set, 'Machines', { plural: 'Plant' })).toMatchObject({ singular: 'Machine', plural: 'Plant' });
  expect(refusal(() => changeModule(set, 'Machines', { singular: '' }))?.[2]).toBe('$.singular');
});

test('an organisation has 500 modules of its own, and no more', () => {
  const set = openSet();
  for (let i = 0; i < 500; i += 1) addModule(set, { ...machines, apiName: `M${i}` });
  expect(refusal(() => addModule(set, machines))?.[0]).toBe('LIMIT_REACHED');
  removeModule(set, 'M7');
  expect(refusal(() => addModule(set, machines))).toBeUndefined();
});
