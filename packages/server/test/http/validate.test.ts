import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { compileValidator } from '../../src/http/validate.ts';

const schema = Type.Object(
  {
    type: Type.Enum(['text', 'lookup']),
    status: Type.Union([Type.Literal('active'), Type.Literal('inactive')]),
    org: Type.String({ pattern: '^[0-9]{7}$' }),
    rows: Type.Array(Type.Object({ size: Type.Integer({ minimum: 1 }) })),
  },
  { additionalProperties: false },
);
const good = { type: 'text', status: 'active', org: '3652397', rows: [{ size: 1 }] };

/** Given as the framework does it for a body. */
const check = compileValidator({ schema, method: 'POST', url: '/', httpPart: 'body' });

test('a body as it should be is taken', () => expect(check(good)).toEqual({ value: good }));

test.each<[object, string, object]>([
  [{ type: 'x' }, 'type must be one of text, lookup', { api_name: 'type', json_path: '$.type' }],
  [{ status: 'x' }, 'status must be one of active, inactive', { api_name: 'status', json_path: '$.status' }],
  [{ org: 'x' }, 'org is malformed', { api_name: 'org', json_path: '$.org' }],
  [{ org: undefined }, 'org is missing', { api_name: 'org', json_path: '$.org' }],
  [{ more: 1 }, 'more is not known here', { api_name: 'more', json_path: '$.more' }],
  [{ rows: [{ size: 0 }] }, 'rows.0.size must be >= 1', { api_name: 'size', json_path: '$.rows[0].size' }],
])('%j is refused by its name, with what would do', (change, message, details) => {
  const given = JSON.parse(JSON.stringify({ ...good, ...change }));
  expect(check(given)).toMatchObject({ error: { code: 'INVALID_DATA', message, details } });
});
