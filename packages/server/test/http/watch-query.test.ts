import { describe, expect, test } from 'vitest';
import { readListQuery } from '../../src/http/watch/list.ts';
import { readDelete } from '../../src/http/watch/request.ts';
import { call } from './watch-call.ts';

describe('channel_ids', () => {
  const deleting = (text: string) =>
    readDelete(call('{}', 'v8', { channel_ids: text })).map((read) =>
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

  test('takes a bare plus before an id, which the query makes a space, as closing channels does', () => {
    expect(query({ channel_id: ' 7' })).toMatchObject({ channelId: '7' });
  });
});
