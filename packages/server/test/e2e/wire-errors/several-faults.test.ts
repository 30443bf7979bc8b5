import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_VERSIONS, type ApiVersion } from '../../../src/domain/wire/api-version.ts';
import { SOUND, since, WATCH, watch } from './row.ts';
import { type OpenStage, openStage } from './stage.ts';

let server: OpenStage;
beforeAll(async () => {
  server = await openStage('served');
});
afterAll(() => server.close());

interface Item {
  readonly code: string;
  readonly details: { readonly api_name?: string; readonly json_path?: string };
}

async function ask(version: ApiVersion, method: string, body?: string, query = '') {
  const { status, text } = await server.ask(version, {
    method,
    path: `${WATCH}${query}`,
    ...(body !== undefined && { body }),
  });
  const parsed = text === '' ? {} : JSON.parse(text);
  return { status, items: (parsed.watch ?? [parsed]) as Item[] };
}

/** The keys of an entry in their documented order (reference §2.2), each with a fault, and who reads them. */
const FAULTS: readonly (readonly [key: string, value: unknown, readers: string, versions: readonly ApiVersion[]])[] = [
  ['channel_id', 'x', 'POST PUT PATCH', API_VERSIONS],
  ['notify_url', 'ftp://example.com', 'POST PUT PATCH', API_VERSIONS],
  ['events', ['Nothings.create'], 'POST PUT PATCH', API_VERSIONS],
  ['token', '', 'POST PUT PATCH', API_VERSIONS],
  ['channel_expiry', 'soon', 'POST PUT PATCH', API_VERSIONS],
  ['notify_on_related_action', 'yes', 'POST PUT PATCH', API_VERSIONS],
  ['return_affected_field_values', 'yes', 'POST PUT PATCH', since('v3')],
  ['fields', 'x', 'POST PUT PATCH', since('v6')],
  ['notification_condition', 'x', 'POST PUT PATCH', since('v6')],
  ['_delete_events', 'true', 'PATCH', API_VERSIONS],
];

describe.each(['POST', 'PUT', 'PATCH'])('of several faults in an entry, on %s', (method) => {
  test.each(API_VERSIONS)('the first in the documented order of keys is told on %s', async (version) => {
    const read = FAULTS.filter(([, , readers, versions]) => readers.includes(method) && versions.includes(version));
    const pairs = read.flatMap(([key, value], i) =>
      read.slice(i + 1).map(([later, other]) => ({ key, later, faults: { [later]: other, [key]: value } })),
    );
    const entries = pairs.map(({ faults }, i) => ({ ...SOUND, channel_id: String(1000 + i), ...faults }));
    const { status, items } = await ask(version, method, watch(...entries));
    expect(status).toBe(400);
    expect(items.map(({ code, details }) => [code, details.json_path])).toEqual(
      pairs.map(({ key, later }, i) =>
        key === 'fields' && later === 'notification_condition'
          ? ['AMBIGUITY_DURING_PROCESSING', undefined]
          : ['INVALID_DATA', `$.watch[${i}].${key}`],
      ),
    );
  });
});

test.each(API_VERSIONS)('of several faulty parameters the first of page, per_page, module is told on %s', async (v) => {
  const told = async (query: string) => (await ask(v, 'GET', undefined, query)).items[0];
  expect(await told('?channel_id=x&module=Nope&per_page=0&page=0')).toMatchObject({ details: { api_name: 'page' } });
  expect(await told('?channel_id=x&module=Nope&per_page=0')).toMatchObject({ details: { api_name: 'per_page' } });
  expect(await told('?channel_id=x&module=Nope')).toMatchObject({ code: 'INVALID_MODULE' });
});

describe.each(API_VERSIONS)('on %s, of several channels', (version) => {
  const mixed = version === 'v8' ? 207 : 202;
  const sound = ['11', '12', '13'];

  test.each([0, 1, 2])('a bad one at place %i is told with its place, and the others are done', async (place) => {
    const bad = (entries: unknown[], entry: unknown) => watch(...entries.with(place, entry));
    const codes = (told: string) => sound.map((_, i) => (i === place ? told : 'SUCCESS'));
    const channels = sound.map((channel_id) => ({ ...SOUND, channel_id }));
    const left = sound.filter((_, i) => i !== place);

    const opened = await ask(version, 'POST', bad(channels, { ...SOUND, channel_id: 'x' }));
    expect([opened.status, opened.items.map(({ code }) => code)]).toEqual([mixed, codes('INVALID_DATA')]);
    expect(opened.items[place]?.details.json_path).toBe(`$.watch[${place}].channel_id`);
    const listed = await ask(version, 'GET');
    expect(listed.items.map((item) => (item as unknown as { channel_id: string }).channel_id)).toEqual(left);

    for (const method of ['PUT', 'PATCH']) {
      const changed = await ask(version, method, bad(channels, { ...SOUND, channel_id: '99' }));
      expect([changed.status, changed.items.map(({ code }) => code)]).toEqual([mixed, codes('NOT_SUBSCRIBED')]);
    }

    const ids = sound.with(place, 'x').join();
    const deleted = await ask(version, 'DELETE', undefined, `?channel_ids=${ids}`);
    expect([deleted.status, deleted.items.map(({ code }) => code)]).toEqual([mixed, codes('INVALID_DATA')]);
    expect((await ask(version, 'GET')).status).toBe(204);
  });

  test('a blank item among channel_ids is told alone, and one named twice is gone at the second', async () => {
    await ask(version, 'POST', watch({ ...SOUND, channel_id: '11' }));
    const { status, items } = await ask(version, 'DELETE', undefined, '?channel_ids=,11,%2011');
    expect([status, items.map(({ code }) => code)]).toEqual([mixed, ['INVALID_DATA', 'SUCCESS', 'NOT_SUBSCRIBED']]);
  });

  test('as many as allowed are taken, with the longest ids', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => String(-9223372036854775808n + BigInt(i)));
    const opened = await ask(version, 'POST', watch(...ids.map((channel_id) => ({ ...SOUND, channel_id }))));
    expect([opened.status, opened.items.length]).toEqual([201, 100]);
    const deleted = await ask(version, 'DELETE', undefined, `?channel_ids=${ids}`);
    expect([deleted.status, deleted.items.length]).toEqual([200, 100]);
  });
});

describe('a body', () => {
  const entry = JSON.stringify(SOUND).slice(1, -1);
  test.each([
    ['that begins with a byte order mark', `\ufeff{"watch":[{${entry}}]}`],
    ['that says a key twice is taken by the last', `{"watch":5,"watch":[{"channel_id":"x",${entry}}]}`],
    ['that says a key twice beside a big number', `{"watch":[{"channel_id":"x",${entry},"n":12345678901234567890}]}`],
    ['with unknown keys', `{"other":1,"watch":[{${entry},"resource_id":5,"resource_uri":{},"__proto__":{"a":1}}]}`],
    ['with blanks between its parts', `\r\n\t {"watch" : [ {${entry}} ] } \n`],
  ])('%s', async (_what, body) => {
    for (const version of API_VERSIONS) {
      const { status, items } = await ask(version, 'POST', body);
      expect([status, items.map(({ code }) => code)]).toEqual([201, ['SUCCESS']]);
    }
  });

  test('that nests as deep as allowed is read', async () => {
    const deep = `${'['.repeat(61)}${']'.repeat(61)}`;
    const { status } = await ask('v8', 'POST', `{"watch":[{${entry},"other":${deep}}]}`);
    expect(status).toBe(201);
    const { items } = await ask('v8', 'POST', `{"watch":[{${entry},"other":[${deep}]}]}`);
    expect(items).toMatchObject([{ code: 'INVALID_DATA', message: 'body' }]);
  });
});

test.each(API_VERSIONS)('a fault in a key that %s does not read is none', async (version) => {
  for (const method of ['POST', 'PUT', 'PATCH']) {
    const unread = FAULTS.filter(([, , readers, versions]) => !readers.includes(method) || !versions.includes(version));
    const faults = Object.fromEntries(unread.map(([key, value]) => [key, value]));
    const { items } = await ask(version, method, watch({ ...SOUND, ...faults }));
    expect(items.map(({ code }) => code)).toEqual(['SUCCESS']);
  }
});
