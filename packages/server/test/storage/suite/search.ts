import { describe, expect, it } from 'vitest';
import type { OrgId, RecordId } from '../../../src/domain/ids.ts';
import type { KeyRef, Values } from '../../../src/domain/record.ts';
import type { Condition } from '../../../src/domain/search/condition.ts';
import type { Candidates } from '../../../src/domain/search/plan.ts';
import type { Store } from '../../../src/storage/store.ts';
import { addOrgs, addRecord, type Open, ORG, OTHER_ORG, openBatches, PATRICIA, START } from './sample.ts';

const MODULE: Candidates = { kind: 'module' };
const ALL: Condition = { kind: 'and', members: [] };
const key = (value: string, module = 'Contacts'): KeyRef => ({ module, field: 'Email', value });
const keyed = (...values: readonly string[]): Candidates => ({
  kind: 'keys',
  keys: values.map((value) => ({ field: 'Email', value })),
});

const found = async (store: Store, condition: Condition, candidates: Candidates = MODULE, org: OrgId = ORG) =>
  (await store.search.slice(org, 'Contacts', { candidates, condition, size: 100, limit: 100 })).ids;

/** All slices, and the ids found in each. */
async function slices(store: Store, candidates: Candidates, size: number): Promise<RecordId[][]> {
  const all: RecordId[][] = [];
  let below: RecordId | undefined;
  do {
    const query = { candidates, condition: ALL, below, size, limit: 100 };
    const { ids, last } = await store.search.slice(ORG, 'Contacts', query);
    all.push([...ids]);
    below = last;
  } while (below !== undefined);
  return all;
}

const EVERYTHING: Values = {
  Text: ' Ünal ',
  Choices: ['Rot, hell', 'Blau'],
  Number: 12.5,
  Digits: '123456789012345678',
  Day: '2026-01-05',
  Done: true,
  Account: { id: '12' },
};

export function searchSuite(open: Open): void {
  describe('searches', () => {
    it.each<[string, Condition, boolean]>([
      ['text, folded', { kind: 'text', field: 'Text', test: 'any', values: ['ünal'] }, true],
      ['one of several texts', { kind: 'text', field: 'Text', test: 'any', values: ['x', 'ünal'] }, true],
      ['the begin of a text', { kind: 'text', field: 'Text', test: 'prefix', values: ['ün'] }, true],
      ['not the end of a text', { kind: 'text', field: 'Text', test: 'prefix', values: ['al'] }, false],
      ['a part of a text', { kind: 'text', field: 'Text', test: 'part', values: ['na'] }, true],
      ['another text', { kind: 'text', field: 'Text', test: 'none', values: ['x'] }, true],
      ['no text', { kind: 'text', field: 'Missing', test: 'none', values: ['x'] }, false],
      ['one choice', { kind: 'choices', field: 'Choices', test: 'any', values: ['rot, hell'] }, true],
      ['not a part of two choices', { kind: 'choices', field: 'Choices', test: 'part', values: ['","'] }, false],
      ['none of the choices', { kind: 'choices', field: 'Choices', test: 'none', values: ['gelb'] }, true],
      ['no choices', { kind: 'choices', field: 'Missing', test: 'none', values: ['gelb'] }, false],
      [
        'a number',
        { kind: 'field', field: 'Number', stored: 'number', ranges: [{ from: 2, to: 12.5 }], outside: false },
        true,
      ],
      [
        'a number outside',
        {
          kind: 'field',
          field: 'Number',
          stored: 'number',
          ranges: [{ from: 2, to: 12.5, below: true }],
          outside: true,
        },
        true,
      ],
      [
        'a number missing',
        { kind: 'field', field: 'Missing', stored: 'number', ranges: [{ from: 2 }], outside: true },
        false,
      ],
      [
        'digits beyond 2^53',
        {
          kind: 'field',
          field: 'Digits',
          stored: 'digits',
          ranges: [{ from: '123456789012345677', above: true, to: '123456789012345679', below: true }],
          outside: false,
        },
        true,
      ],
      [
        'other digits beyond 2^53',
        { kind: 'field', field: 'Digits', stored: 'digits', ranges: [{ from: '123456789012345679' }], outside: false },
        false,
      ],
      ['a day', { kind: 'field', field: 'Day', stored: 'text', ranges: [{ to: '2026-01-05' }], outside: false }, true],
      ['a ticked box', { kind: 'boolean', field: 'Done', is: true }, true],
      ['no unticked box', { kind: 'boolean', field: 'Done', is: false }, false],
      ['an empty box as unticked', { kind: 'boolean', field: 'Missing', is: false }, true],
      ['a reference', { kind: 'reference', of: { field: 'Account' }, test: 'any', ids: ['11', '12'] }, true],
      ['another reference', { kind: 'reference', of: { field: 'Account' }, test: 'none', ids: ['12'] }, false],
      ['who made it', { kind: 'reference', of: { column: 'createdBy' }, test: 'any', ids: [PATRICIA] }, true],
      [
        'when it was made',
        { kind: 'column', column: 'createdAt', ranges: [{ from: START, to: START }], outside: false },
        true,
      ],
      [
        'when it was not changed',
        { kind: 'column', column: 'modifiedAt', ranges: [{ to: START, below: true }], outside: false },
        false,
      ],
      ['text anywhere', { kind: 'anywhere', text: 'hell' }, true],
      ['neither of none', { kind: 'or', members: [] }, false],
    ])('look at %s', async (_, condition, isFound) => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const { id } = await openBatches(store).run(ORG, {}, (set) => addRecord(set, EVERYTHING));
      expect(await found(store, condition)).toEqual(isFound ? [id] : []);
    });

    it('go slice by slice, newest first, through a module or what look-up entries lead to', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const ids = await openBatches(store).run(ORG, {}, (set) =>
        Array.from({ length: 5 }, (_, i) => addRecord(set, {}, 'Contacts', i % 2 === 0 ? [key('a'), key('b')] : []).id),
      );
      const [first, second, third, fourth, fifth] = ids;
      expect(await slices(store, MODULE, 2)).toEqual([[fifth, fourth], [third, second], [first]]);
      expect(await slices(store, keyed('a', 'b', 'c'), 2)).toEqual([[fifth, third], [first]]);
      expect(await slices(store, keyed('c'), 2)).toEqual([[]]);
      expect(await slices(store, { kind: 'ids', ids: [third ?? '', first ?? '', '1'] }, 1)).toEqual([[third, first]]);
      const few = await store.search.slice(ORG, 'Contacts', { candidates: MODULE, condition: ALL, size: 4, limit: 1 });
      expect(few.ids).toEqual([fifth]);
    });

    it('never show a record of another organisation or module', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const own = await batches.run(ORG, {}, (set) => addRecord(set, {}, 'Contacts', [key('a')]));
      await batches.run(ORG, {}, (set) => addRecord(set, {}, 'Leads', [key('a', 'Leads')]));
      await batches.run(OTHER_ORG, {}, (set) => addRecord(set, {}, 'Contacts', [key('a')]));
      for (const candidates of [MODULE, keyed('a')]) {
        expect(await found(store, ALL, candidates)).toEqual([own.id]);
        expect(await found(store, ALL, candidates, OTHER_ORG)).not.toContain(own.id);
      }
      const byId: Candidates = { kind: 'ids', ids: [own.id] };
      expect(await found(store, ALL, byId)).toEqual([own.id]);
      expect(await found(store, ALL, byId, OTHER_ORG)).toEqual([]);
    });
  });
}
