import { describe, expect, test } from 'vitest';
import { good, invalid, refusal, settings, wrongType } from './watch-call.ts';

describe('fields', () => {
  test('watch for any of them, in each module that has them', () => {
    const entry = {
      ...good,
      events: ['Leads.all', 'Deals.edit', 'Notes.create'],
      fields: ['Phone', 'Company', 'Stage'],
    };
    expect(settings(entry)?.conditions).toEqual([
      {
        module: 'Leads',
        rule: {
          kind: 'group',
          operator: 'or',
          members: [
            { kind: 'field', field: 'Phone' },
            { kind: 'field', field: 'Company' },
          ],
        },
      },
      { module: 'Deals', rule: { kind: 'field', field: 'Stage' } },
    ]);
  });

  test.each([null, undefined])('%j says nothing', (fields) => {
    expect(settings({ ...good, fields })?.conditions).toBeUndefined();
  });

  test.each([
    [['Phone', 'Nothing'], invalid('fields', {}, 'fields[1]')],
    [[5], invalid('fields', {}, 'fields[0]')],
    [['Stage'], invalid('fields', {}, 'fields[0]')],
    [{}, wrongType('jsonarray', 'fields')],
    [Array.from({ length: 11 }, () => 'Phone'), invalid('fields', { maximum_length: 10 })],
  ])('%j is refused', (fields, expected) => {
    expect(refusal({ ...good, fields })).toEqual(expected);
  });

  test('need the events they are about', () => {
    expect(refusal({ channel_id: '1', fields: ['Phone'] }, 'PATCH')).toEqual({
      code: 'DEPENDENT_FIELD_MISSING',
      message: 'DEPENDENT_FIELD_MISSING',
      details: {
        api_name: 'fields',
        json_path: '$.watch[0].fields',
        dependee: { api_name: 'events', json_path: '$.watch[0].events' },
      },
    });
  });
});
