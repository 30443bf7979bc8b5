import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { cells, page, tableRows } from './page.ts';

const TEXT = page('notifications.md');
const MODULES = STANDARD_CATALOG.modules.filter(({ hasRecords }) => hasRecords).map(({ apiName }) => apiName);

let app: LiveApp;
let receiver: Receiver;
let colleague: string;

beforeAll(async () => {
  app = await startLiveApp();
  receiver = await startReceiver();
  await app.colleague();
  const users = (await app.owner.call('GET', '/crm/v8/users?type=AllUsers')).body as { users: { id: string }[] };
  colleague = users.users.at(-1)?.id ?? '';
  const watch = [
    {
      channel_id: '1',
      events: MODULES.map((module) => `${module}.all`),
      notify_url: `${receiver.origin}/`,
      notify_on_related_action: true,
      channel_expiry: '2026-01-06T00:00:00Z',
    },
  ];
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
});
afterAll(async () => {
  await app.stop();
  await receiver.close();
});

type Ids = Record<string, string>;

async function create(module: string, values: object): Promise<string> {
  const { body } = await app.owner.call('POST', `/crm/v8/${module}`, { data: [values] });
  return at(body, 'data', 0, 'details', 'id');
}

/** The records that the page tells of, made anew for each row. */
async function makeRecords(): Promise<Ids> {
  const [parent, other, lead, lead2, product, vendor, campaign, service] = await Promise.all([
    create('Accounts', { Account_Name: 'Parent' }),
    create('Accounts', { Account_Name: 'Other' }),
    create('Leads', { Last_Name: 'Lead', Company: 'C' }),
    create('Leads', { Last_Name: 'Lead 2', Company: 'C' }),
    create('Products', { Product_Name: 'Product' }),
    create('Vendors', { Vendor_Name: 'Vendor' }),
    create('Campaigns', { Campaign_Name: 'Campaign' }),
    create('Services__s', { Service_Name: 'S', Duration: 30, Location: 'Business Address' }),
  ]);
  const account = await create('Accounts', { Account_Name: 'Account', Parent_Account: { id: parent } });
  const toAccount = { Account_Name: { id: account } };
  const line = { Product_Name: { id: product }, Quantity: 2 };
  const [contact, quote, event] = await Promise.all([
    create('Contacts', { Last_Name: 'Contact', ...toAccount }),
    create('Quotes', { Subject: 'Quote', ...toAccount, Quoted_Items: [line] }),
    create('Events', {
      Event_Title: 'Event',
      Start_DateTime: '2026-05-01T10:00:00Z',
      End_DateTime: '2026-05-01T11:00:00Z',
      What_Id: { id: account },
      $se_module: 'Accounts',
    }),
    app.owner.call('PUT', `/crm/v8/Leads/${lead}`, { data: [{ Email: `${lead}@example.com` }] }),
  ]);
  const [report, deal, note, appointment, read, tags] = await Promise.all([
    create('Contacts', { Last_Name: 'Report', Reporting_To: { id: contact } }),
    create('Deals', { Deal_Name: 'Deal', Stage: 'Qualification', ...toAccount, Contact_Name: { id: contact } }),
    create('Notes', { Note_Content: 'Note', Parent_Id: { id: contact, module: 'Contacts' } }),
    create('Appointments__s', {
      Appointment_For: { id: contact },
      Service_Name: { id: service },
      Appointment_Start_Time: '2026-05-01T10:00:00Z',
      Location: 'Business Address',
    }),
    app.owner.call('GET', `/crm/v8/Quotes/${quote}`),
    app.owner.call('POST', '/crm/v8/settings/tags?module=Contacts', { tags: [{ name: `t${contact.slice(-9)}` }] }),
  ]);
  return {
    ...{ parent, account, other, contact, report, lead, lead2, deal, product, quote, event, note, colleague },
    ...{ vendor, campaign, service, appointment },
    line: at(read.body, 'data', 0, 'Quoted_Items', 0, 'id'),
    tag: at(tags.body, 'tags', 0, 'details', 'id'),
  };
}

const fill = (text: string, ids: Ids): string => text.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? name);

async function send(text: string, ids: Ids): Promise<unknown> {
  const [, method = '', path = '', body = ''] = /^(\w+) (\S+) ?(.*)$/.exec(fill(text, ids)) ?? [];
  const answer = await app.owner.call(method, `/crm/v8/${path}`, body === '' ? undefined : body);
  expect([200, 201], JSON.stringify(answer.body)).toContain(answer.status);
  return answer.body;
}

/** What came since `from`, as the page writes it; names in the place of ids. */
async function told(from: number, ids: Ids): Promise<string[]> {
  await app.app.idle();
  const names = new Map(Object.entries(ids).map(([name, id]) => [id, name]));
  return receiver.received.slice(from).map(({ body }) => {
    const affected = new Map(body.affected_fields?.flatMap((item) => Object.entries(item)));
    const records = body.ids.map((id) => `${names.get(id) ?? 'new'} [${(affected.get(id) ?? []).join(', ')}]`);
    return `${body.module} ${body.operation}: ${records.join(', ')}`;
  });
}

const plain = (cell: string): string => cell.replaceAll('`', '');
/** What one notification says does not hang on the order of its ids. */
const sorted = (lines: readonly string[]): string[] =>
  lines
    .map((line) => {
      const [head, records = ''] = line.split(': ');
      return `${head}: ${(records.match(/\w+ \[[^\]]*\]/g) ?? []).sort().join(', ')}`;
    })
    .sort();

describe('a record action', () => {
  const rows = tableRows(TEXT, 'actions').map((row) => cells(row).map(plain));

  test('has a row for every kind of action', () => expect(rows.length).toBeGreaterThan(40));

  test.each(rows)('%s', async (_action, first = '', call = '', body = '', expected = '') => {
    const ids = await makeRecords();
    if (first !== '') await send(first, ids);
    await app.app.idle();
    const from = receiver.received.length;
    await send(`${call} ${body}`.trim(), ids);
    expect(sorted(await told(from, ids))).toEqual(expected === 'nothing' ? [] : sorted(expected.split('<br>')));
  });
});

describe('each module', () => {
  const rows = tableRows(TEXT, 'modules-fire').map((row) => cells(row).map(plain));

  test('is in the table', () => expect(rows.map(([name]) => name).sort()).toEqual([...MODULES].sort()));

  test.each(rows)('%s fires on create, change and delete', async (...row: string[]) => {
    const [module = '', made = '', changed = '', field = '', also = ''] = row;
    const ids = await makeRecords();
    await app.app.idle();
    const related = also.split(', ').filter((item) => item !== '');
    const own = related.filter((item) => !item.includes(' ')).map((name) => `, ${name} []`);
    const others = related.filter((item) => item.includes(' ')).map((item) => item.replace(' ', ' update: '));
    const ownUpdate = own.map((item) => `${module} update: ${item.slice(2)}`);

    let from = receiver.received.length;
    const id = at(await send(`POST ${module} {"data":[${made}]}`, ids), 'data', 0, 'details', 'id');
    const expectedOthers = others.map((item) => `${item} []`);
    expect(sorted(await told(from, ids))).toEqual(
      sorted([`${module} insert: new []`, ...ownUpdate, ...expectedOthers]),
    );
    from = receiver.received.length;
    await send(`PUT ${module}/${id} {"data":[${changed}]}`, ids);
    expect(sorted(await told(from, ids))).toEqual(
      sorted([`${module} update: new [${field}]${own.join('')}`, ...expectedOthers]),
    );
    from = receiver.received.length;
    await send(`DELETE ${module}/${id}`, ids);
    expect(sorted(await told(from, ids))).toEqual(
      sorted([`${module} delete: new [Modified_By, Record_Status__s]`, ...ownUpdate, ...expectedOthers]),
    );
  });
});
