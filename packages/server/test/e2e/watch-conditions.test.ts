import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
});

afterEach(async () => {
  await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
});

afterAll(async () => {
  await app.stop();
  await receiver.close();
});

type Version = 'v6' | 'v7' | 'v8';
const VERSIONS: readonly Version[] = ['v6', 'v7', 'v8'];

const field = (api_name: string) => ({ field: { api_name } });
const or = (...group: object[]) => ({ group_operator: 'or', group });
const and = (...group: object[]) => ({ group_operator: 'and', group });
const on = (field_selection: object, module = 'Leads') => ({
  type: 'field_selection',
  module: { api_name: module },
  field_selection,
});

async function watch(method: string, more: object, version: Version = 'v8'): Promise<void> {
  const { status, body } = await app.owner.call(method, `/crm/${version}/actions/watch`, {
    watch: [{ channel_id: '1', ...more }],
  });
  expect(body).toMatchObject({ watch: [{ code: 'SUCCESS' }] });
  expect(status).toBe(method === 'POST' ? 201 : 200);
}
const open = (events: readonly string[], conditions: readonly object[], version: Version = 'v8') =>
  watch('POST', { events, notify_url: receiver.origin, notification_condition: conditions }, version);

async function write(method: string, path: string, ...data: object[]): Promise<string> {
  const { status, body } = await app.owner.call(method, `/crm/v8/${path}`, data.length > 0 ? { data } : undefined);
  expect(status).toBe(method === 'POST' ? 201 : 200);
  return at(body, 'data', 0, 'details', 'id');
}
const createLead = () => write('POST', 'Leads', { Last_Name: 'Boyle', Company: 'Zylker' });

/** Module and operation of what came since the last look, in order. */
async function came(): Promise<string[]> {
  await app.app.idle();
  const bodies = receiver.received.slice(looked).map(({ body }) => body);
  looked += bodies.length;
  return bodies.map(({ module, operation }) => `${module} ${operation}`);
}
let looked = 0;
const UPDATE = ['Leads update'];

describe.each(VERSIONS)('which updates count, on %s', (version) => {
  const nested = or(field('Last_Name'), and(field('City'), field('Phone')));
  const fiveOf = or(field('City'), or(field('Phone'), or(field('Fax'), or(field('State'), field('Street')))));
  const tenAnd = (names: readonly string[]): object =>
    names.length === 1 ? field(names[0] ?? '') : and(field(names[0] ?? ''), tenAnd(names.slice(1)));
  const ten = ['City', 'Phone', 'Fax', 'State', 'Street', 'Country', 'Email', 'Mobile', 'Website', 'Description'];
  const all = {
    City: 'a',
    Phone: '1',
    Fax: '2',
    State: 'b',
    Street: 'c',
    Country: 'd',
    Email: `${version}@example.com`,
    Mobile: '3',
    Website: 'https://example.com/',
    Description: 'e',
  };
  const { Description: _left, ...nine } = all;

  test.each([
    ['a single field', field('Phone'), { Phone: '1' }, true],
    ['a single field, another', field('Phone'), { City: 'Pune' }, false],
    ['a single field among others', field('Phone'), { City: 'Pune', Phone: '1' }, true],
    ['a single field, emptied', field('Company'), { Company: 'New' }, true],
    ['a field written as it was', field('Company'), { Company: 'Zylker', City: 'Pune' }, false],
    ['or, one of two', or(field('City'), field('Phone')), { Phone: '1' }, true],
    ['or, both', or(field('City'), field('Phone')), { City: 'Pune', Phone: '1' }, true],
    ['or, neither', or(field('City'), field('Phone')), { Fax: '1' }, false],
    ['and, one of two', and(field('City'), field('Phone')), { Phone: '1' }, false],
    ['and, both', and(field('City'), field('Phone')), { City: 'Pune', Phone: '1' }, true],
    ['nested, the field outside', nested, { Last_Name: 'New' }, true],
    ['nested, one inside', nested, { City: 'Pune' }, false],
    ['nested, both inside', nested, { City: 'Pune', Phone: '1' }, true],
    ['five nested fields, the innermost', fiveOf, { Street: 'A' }, true],
    ['five nested fields, none', fiveOf, { Country: 'A' }, false],
    ['ten nested fields, nine of them', tenAnd(ten), nine, false],
    ['ten nested fields, all', tenAnd(ten), all, true],
  ])('%s', async (_what, selection, update, isTold) => {
    await open(['Leads.edit'], [on(selection)], version);
    await write('PUT', `Leads/${await createLead()}`, update);
    expect(await came()).toEqual(isTold ? UPDATE : []);
  });
});

describe('what a condition does not narrow', () => {
  test('inserts and deletes', async () => {
    await open(['Leads.all'], [on(field('Phone'))]);
    const lead = await createLead();
    await write('PUT', `Leads/${lead}`, { City: 'Pune' });
    await write('DELETE', `Leads/${lead}`);
    expect(await came()).toEqual(['Leads insert', 'Leads delete']);
  });

  test('records of a call that it does not let through are left out, and others told', async () => {
    await open(['Leads.edit'], [on(field('Phone'))]);
    const [one, two] = [await createLead(), await createLead()];
    await write('PUT', 'Leads', { id: one, City: 'Pune' }, { id: two, Phone: '1' });
    await came();
    expect(receiver.received.at(-1)?.body.ids).toEqual([two]);
  });

  test('other modules of the channel; each has its own', async () => {
    const events = ['Leads.edit', 'Products.edit', 'Vendors.edit'];
    await open(events, [on(field('Phone')), on(field('Description'), 'Products')]);
    const lead = await createLead();
    const product = await write('POST', 'Products', { Product_Name: 'A' });
    const vendor = await write('POST', 'Vendors', { Vendor_Name: 'A' });
    await write('PUT', `Leads/${lead}`, { Description: 'A' });
    await write('PUT', `Products/${product}`, { Description: 'A' });
    await write('PUT', `Vendors/${vendor}`, { Description: 'A' });
    expect(await came()).toEqual(['Products update', 'Vendors update']);
  });
});

describe('how long it stays', () => {
  const tells = async (fields: object) => {
    await write('PUT', `Leads/${await createLead()}`, fields);
    return (await came()).length > 0;
  };
  const tellsOf = async () => [await tells({ Phone: '1' }), await tells({ City: 'Pune' }), await tells({ Fax: '1' })];
  const EVENTS = ['Leads.edit'];

  test('PATCH keeps it, sets another, and takes it away with null or an empty list', async () => {
    await open(EVENTS, [on(field('Phone'))]);
    expect(await tellsOf()).toEqual([true, false, false]);
    await watch('PATCH', { token: 't' });
    expect(await tellsOf()).toEqual([true, false, false]);
    await watch('PATCH', { events: ['Contacts.edit'] });
    expect(await tellsOf()).toEqual([true, false, false]);
    await watch('PATCH', { notification_condition: [on(field('City'))] });
    expect(await tellsOf()).toEqual([false, true, false]);
    await watch('PATCH', { notification_condition: [] });
    expect(await tellsOf()).toEqual([true, true, true]);
    await watch('PATCH', { notification_condition: [on(field('Fax'))] });
    await watch('PATCH', { notification_condition: null });
    expect(await tellsOf()).toEqual([true, true, true]);
  });

  test('PATCH with one on another module takes the place of all there were', async () => {
    await open([...EVENTS, 'Products.edit'], [on(field('Phone'))]);
    await watch('PATCH', { notification_condition: [on(field('Description'), 'Products')] });
    expect(await tellsOf()).toEqual([true, true, true]);
    const product = await write('POST', 'Products', { Product_Name: 'A' });
    await write('PUT', `Products/${product}`, { Unit_Price: 5 });
    expect(await came()).toEqual([]);
  });

  test.each(['PUT', 'POST'])('%s without it drops it, and with another sets that', async (method) => {
    await open(EVENTS, [on(field('Phone'))]);
    const again = { events: EVENTS, notify_url: receiver.origin };
    await watch(method, { ...again, notification_condition: [on(field('City'))] });
    expect(await tellsOf()).toEqual([false, true, false]);
    await watch(method, again);
    expect(await tellsOf()).toEqual([true, true, true]);
  });

  test('PATCH of a version that has none keeps it', async () => {
    await open(EVENTS, [on(field('Phone'))]);
    const { status } = await app.owner.call('PATCH', '/crm/v3/actions/watch', {
      watch: [{ channel_id: '1', token: 't', notification_condition: [on(field('City'))] }],
    });
    expect(status).toBe(200);
    expect(await tellsOf()).toEqual([true, false, false]);
  });

  test('one for a module that is not watched is taken, not listed, and counts once the module is added', async () => {
    await open(['Products.edit'], [on(field('Phone'))]);
    expect(await tellsOf()).toEqual([false, false, false]);
    const conditions = async () => {
      const { body } = await app.owner.call('GET', '/crm/v8/actions/watch');
      return (body as { watch: { notification_condition: object | null }[] }).watch.map((row) =>
        row.notification_condition === null ? 'none' : at(row, 'notification_condition', 0, 'module', 'api_name'),
      );
    };
    expect(await conditions()).toEqual(['none']);
    await watch('PATCH', { events: EVENTS });
    expect(await conditions()).toEqual(['none', 'Leads']);
    expect(await tellsOf()).toEqual([true, false, false]);
  });
});

describe('how it is listed', () => {
  const listed = async (): Promise<{ notification_condition: unknown }> => {
    const { body } = await app.owner.call('GET', '/crm/v8/actions/watch');
    return (body as { watch: { notification_condition: unknown }[] }).watch[0] ?? { notification_condition: undefined };
  };
  interface Leaf {
    readonly field: { readonly api_name: string; readonly id: string };
  }

  test('asked for by names or by ids it reads the same, and can be given back as it is', async () => {
    await open(['Leads.edit'], [on(or(field('Phone'), and(field('City'), field('Fax'))))]);
    const row = await listed();
    const [shown] = row.notification_condition as {
      module: { id: string };
      field_selection: { group: [Leaf, { group: [Leaf, Leaf] }] };
    }[];
    const [phone, inner] = shown?.field_selection.group ?? [];
    const leaf = (one: Leaf | undefined, api_name: string) => ({
      field: { api_name, id: one?.field.id },
      group_operator: null,
      group: null,
    });
    expect(JSON.stringify(shown)).toBe(
      JSON.stringify({
        field_selection: {
          group_operator: 'or',
          group: [
            leaf(phone, 'Phone'),
            { group_operator: 'and', group: [leaf(inner?.group[0], 'City'), leaf(inner?.group[1], 'Fax')] },
          ],
        },
        module: { api_name: 'Leads', id: shown?.module.id },
        type: 'field_selection',
      }),
    );
    await watch('PUT', row);
    expect(await listed()).toEqual(row);

    const id = (one: Leaf | undefined) => ({ field: { id: one?.field.id } });
    const byIds = or(id(phone), and(id(inner?.group[0]), id(inner?.group[1])));
    const { module: _name, ...rest } = on(byIds);
    await watch('PUT', {
      events: ['Leads.edit'],
      notification_condition: [{ ...rest, module: { id: shown?.module.id } }],
    });
    expect((await listed()).notification_condition).toEqual(row.notification_condition);
  });

  test('a single field has no group around it', async () => {
    await open(['Leads.edit'], [on(field('Phone'))]);
    expect((await listed()).notification_condition).toMatchObject([
      { field_selection: { field: { api_name: 'Phone' }, group_operator: null, group: null } },
    ]);
  });

  test('fields are listed as a condition of each module that has them', async () => {
    await watch('POST', {
      events: ['Leads.edit', 'Deals.edit'],
      notify_url: receiver.origin,
      fields: ['Phone', 'City'],
    });
    expect(await listed()).toMatchObject({
      fields: null,
      notification_condition: [
        {
          field_selection: { group_operator: 'or', group: [field('Phone'), field('City')] },
          module: { api_name: 'Leads' },
        },
      ],
    });
  });
});
