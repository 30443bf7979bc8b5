import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, at, type LiveApp, startLiveApp } from '../support/live-app.ts';

const ORG = '3652397';

let app: LiveApp;
afterEach(() => app.stop());

async function admin(method: string, path: string, body?: unknown, token = 'dev-admin'): Promise<Answer> {
  const response = await fetch(`${app.base}/_watchbell/v1/orgs/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const machines = {
  api_name: 'Machines',
  singular: 'Machine',
  plural: 'Machines',
  fields: [
    { api_name: 'Serial_Number', type: 'text', length: 20, unique: true },
    { api_name: 'State', type: 'picklist', pick_list: ['Ordered', 'Running'] },
    { api_name: 'Site', type: 'lookup', lookup: 'Accounts' },
  ],
};

const create = (module: string, ...data: object[]) => app.owner.call('POST', `/crm/v8/${module}`, { data });
const read = async (module: string, id: string) =>
  (await app.owner.call('GET', `/crm/v8/${module}/${id}`)).body as { data: [Record<string, unknown>] };

interface Notification {
  readonly operation: string;
  readonly module: string;
  readonly ids: string[];
  readonly affected_fields: unknown;
}

/** Notifications of one channel, once there are so many. */
async function inbox(name: string, count: number): Promise<Notification[]> {
  const response = await fetch(`${app.base}/_watchbell/v1/inbox/${name}?wait=10&count=${count}`, {
    headers: { authorization: 'Bearer dev-admin' },
  });
  const { messages } = (await response.json()) as { messages: { body: Notification }[] };
  return messages.map(({ body }) => body);
}

describe('a module that the operator adds', () => {
  test('is known, takes records and notifies at once', async () => {
    app = await startLiveApp();
    // Signed in and believed before the module was there.
    expect((await create('Machines', { Name: 'Press' })).body).toMatchObject({ code: 'INVALID_MODULE' });
    const added = await admin('POST', `${ORG}/modules`, machines);
    expect(added).toMatchObject({
      status: 201,
      body: { api_name: 'Machines', id: `${ORG}000000003001`, custom: true },
    });

    const watch = [
      {
        channel_id: '1',
        events: ['Machines.all'],
        notify_url: `${app.base}/_watchbell/inbox/machines`,
        notification_condition: [
          {
            type: 'field_selection',
            module: { api_name: 'Machines' },
            field_selection: { field: { api_name: 'State' } },
          },
        ],
      },
    ];
    expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);

    const account = at((await create('Accounts', { Account_Name: 'Plant 7' })).body, 'data', 0, 'details', 'id');
    const made = await create('Machines', { Name: 'Press', Serial_Number: 'A1', State: 'Ordered', Site: account });
    expect(made.status).toBe(201);
    const id = at(made.body, 'data', 0, 'details', 'id');
    expect((await read('Machines', id)).data[0]).toMatchObject({
      Name: 'Press',
      Serial_Number: 'A1',
      Site: { id: account, name: 'Plant 7' },
      Tag: [],
      Locked__s: false,
    });
    // Outside the condition, then within it.
    await app.owner.call('PUT', `/crm/v8/Machines/${id}`, { data: [{ Name: 'Big press' }] });
    await app.owner.call('PUT', `/crm/v8/Machines/${id}`, { data: [{ State: 'Running' }] });
    await app.owner.call('DELETE', `/crm/v8/Machines/${id}`);
    expect(await inbox('machines', 3)).toMatchObject([
      { operation: 'insert', module: 'Machines', ids: [id] },
      { operation: 'update', affected_fields: [{ [id]: ['State'] }] },
      { operation: 'delete', ids: [id] },
    ]);
  });

  test('is in the metadata as custom, and asked for by time only when it is newer', async () => {
    app = await startLiveApp();
    const before = new Date(app.clock.now() - 1000).toISOString();
    await admin('POST', `${ORG}/modules`, machines);
    await admin('POST', `${ORG}/modules/Leads/fields`, { api_name: 'Region', type: 'text' });
    const since = async (time: string) => {
      const response = await fetch(`${app.base}/crm/v8/settings/modules`, {
        headers: { authorization: `Zoho-oauthtoken ${app.owner.accessToken}`, 'if-modified-since': time },
      });
      if (response.status !== 200) return response.status;
      const { modules } = (await response.json()) as { modules: { api_name: string }[] };
      return modules.map((module) => module.api_name);
    };
    expect(await since(before)).toEqual(['Leads', 'Machines']);
    expect(await since(new Date(app.clock.now() + 1000).toUTCString())).toBe(304);
    const { body } = await app.owner.call('GET', '/crm/v8/settings/modules/Machines');
    expect(body).toMatchObject({
      modules: [
        {
          api_name: 'Machines',
          generated_type: 'custom',
          api_supported: true,
          modified_time: expect.stringContaining(new Date(app.clock.now()).toISOString().slice(0, 16)),
        },
      ],
    });
    const fields = await app.owner.call('GET', '/crm/v8/settings/fields?module=Machines');
    const named = (fields.body as { fields: { api_name: string }[] }).fields;
    expect(named.find((field) => field.api_name === 'Site')).toMatchObject({
      custom_field: true,
      data_type: 'lookup',
      lookup: { module: { api_name: 'Accounts' } },
    });
    expect(named.find((field) => field.api_name === 'Name')).toMatchObject({
      custom_field: false,
      display_field: true,
    });
  });

  test('keeps a unique field unique, finds by it in an upsert, and all of it over a restart', async () => {
    app = await startLiveApp();
    await admin('POST', `${ORG}/modules`, machines);
    const first = at(
      (await create('Machines', { Name: 'Press', Serial_Number: 'A1' })).body,
      'data',
      0,
      'details',
      'id',
    );
    app = await app.restart();
    expect((await create('Machines', { Name: 'Other', Serial_Number: 'a1' })).body).toMatchObject({
      data: [{ code: 'DUPLICATE_DATA', details: { api_name: 'Serial_Number', id: first } }],
    });
    const upserted = await app.owner.call('POST', '/crm/v8/Machines/upsert', {
      data: [{ Name: 'Press 2', Serial_Number: 'A1' }],
      duplicate_check_fields: ['Serial_Number'],
    });
    expect(upserted.body).toMatchObject({ data: [{ action: 'update', duplicate_field: 'Serial_Number' }] });
    expect((await create('Machines', { Name: 'X', State: 'Lost' })).body).toMatchObject({
      data: [{ code: 'INVALID_DATA', details: { api_name: 'State', supported_values: ['Ordered', 'Running'] } }],
    });
    expect((await create('Machines', { Serial_Number: 'B1' })).body).toMatchObject({
      data: [{ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Name' } }],
    });
  });

  test('is pointed at from a standard module, whose records it tells of what happens to them', async () => {
    app = await startLiveApp();
    await admin('POST', `${ORG}/modules`, machines);
    await admin('POST', `${ORG}/modules/Cases/fields`, { api_name: 'Machine', type: 'lookup', lookup: 'Machines' });
    const machine = at((await create('Machines', { Name: 'Press' })).body, 'data', 0, 'details', 'id');
    const watch = [
      {
        channel_id: '2',
        events: ['Machines.edit'],
        notify_on_related_action: true,
        notify_url: `${app.base}/_watchbell/inbox/related`,
      },
    ];
    await app.owner.call('POST', '/crm/v8/actions/watch', { watch });
    await create('Cases', { Subject: 'It leaks', Status: 'New', Case_Origin: 'Phone', Machine: machine });
    expect(await inbox('related', 1)).toMatchObject([{ operation: 'update', module: 'Machines', ids: [machine] }]);
    const lists = await app.owner.call('GET', '/crm/v8/settings/related_lists?module=Machines');
    expect((lists.body as { related_lists: { api_name: string }[] }).related_lists).toEqual(
      expect.arrayContaining([expect.objectContaining({ api_name: 'Cases' })]),
    );
  });

  test('can be denied to a profile like any other', async () => {
    app = await startLiveApp();
    await admin('POST', `${ORG}/modules`, machines);
    const colleague = await app.colleague({ deniedModules: ['Machines'] });
    expect((await colleague.call('GET', '/crm/v8/Machines?fields=Name')).status).toBe(403);
    expect((await colleague.call('GET', '/crm/v8/settings/modules/Machines')).status).toBe(403);
  });

  test('is of its organisation only', async () => {
    app = await startLiveApp();
    await admin('POST', `${ORG}/modules`, machines);
    const stranger = await app.stranger();
    expect((await stranger.call('POST', '/crm/v8/Machines', { data: [{ Name: 'Mine' }] })).body).toMatchObject({
      code: 'INVALID_MODULE',
    });
  });
});

describe('changing modules', () => {
  test('and fields holds from the next call on, and removing them too', async () => {
    app = await startLiveApp();
    await admin('POST', `${ORG}/modules`, machines);
    const id = at((await create('Machines', { Name: 'Press', State: 'Ordered' })).body, 'data', 0, 'details', 'id');
    await admin('PATCH', `${ORG}/modules/Machines/fields/State`, { label: 'Stage', pick_list: ['Scrapped'] });
    expect((await create('Machines', { Name: 'P', State: 'Scrapped' })).status).toBe(201);
    expect((await create('Machines', { Name: 'P', State: 'Ordered' })).status).toBe(400);
    expect(await admin('PATCH', `${ORG}/modules/Machines`, { plural: 'Plant' })).toMatchObject({
      body: { singular: 'Machine', plural: 'Plant' },
    });
    expect(await admin('DELETE', `${ORG}/modules/Machines`)).toMatchObject({ status: 400 });
    expect(await admin('DELETE', `${ORG}/modules/Machines/fields/State`)).toMatchObject({ status: 200 });
    expect((await read('Machines', id)).data[0]).not.toHaveProperty('State');
  });

  test('a removed module is answered like one that never was, also by channels that asked for it', async () => {
    app = await startLiveApp();
    await admin('POST', `${ORG}/modules`, machines);
    const condition = {
      type: 'field_selection',
      module: { api_name: 'Machines' },
      field_selection: { field: { api_name: 'State' } },
    };
    const watch = [
      {
        channel_id: '3',
        events: ['Machines.all', 'Leads.create'],
        notify_url: `${app.base}/_watchbell/inbox/gone`,
        notification_condition: [condition],
      },
    ];
    await app.owner.call('POST', '/crm/v8/actions/watch', { watch });
    const before = await app.owner.call('GET', '/crm/v8/actions/watch');
    expect(before.status).toBe(200);
    expect(await admin('DELETE', `${ORG}/modules/Machines/fields/State`)).toMatchObject({ status: 200 });
    expect(await admin('DELETE', `${ORG}/modules/Machines`)).toMatchObject({ status: 200 });
    expect((await create('Machines', { Name: 'Press' })).body).toMatchObject({ code: 'INVALID_MODULE' });
    expect(await app.owner.call('GET', '/crm/v8/actions/watch')).toEqual(before);
    await create('Leads', { Last_Name: 'Pritchett', Company: 'Closets' });
    expect(await inbox('gone', 1)).toMatchObject([{ module: 'Leads', operation: 'insert' }]);
    const prune = { watch: [{ channel_id: '3', events: ['Machines.all'], _delete_events: true }] };
    expect((await app.owner.call('PATCH', '/crm/v8/actions/watch', prune)).status).toBe(200);
    const left = (await app.owner.call('GET', '/crm/v8/actions/watch')).body as { watch: object[] };
    expect(left.watch).toMatchObject([{ resource_name: 'Leads', events: ['Leads.create'] }]);
    expect(await app.owner.call('PATCH', '/crm/v8/actions/watch', prune)).toMatchObject({
      status: 400,
      body: { watch: [{ code: 'NOT_SUBSCRIBED' }] },
    });
    expect((await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=3')).status).toBe(200);
  });

  test('while records are written leaves no record in a module that is gone', async () => {
    app = await startLiveApp();
    for (let round = 0; round < 5; round += 1) {
      const name = `Round${round}`;
      await admin('POST', `${ORG}/modules`, { ...machines, api_name: name });
      const calls: Promise<Answer>[] = [];
      for (let i = 0; i < 20; i += 1) calls.push(create(name, { Name: `N${i}`, Serial_Number: `S${i}` }));
      const removing = admin('DELETE', `${ORG}/modules/${name}`);
      for (let i = 20; i < 30; i += 1) calls.push(create(name, { Name: `N${i}` }));
      const statuses = (await Promise.all(calls)).map(({ status }) => status);
      const isRemoved = (await removing).status === 200;
      expect(new Set(statuses)).toEqual(new Set([isRemoved ? 400 : 201]));
      const known = await admin('GET', `${ORG}/modules/${name}`);
      expect(known.status).toBe(isRemoved ? 404 : 200);
    }
  });

  test('a unique field that is added among writes lets no two records share its value', async () => {
    app = await startLiveApp();
    await admin('POST', `${ORG}/modules`, { ...machines, fields: [] });
    const calls: Promise<Answer>[] = [];
    const adding = admin('POST', `${ORG}/modules/Machines/fields`, { api_name: 'Code', type: 'text', unique: true });
    for (let i = 0; i < 40; i += 1) calls.push(create('Machines', { Name: `N${i}`, Code: 'same' }));
    expect((await adding).status).toBe(201);
    await Promise.all(calls);
    const { body } = await app.owner.call('GET', '/crm/v8/Machines?fields=Name,Code');
    const codes = (body as { data: { Code: string | null }[] }).data.filter(({ Code }) => Code !== null);
    expect(codes.length).toBeLessThanOrEqual(1);
    await create('Machines', { Name: 'Last', Code: 'same' });
    expect((await create('Machines', { Name: 'Too late', Code: 'same' })).body).toMatchObject({
      data: [{ code: 'DUPLICATE_DATA' }],
    });
  });
});

describe('the operator', () => {
  test.each([
    ['no such organisation', 'POST', '4000001/modules', machines, 404],
    ['an id that is none', 'GET', 'abc/modules', undefined, 400],
    ['a key that does not exist', 'POST', `${ORG}/modules`, { ...machines, colour: 'red' }, 400],
    ['a type that does not exist', 'POST', `${ORG}/modules/Leads/fields`, { api_name: 'A', type: 'rainbow' }, 400],
    ['a number for a text', 'POST', `${ORG}/modules`, { ...machines, singular: 5 }, 400],
    ['a text for a truth', 'POST', `${ORG}/modules/Leads/fields`, { api_name: 'A', type: 'text', unique: 'true' }, 400],
    ['no name', 'POST', `${ORG}/modules/Leads/fields`, { type: 'text' }, 400],
    ['a name that is taken', 'POST', `${ORG}/modules/Leads/fields`, { api_name: 'Email', type: 'text' }, 400],
    ['a module that is not there', 'POST', `${ORG}/modules/Nope/fields`, { api_name: 'A', type: 'text' }, 404],
    ['a standard module', 'DELETE', `${ORG}/modules/Leads`, undefined, 400],
  ])('is told what is wrong: %s', async (_, method, path, body, status) => {
    app = await startLiveApp();
    const answer = await admin(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status: 'error', message: expect.any(String) });
  });

  test('must be one, of this organisation', async () => {
    app = await startLiveApp();
    const other = await app.app.accounts.setup({
      orgName: 'Elsewhere',
      timeZone: 'UTC',
      email: 'else@example.com',
      firstName: '',
      lastName: 'Else',
      clientName: 'Test',
    });
    expect(await admin('POST', `${ORG}/modules`, machines, 'wrong')).toMatchObject({ status: 401 });
    expect(await admin('POST', `${ORG}/modules`, machines, app.owner.accessToken)).toMatchObject({ status: 401 });
    expect(await admin('POST', `${ORG}/modules`, machines, other.adminToken)).toMatchObject({ status: 403 });
  });
});

describe('a module file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'watchbell-modules-'));
  const path = join(dir, 'modules.json');
  const start = async (content: unknown, dataDir?: string) => {
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    onTestFinished(() => rmSync(path, { force: true }));
    return startLiveApp({ flags: { modules: path }, ...(dataDir && { dataDir }) });
  };
  const wanted = { modules: [machines, { api_name: 'Leads', fields: [{ api_name: 'Region', type: 'text' }] }] };

  test('gives the sample organisation its modules, and changes nothing when it is read again', async () => {
    app = await start(wanted);
    expect((await create('Machines', { Name: 'Press', Serial_Number: 'A1' })).status).toBe(201);
    const listed = await admin('GET', `${ORG}/modules`);
    app.clock.advance(60_000);
    app = await app.restart();
    expect(await admin('GET', `${ORG}/modules`)).toEqual(listed);
    const { body } = await app.owner.call('GET', '/crm/v8/settings/modules/Machines');
    expect(at(body, 'modules', 0, 'modified_time')).toContain(
      new Date(app.clock.now() - 60_000).toISOString().slice(0, 16),
    );
  });

  test('may name modules that stand further down, and grow', async () => {
    const sites = { api_name: 'Sites', fields: [{ api_name: 'Machine', type: 'lookup', lookup: 'Machines' }] };
    app = await start({ modules: [sites, machines] });
    const more = { ...machines, plural: 'Plant', fields: [...machines.fields, { api_name: 'Weight', type: 'double' }] };
    writeFileSync(path, JSON.stringify({ modules: [sites, more] }));
    app = await app.restart();
    const { body } = await admin('GET', `${ORG}/modules/Machines`);
    expect(body).toMatchObject({ plural: 'Plant' });
    expect((body as { fields: { api_name: string }[] }).fields.at(-1)).toMatchObject({ api_name: 'Weight' });
  });

  test('may declare modules external, which point at each other in any order', async () => {
    const orders = {
      api_name: 'Orders',
      external: true,
      fields: [{ api_name: 'Buyer', type: 'lookup', lookup: 'Buyers' }],
    };
    app = await start({ modules: [orders, { api_name: 'Buyers', external: true }, machines] });
    const shown = () => Promise.all(['Orders', 'Machines'].map((name) => admin('GET', `${ORG}/modules/${name}`)));
    const before = await shown();
    expect(before).toMatchObject([{ body: { external: true } }, { body: { external: false } }]);
    // What is left out, and what is as it was, changes nothing.
    writeFileSync(path, JSON.stringify({ modules: [{ api_name: 'Orders' }, { ...machines, external: false }] }));
    app = await app.restart();
    expect(await shown()).toEqual(before);
  });

  test.each([
    ['{', 'cannot be read'],
    [{ modules: [{ api_name: 'Leads', external: true }] }, '$.modules[0].external'],
    [{ modules: [machines, { ...machines, external: true }] }, '$.modules[1].external'],
    [{ modules: [{ api_name: 5 }] }, '/modules/0/api_name'],
    [{ modules: [], colour: 'red' }, '/colour is no key'],
    [
      { modules: [{ api_name: 'Leads', fields: [{ api_name: 'Email', type: 'text' }] }] },
      '$.modules[0].fields[0].type',
    ],
    [{ modules: [{ api_name: 'A_', fields: [] }] }, 'api_name'],
    [{ org: '4000001', modules: [machines] }, 'no such org'],
    [
      { modules: [machines, { api_name: 'Machines', fields: [{ ...machines.fields[0], length: 10 }] }] },
      '$.modules[1].fields[0].length',
    ],
  ])('that is wrong stops the start and says what: %j', async (content, message) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-modules-data-'));
    await expect(start(content, dataDir)).rejects.toThrow(message);
    rmSync(dataDir, { recursive: true, force: true });
    app = await startLiveApp();
  });
});
