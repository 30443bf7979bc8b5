import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
let receiver: Receiver;

beforeAll(async () => {
  app = await startLiveApp();
  receiver = await startReceiver();
});
afterAll(async () => {
  await app.stop();
  await receiver.close();
});

const call = (method: string, path: string, body?: unknown) => app.owner.call(method, `/crm/v8/${path}`, body);

async function create(module: string, ...data: object[]): Promise<string[]> {
  const { status, body } = await call('POST', module, { data });
  expect(status, JSON.stringify(body)).toBe(201);
  return (body as { data: { details: { id: string } }[] }).data.map(({ details }) => details.id);
}

async function one(module: string, values: object): Promise<string> {
  const [id = ''] = await create(module, values);
  return id;
}

async function read(module: string, id: string): Promise<Record<string, unknown>> {
  const { body } = await call('GET', `${module}/${id}`);
  return (body as { data: Record<string, unknown>[] }).data[0] ?? {};
}

async function sendExternal(method: string, path: string, header: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${app.base}/crm/v8/${path}`, {
    method,
    headers: { authorization: `Zoho-oauthtoken ${app.owner.accessToken}`, 'x-external': header },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const leads = (count: number) => Array.from({ length: count }, (_, i) => ({ Last_Name: `L${i}`, Company: 'C' }));
const NO_SUCH_ID = '3652397999999999999';

describe('mass actions', () => {
  test('change 5,000 records in changes of at most 100, each record once, and answer with a job', async () => {
    const ids = (await Promise.all(Array.from({ length: 50 }, () => create('Leads', ...leads(100))))).flat();
    const watch = [
      {
        channel_id: '1',
        events: ['Leads.edit', 'Leads.delete'],
        notify_url: `${receiver.origin}/`,
        channel_expiry: '2026-01-05T20:00:00Z',
      },
    ];
    expect((await call('POST', 'actions/watch', { watch })).status).toBe(201);

    const asked = [...ids, NO_SUCH_ID].slice(-5000);
    const { status, body } = await call('POST', 'Leads/actions/mass_update', { data: [{ City: 'Pune' }], ids: asked });
    expect(status).toBe(200);
    expect(body).toMatchObject({ data: [{ code: 'SUCCESS', message: 'mass update scheduled successfully' }] });
    const job = at(body, 'data', 0, 'details', 'job_id');
    expect((await call('GET', `Leads/actions/mass_update?job_id=${job}`)).body).toEqual({
      data: [{ Total_Count: 5000, Failed_Count: 1, Status: 'COMPLETED', Updated_Count: 4999, Not_Updated_Count: 0 }],
    });
    await app.app.idle();
    const told = receiver.received.map((message) => message.body);
    expect(told.every((message) => message.operation === 'update' && message.ids.length <= 100)).toBe(true);
    expect(told.flatMap((message) => message.ids).sort()).toEqual(asked.slice(0, 4999).sort());

    const deleted = await call('POST', 'Leads/actions/mass_delete', { ids });
    const deleteJob = at(deleted.body, 'data', 0, 'details', 'job_id');
    expect((await call('GET', `Leads/actions/mass_delete?job_id=${deleteJob}`)).body).toEqual({
      data: [{ Total_Count: 5000, Failed_Count: 0, Status: 'COMPLETED', Deleted_Count: 5000 }],
    });
    expect((await call('GET', `Leads/actions/mass_update?job_id=${deleteJob}`)).status).toBe(400);
  });

  test('up to 500 ids are answered one by one', async () => {
    const [a, b] = await create('Leads', ...leads(2));
    const { status, body } = await call('POST', 'Leads/actions/mass_update', {
      data: [{ City: 'Pune' }],
      ids: [a, b, a, NO_SUCH_ID, 'x'],
    });
    expect(status).toBe(207);
    expect(body).toMatchObject({
      data: [
        { code: 'SUCCESS', details: { id: a }, message: 'record updated' },
        { code: 'SUCCESS', details: { id: b } },
        { code: 'INVALID_DATA', details: { id: NO_SUCH_ID } },
        { code: 'INVALID_DATA', details: { expected_data_type: 'bigint' } },
      ],
    });
    const gone = await call('POST', 'Leads/actions/mass_delete', { ids: [a, b] });
    expect(gone).toMatchObject({ status: 200, body: { data: [{ message: 'record is deleted' }, {}] } });
  });

  test.each([
    ['no ids', { data: [{ City: 'A' }] }, 'MANDATORY_NOT_FOUND', 'ids'],
    ['too many ids', { data: [{ City: 'A' }], ids: new Array(5001).fill('1') }, 'INVALID_DATA', 'ids'],
    ['a custom view', { data: [{ City: 'A' }], ids: ['1'], cvid: '1' }, 'INVALID_DATA', 'cvid'],
    ['no data', { ids: ['1'] }, 'MANDATORY_NOT_FOUND', 'data'],
    ['no field', { data: [{ Nothing: 1 }], ids: ['1'] }, 'INVALID_DATA', 'data'],
    ['a value that its field cannot hold', { data: [{ City: 5 }], ids: ['1'] }, 'INVALID_DATA', 'City'],
  ])('a mass update with %s is refused as a whole, by name', async (_case, body, code, name) => {
    const answer = await call('POST', 'Leads/actions/mass_update', body);
    expect(answer).toMatchObject({ status: 400, body: { code, details: { api_name: name } } });
  });

  test('needs the scope of its own family', async () => {
    const narrow = await app.colleague({ scopes: ['ZohoCRM.modules.ALL'] });
    const answer = await narrow.call('POST', '/crm/v8/Leads/actions/mass_delete', { ids: ['1'] });
    expect(answer).toMatchObject({ status: 401, body: { code: 'OAUTH_SCOPE_MISMATCH' } });
  });
});

describe('tags', () => {
  test('of a module that the caller may not use are not there to remove', async () => {
    const made = await call('POST', 'settings/tags?module=Deals', { tags: [{ name: 'hot' }] });
    const path = `/crm/v8/settings/tags/${at(made.body, 'tags', 0, 'details', 'id')}`;
    const denied = await app.colleague({ deniedModules: ['Deals'] });
    expect((await denied.call('DELETE', path)).status).toBe(400);
    expect((await app.owner.call('DELETE', path)).status).toBe(200);
  });

  test('are made, renamed, counted, put on records and taken off', async () => {
    const made = await call('POST', 'settings/tags?module=Deals', { tags: [{ name: 'hot', color_code: '#57B1FD' }] });
    expect(made).toMatchObject({
      status: 201,
      body: {
        tags: [
          { code: 'SUCCESS', details: { name: 'hot', color_code: '#57B1FD' }, message: 'tags created successfully' },
        ],
      },
    });
    const tag = at(made.body, 'tags', 0, 'details', 'id');
    const twice = await call('POST', 'settings/tags?module=Deals', { tags: [{ name: 'HOT' }] });
    expect(twice).toMatchObject({ status: 400, body: { tags: [{ code: 'DUPLICATE_DATA', details: { id: tag } }] } });

    const deal = await one('Deals', { Deal_Name: 'D', Stage: 'Qualification' });
    const added = await call('POST', `Deals/${deal}/actions/add_tags`, { tags: [{ name: 'Hot' }, { name: 'new' }] });
    expect(added).toMatchObject({
      status: 200,
      body: {
        data: [
          {
            details: { id: deal, tags: [{ id: tag, name: 'hot' }, { name: 'new' }] },
            message: 'tags updated successfully',
          },
        ],
        success_count: '1',
      },
    });
    await call('PUT', `settings/tags/${tag}?module=Deals`, { tags: [{ name: 'warm' }] });
    expect(await read('Deals', deal)).toMatchObject({ Tag: [{ name: 'warm', id: tag }, { name: 'new' }] });
    expect((await call('GET', `settings/tags/${tag}/actions/records_count?module=Deals`)).body).toEqual({ count: '1' });

    await call('POST', `Deals/actions/add_tags?ids=${deal}&tag_names=only&over_write=true`);
    expect(await read('Deals', deal)).toMatchObject({ Tag: [{ name: 'only' }] });
    await call('POST', `Deals/actions/remove_tags?ids=${deal}&tag_names=ONLY`);
    expect(await read('Deals', deal)).toMatchObject({ Tag: [] });

    await call('POST', `Deals/${deal}/actions/add_tags`, { tags: [{ name: 'warm' }] });
    expect((await call('DELETE', `settings/tags/${tag}`)).body).toMatchObject({ tags: [{ details: { id: tag } }] });
    expect(await read('Deals', deal)).toMatchObject({ Tag: [] });
    const { body } = await call('GET', 'settings/tags?module=Deals');
    expect((body as { tags: { name: string }[] }).tags.map(({ name }) => name)).toEqual(['new', 'only']);
  });

  test('belong to a module and an organisation, and a record has at most ten', async () => {
    const [lead] = await create('Leads', ...leads(1));
    const eleven = Array.from({ length: 11 }, (_, i) => ({ name: `n${i}` }));
    const answer = await call('POST', `Leads/${lead}/actions/add_tags`, { tags: eleven });
    expect(answer).toMatchObject({
      status: 400,
      body: { data: [{ details: { maximum_length: 10, api_name: 'tags' } }] },
    });
    expect((await call('GET', 'settings/tags?module=Leads')).status).toBe(204);
    await call('POST', `Leads/${lead}/actions/add_tags`, { tags: eleven.slice(1) });
    expect((await call('GET', 'settings/tags?module=Cases')).status).toBe(204);
    const stranger = await app.stranger();
    expect((await stranger.call('GET', '/crm/v8/settings/tags?module=Leads')).status).toBe(204);
  });

  test.each([
    ['no tags', {}, 'MANDATORY_NOT_FOUND', 'tags'],
    ['no name', { tags: [{}] }, 'MANDATORY_NOT_FOUND', 'name'],
    ['a long name', { tags: [{ name: 'x'.repeat(26) }] }, 'INVALID_DATA', 'name'],
    ['a colour that is none', { tags: [{ name: 'x', color_code: 'red' }] }, 'INVALID_DATA', 'color_code'],
  ])('with %s are refused by name', async (_case, body, code, name) => {
    const answer = await call('POST', 'settings/tags?module=Leads', body);
    expect(answer).toMatchObject({ status: 400, body: { code, details: { api_name: name } } });
  });
});

describe('related records', () => {
  test('are those that point at a record: in pages, sorted, with the fields asked for', async () => {
    const account = await one('Accounts', { Account_Name: 'A' });
    const ids = await create(
      'Contacts',
      ...Array.from({ length: 5 }, (_, i) => ({ Last_Name: `C${i}`, Account_Name: { id: account } })),
    );
    await create('Contacts', { Last_Name: 'Elsewhere' });
    const list = async (query: string) => {
      const { status, body } = await call('GET', `Accounts/${account}/Contacts?fields=Last_Name&${query}`);
      const found = body as { data: { id: string }[]; info: object } | undefined;
      return { status, ids: found?.data.map(({ id }) => id), info: found?.info };
    };
    expect(await list('per_page=2&page=2')).toEqual({
      status: 200,
      ids: [ids[2], ids[1]],
      info: { per_page: 2, count: 2, page: 2, more_records: true },
    });
    expect((await list('sort_by=Created_Time&sort_order=asc')).ids).toEqual(ids);
    app.clock.advance(1000);
    await call('PUT', `Contacts/${ids[2]}`, { data: [{ City: 'x', Mailing_City: 'Pune' }] });
    expect((await list('sort_by=Modified_Time')).ids?.[0]).toBe(ids[2]);
    expect((await call('GET', `Accounts/${account}/Contacts/${ids[0]}`)).status).toBe(200);
    expect((await call('GET', `Accounts/${account}/Deals`)).status).toBe(204);
    expect(await call('GET', `Accounts/${account}/Contacts?sort_by=Last_Name`)).toMatchObject({ status: 400 });
    expect(await call('GET', `Accounts/${account}/Leads`)).toMatchObject({
      status: 400,
      body: { message: 'the relation name given seems to be invalid' },
    });
    expect((await call('GET', `Accounts/${NO_SUCH_ID}/Contacts`)).status).toBe(400);
  });

  test('are linked and unlinked; one that is not linked is refused', async () => {
    const [a, b] = await create('Accounts', { Account_Name: 'A1' }, { Account_Name: 'B1' });
    const contact = await one('Contacts', { Last_Name: 'C', Account_Name: { id: a } });
    const linked = await call('PUT', `Accounts/${b}/Contacts`, { data: [{ id: contact, Mailing_City: 'Pune' }] });
    expect(linked).toMatchObject({
      status: 200,
      body: { data: [{ message: 'relation added', details: { id: contact } }] },
    });
    expect(await read('Contacts', contact)).toMatchObject({ Account_Name: { id: b }, Mailing_City: 'Pune' });
    expect((await call('DELETE', `Accounts/${a}/Contacts?ids=${contact}`)).status).toBe(400);
    const unlinked = await call('DELETE', `Accounts/${b}/Contacts?ids=${contact}`);
    expect(unlinked).toMatchObject({ status: 200, body: { data: [{ message: 'relation removed' }] } });
    expect(await read('Contacts', contact)).toMatchObject({ Account_Name: null });
    expect((await call('POST', `Accounts/${b}/Contacts`, { data: [{ Last_Name: 'x' }] })).status).toBe(400);
  });

  test('need the right to the related module', async () => {
    const account = await one('Accounts', { Account_Name: 'R' });
    const denied = await app.colleague({ deniedModules: ['Contacts'] });
    expect((await denied.call('GET', `/crm/v8/Accounts/${account}/Contacts`)).status).toBe(403);
    const narrow = await app.colleague({ scopes: ['ZohoCRM.modules.Accounts.ALL'] });
    expect((await narrow.call('GET', `/crm/v8/Accounts/${account}/Contacts`)).status).toBe(401);
    const stranger = await app.stranger();
    expect((await stranger.call('GET', `/crm/v8/Accounts/${account}/Contacts`)).status).toBe(400);
  });

  test('notes say of which module their parent is', async () => {
    const lead = await one('Leads', { Last_Name: 'N', Company: 'C' });
    const { body } = await call('POST', `Leads/${lead}/Notes`, { data: [{ Note_Title: 'T', Note_Content: 'x' }] });
    const note = at(body, 'data', 0, 'details', 'id');
    expect(await read('Notes', note)).toMatchObject({
      Parent_Id: { module: { api_name: 'Leads' }, name: 'N', id: lead },
      $se_module: 'Leads',
    });
    expect((await call('DELETE', `Leads/${lead}/Notes/${note}`)).body).toMatchObject({
      data: [{ message: 'record deleted' }],
    });
  });
});

describe('owners', () => {
  test.each([
    ['no owner', {}, 'MANDATORY_NOT_FOUND'],
    [
      'a module whose records point elsewhere',
      { owner: { id: '1' }, related_modules: [{ api_name: 'Leads' }] },
      'INVALID_DATA',
    ],
  ])('with %s: refused as a whole', async (_case, body, code) => {
    const [lead] = await create('Leads', ...leads(1));
    expect(await call('POST', `Leads/${lead}/actions/change_owner`, body)).toMatchObject({
      status: 400,
      body: { code },
    });
  });

  test('one who is no user is refused in the entry', async () => {
    const [lead] = await create('Leads', ...leads(1));
    const answer = await call('POST', `Leads/${lead}/actions/change_owner`, { owner: { id: NO_SUCH_ID } });
    expect(answer).toMatchObject({ status: 400, body: { data: [{ code: 'INVALID_DATA' }] } });
  });
});

describe('rows of a subform', () => {
  test('are changed by id, added, removed; v2 puts the given ones in the place of all', async () => {
    const product = await one('Products', { Product_Name: 'P' });
    const account = await one('Accounts', { Account_Name: 'S' });
    const item = { Product_Name: { id: product }, Quantity: 1 };
    const quote = await one('Quotes', { Subject: 'Q', Account_Name: { id: account }, Quoted_Items: [item, item] });
    const rows = async () => (await read('Quotes', quote)).Quoted_Items as { id: string; Quantity: number }[];
    const [first, second] = await rows();
    expect(await rows()).toMatchObject([{ Product_Name: { id: product, name: 'P' }, Quantity: 1 }, {}]);
    const put = (version: string, items: object[]) =>
      app.owner.call('PUT', `/crm/${version}/Quotes/${quote}`, { data: [{ Quoted_Items: items }] });
    await put('v8', [
      { id: first?.id, Quantity: 5 },
      { ...item, Quantity: 7 },
    ]);
    expect((await rows()).map(({ Quantity }) => Quantity)).toEqual([5, 1, 7]);
    await put('v8', [{ id: second?.id, _delete: null }]);
    expect((await rows()).map(({ Quantity }) => Quantity)).toEqual([5, 7]);
    await put('v2', [{ id: first?.id, Quantity: 6 }]);
    expect((await rows()).map(({ Quantity }) => Quantity)).toEqual([6]);
    expect(await put('v8', [{ id: NO_SUCH_ID, Quantity: 1 }])).toMatchObject({
      status: 400,
      body: { data: [{ details: { api_name: 'id', json_path: '$.data[0].Quoted_Items[0].id' } }] },
    });
    expect(await put('v8', [{ Quantity: 1 }])).toMatchObject({
      body: { data: [{ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Product_Name' } }] },
    });
    expect(await put('v8', [{ Product_Name: { id: NO_SUCH_ID }, Quantity: 1 }])).toMatchObject({ status: 400 });
    await put('v8', []);
    expect((await read('Quotes', quote)).Quoted_Items).toBeNull();
  });

  test('participants are shown with their names', async () => {
    const contact = await one('Contacts', { Last_Name: 'Guest' });
    const event = await one('Events', {
      Event_Title: 'E',
      Start_DateTime: '2026-05-01T10:00:00Z',
      End_DateTime: '2026-05-01T11:00:00Z',
      Participants: [
        { type: 'contact', participant: contact },
        { type: 'email', participant: 'guest@example.com' },
      ],
    });
    expect((await read('Events', event)).Participants).toMatchObject([
      { type: 'contact', participant: contact, name: 'Guest', invited: false, status: 'not_known' },
      { type: 'email', participant: 'guest@example.com', Email: 'guest@example.com' },
    ]);
    const wrong = await call('PUT', `Events/${event}`, {
      data: [{ Participants: [{ type: 'contact', participant: 'someone' }] }],
    });
    expect(wrong).toMatchObject({ status: 400, body: { data: [{ details: { api_name: 'participant' } }] } });
  });
});

describe('external ids', () => {
  test('name records in paths, parameters and bodies', async () => {
    const added = await fetch(`${app.base}/_watchbell/v1/orgs/3652397/modules/Leads/fields`, {
      method: 'POST',
      headers: { authorization: 'Bearer dev-admin' },
      body: JSON.stringify({ api_name: 'Serial', type: 'text', external: 'org' }),
    });
    expect(added.status, await added.text()).toBe(201);
    const id = await one('Leads', { Last_Name: 'X', Company: 'C', Serial: 'S-1' });
    const EXTERNAL = 'Leads.Serial';
    expect((await sendExternal('GET', 'Leads/s-1', EXTERNAL)).body).toMatchObject({ data: [{ id }] });
    expect((await sendExternal('GET', 'Leads/S-2', EXTERNAL)).status).toBe(204);
    expect((await sendExternal('PUT', 'Leads/S-1', EXTERNAL, { data: [{ City: 'A' }] })).status).toBe(200);
    expect((await sendExternal('PUT', 'Leads', EXTERNAL, { data: [{ Serial: 'S-1', Phone: '1' }] })).status).toBe(200);
    expect(await read('Leads', id)).toMatchObject({ City: 'A', Phone: '1', Serial: 'S-1' });
    expect(await sendExternal('PUT', 'Leads', EXTERNAL, { data: [{ Serial: 'S-9' }, { City: 'B' }] })).toMatchObject({
      status: 400,
      body: { data: [{ details: { api_name: 'Serial' } }, { code: 'MANDATORY_NOT_FOUND' }] },
    });
    expect((await sendExternal('POST', 'Leads/S-1/Notes', EXTERNAL, { data: [{ Note_Content: 'n' }] })).status).toBe(
      201,
    );
    expect((await sendExternal('GET', 'Leads/S-1/Notes', EXTERNAL)).status).toBe(200);
    expect(await sendExternal('DELETE', 'Leads?ids=S-1,S-9', EXTERNAL)).toMatchObject({
      status: 207,
      body: { data: [{ details: { id } }, { code: 'INVALID_DATA' }] },
    });
  });

  test.each(['Leads.Last_Name', 'Leads.Nothing', 'Leads', 'Contacts.Serial', 'x'])(
    'the header %s names none and is refused',
    async (header) => {
      expect(await sendExternal('GET', 'Leads/S-1', header)).toMatchObject({
        status: 400,
        body: { details: { api_name: 'X-EXTERNAL' } },
      });
    },
  );
});
