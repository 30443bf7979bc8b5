import { describe, expect, test } from 'vitest';
import type { ApiVersion } from '../../src/domain/wire/api-version.ts';
import { readListQuery } from '../../src/http/watch/list.ts';
import { readDelete } from '../../src/http/watch/request.ts';
import { call } from './watch-call.ts';

describe('channel_ids', () => {
  const deleting = (text: string, version: ApiVersion = 'v8') =>
    readDelete(call('{}', version, { channel_ids: text })).map((read) =>
      read.kind === 'read' ? read.value.channelId : read.refusal,
    );

  test('are read in their order, each alone', () => {
    const refused = {
      code: 'INVALID_DATA',
      message: 'invalid data',
      details: { expected_data_type: 'long', api_name: 'channel_ids' },
    };
    expect(deleting('1, 2,9223372036854775807')).toEqual(['1', '2', '9223372036854775807']);
    expect(deleting('1,abc,,3')).toEqual(['1', refused, refused, '3']);
  });

  test.each([
    ['v2', { param_name: 'channel_ids', param: 'channel_ids' }],
    ['v5', { param_name: 'channel_ids', param: 'channel_ids' }],
    ['v6', { param: 'channel_ids' }],
    ['v8', { param: 'channel_ids' }],
  ] as const)('are missed on %s', (version, details) => {
    for (const query of [{}, { channel_ids: '' }] as Record<string, string>[]) {
      expect(() => readDelete(call('{}', version, query))).toThrow(
        expect.objectContaining({
          code: 'REQUIRED_PARAM_MISSING',
          message: 'One of the expected parameter is missing',
          details,
        }),
      );
    }
  });

  test('are at most 100', () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => i).join();
    expect(deleting(list(100))).toHaveLength(100);
    expect(() => deleting(list(101))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });
});

describe('a listing', () => {
  const query = (params: Record<string, string>) => readListQuery(call('', 'v8', params));

  test('asks for the first 200 channels unless told otherwise', () => {
    expect(query({})).toEqual({ page: 1, perPage: 200, module: undefined, channelId: undefined });
    expect(query({ page: '3', per_page: '1', module: 'Leads', channel_id: '007', other: 'x' })).toEqual({
      page: 3,
      perPage: 1,
      module: 'Leads',
      channelId: '7',
    });
  });

  test.each([
    ['page', '0'],
    ['page', '-1'],
    ['page', 'x'],
    ['page', ''],
    ['page', '1.5'],
    ['page', '99999999999'],
    ['per_page', '0'],
    ['per_page', '201'],
    ['per_page', 'all'],
  ])('%s of %j is refused', (name, value) => {
    expect(() => query({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA', details: { expected_data_type: 'int', api_name: name } }),
    );
  });

  test.each(['Nothing', 'leads', 'Invoices', ''])('module %j is refused', (module) => {
    expect(() => query({ module })).toThrow(
      expect.objectContaining({ code: 'INVALID_MODULE', message: 'the module name given seems to be invalid' }),
    );
  });

  test('a channel id that can be none is refused', () => {
    expect(() => query({ channel_id: 'abc' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_DATA',
        details: { expected_data_type: 'long', api_name: 'channel_id' },
      }),
    );
  });
});
