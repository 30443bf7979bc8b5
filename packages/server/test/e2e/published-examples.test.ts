import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

/** The samples of the two published pages, with the clock and the organisation's offset set so that their dates are live. */
let app: LiveApp;
let receiver: Receiver;

async function begin(now: string): Promise<void> {
  app = await startLiveApp({ clock: createManualClock(Date.parse(now)), flags: { timeZone: 'Asia/Kolkata' } });
}

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const event = (module: string, serial: string, expiry: string, channelId: string, version: string) => ({
  channel_expiry: expiry,
  resource_uri: `${app.base}/crm/${version}/${module}`,
  resource_id: `3652397${serial.padStart(12, '0')}`,
  resource_name: module,
  channel_id: channelId,
});

describe('v2', () => {
  const expiry = '2020-02-02T10:30:00+05:30';
  const enable = () => ({
    watch: [
      {
        channel_id: '10000007828',
        events: ['Contacts.create', 'Accounts.edit', 'Deals.create'],
        channel_expiry: expiry,
        token: 'contacts_and_deals7828',
        notify_url: `${receiver.origin}/hook`,
      },
    ],
  });
  const watch = '/crm/v2/actions/watch';

  beforeEach(() => begin('2020-02-02T00:00:00Z'));

  test('enabling a channel on three modules answers with each module', async () => {
    const { status, body } = await app.owner.call('POST', watch, enable());
    expect(status).toBe(201);
    expect(body).toEqual({
      watch: [
        {
          code: 'SUCCESS',
          details: {
            events: expect.toSatisfy((events: object[]) => {
              expect(events).toHaveLength(3);
              expect(events).toEqual(
                expect.arrayContaining([
                  event('Contacts', '2179', expiry, '10000007828', 'v2'),
                  event('Deals', '2181', expiry, '10000007828', 'v2'),
                  event('Accounts', '2177', expiry, '10000007828', 'v2'),
                ]),
              );
              return true;
            }),
          },
          message: 'Successfully subscribed for actions-watch of the given module',
          status: 'success',
        },
      ],
    });
  });

  test('verbatim, without a notify URL, the sample gets the documented error', async () => {
    const { notify_url: _left, ...entry } = enable().watch[0]!;
    const { status, body } = await app.owner.call('POST', watch, { watch: [entry] });
    expect(status).toBe(400);
    expect(body).toMatchObject({ watch: [{ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'notify_url' } }] });
  });

  test('the notification of a created contact has exactly the documented keys', async () => {
    await app.owner.call('POST', watch, enable());
    const created = await app.owner.call('POST', '/crm/v2/Contacts', { data: [{ Last_Name: 'Boyle' }] });
    const [notification] = await receiver.first(1);
    expect(notification?.text).toBe(
      JSON.stringify({
        query_params: {},
        module: 'Contacts',
        resource_uri: `${app.base}/crm/v2/Contacts`,
        ids: [at(created.body, 'data', 0, 'details', 'id')],
        operation: 'insert',
        channel_id: '10000007828',
        token: 'contacts_and_deals7828',
      }),
    );
  });

  test('PUT with other events stops notifying of those it leaves out', async () => {
    await app.owner.call('POST', watch, enable());
    const put = await app.owner.call('PUT', watch, {
      watch: [
        {
          channel_id: '10000007828',
          events: ['Contacts.create', 'Contacts.edit', 'Deals.create'],
          channel_expiry: '2020-02-02T15:35:05+05:30',
          token: 'contacts_deals_7828',
        },
      ],
    });
    expect(put.status).toBe(200);
    const account = await app.owner.call('POST', '/crm/v2/Accounts', { data: [{ Account_Name: 'Zylker' }] });
    await app.owner.call('PUT', `/crm/v2/Accounts/${at(account.body, 'data', 0, 'details', 'id')}`, {
      data: [{ Phone: '555-0100' }],
    });
    const contact = await app.owner.call('POST', '/crm/v2/Contacts', { data: [{ Last_Name: 'Boyle' }] });
    await app.owner.call('PUT', `/crm/v2/Contacts/${at(contact.body, 'data', 0, 'details', 'id')}`, {
      data: [{ Phone: '555-0101' }],
    });
    const came = await receiver.first(2);
    await app.app.idle();
    expect(receiver.received).toHaveLength(2);
    expect(came.map(({ body }) => [body.module, body.operation, body.token])).toEqual([
      ['Contacts', 'insert', 'contacts_deals_7828'],
      ['Contacts', 'update', 'contacts_deals_7828'],
    ]);
  });

  test('PATCH changes what it names and keeps the rest', async () => {
    await app.owner.call('POST', watch, enable());
    const patch = await app.owner.call('PATCH', watch, { watch: [{ channel_id: '10000007828', token: 'renamed' }] });
    expect(patch.status).toBe(200);
    expect(patch.body).toMatchObject({ watch: [{ message: 'Successfully updated the subscribe details' }] });
    const { body } = await app.owner.call('GET', `${watch}?channel_id=10000007828`);
    expect(body).toMatchObject({
      watch: [
        { resource_name: 'Contacts', events: ['Contacts.create'], token: 'renamed', channel_expiry: expiry },
        { resource_name: 'Accounts', events: ['Accounts.edit'], notify_url: `${receiver.origin}/hook` },
        { resource_name: 'Deals', events: ['Deals.create'] },
      ],
    });
  });

  test('PATCH with _delete_events removes just the events it lists', async () => {
    await app.owner.call('POST', watch, enable());
    const { status, body } = await app.owner.call('PATCH', watch, {
      watch: [{ channel_id: '10000007828', events: ['Contacts.create'], _delete_events: true }],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      watch: [{ message: 'Successfully removed the subscribe details', status: 'success' }],
    });
    const left = await app.owner.call('GET', watch);
    expect(left.body).toMatchObject({
      watch: [{ events: ['Accounts.edit'] }, { events: ['Deals.create'] }],
      info: { count: 2 },
    });
  });

  test('verbatim, without a channel id, that sample gets the documented error', async () => {
    const { status, body } = await app.owner.call('PATCH', watch, {
      watch: [{ events: ['Contacts.create'], _delete_events: true }],
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ watch: [{ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'channel_id' } }] });
  });

  test('DELETE of two ids ends both channels, with an entry for each module', async () => {
    const [first] = enable().watch;
    await app.owner.call('POST', watch, {
      watch: [first, { channel_id: '10000007000', events: ['Leads.all'], notify_url: `${receiver.origin}/hook` }],
    });
    const { status, body } = await app.owner.call('DELETE', `${watch}?channel_ids=10000007828,10000007000`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      watch: [
        { details: { channel_id: '10000007828' } },
        { details: { channel_id: '10000007828' } },
        { details: { channel_id: '10000007828' } },
        {
          code: 'SUCCESS',
          details: {
            resource_uri: `${app.base}/crm/v2/Leads`,
            resource_id: '3652397000000002175',
            channel_id: '10000007000',
          },
          message: 'Successfully un-subscribed from actions-watch',
          status: 'success',
        },
      ],
    });
    expect((await app.owner.call('GET', watch)).status).toBe(204);
  });

  test('GET takes module, page, per_page and channel_id', async () => {
    const [first] = enable().watch;
    await app.owner.call('POST', watch, {
      watch: [first, { ...first, channel_id: '10000007829', events: ['Leads.create'] }],
    });
    const { status, body } = await app.owner.call(
      'GET',
      `${watch}?module=Deals&page=1&per_page=150&channel_id=10000007828`,
    );
    expect(status).toBe(200);
    expect(body).toEqual({
      watch: [
        {
          notify_on_related_action: true,
          channel_expiry: expiry,
          resource_uri: `${app.base}/crm/v2/Deals`,
          resource_id: '3652397000000002181',
          notify_url: `${receiver.origin}/hook`,
          resource_name: 'Deals',
          channel_id: '10000007828',
          events: ['Deals.create'],
          token: 'contacts_and_deals7828',
        },
      ],
      info: { per_page: 150, count: 1, page: 1, more_records: false },
    });
    expect((await app.owner.call('GET', `${watch}?module=Leads&channel_id=10000007828`)).status).toBe(204);
    expect((await app.owner.call('GET', `${watch}?page=2&per_page=150`)).status).toBe(204);
  });
});

describe('v3', () => {
  const watch = '/crm/v3/actions/watch';
  const expiry = '2018-02-02T10:30:00+05:30';
  const callback = (query: string) =>
    `${receiver.origin}/callback?authorization=Zoho-oauthtoken 1000.23dnsbbbh455jnn&key1=val1${query}`;
  const sample = () => ({
    watch: [
      {
        channel_id: '1000000068001',
        events: ['Solutions.create', 'Price_Books.create', 'Contacts.create', 'Solutions.edit'],
        channel_expiry: expiry,
        token: 'TOKEN_FOR_VERIFICATION_OF_1000000068001',
        return_affected_field_values: true,
        notify_url: callback('&key2=val2'),
      },
      {
        channel_id: '1000000068002',
        events: ['Deals.edit'],
        channel_expiry: expiry,
        token: 'TOKEN_FOR_VERIFICATION_OF_1000000068002',
        return_affected_field_values: true,
        notify_url: callback('&key2=val2&key3=val1'),
      },
      {
        channel_id: '1000000068003',
        events: ['Cases.all'],
        channel_expiry: expiry,
        token: 'TOKEN_FOR_VERIFICATION_OF_1000000068003',
        return_affected_field_values: true,
        notify_url: callback(''),
      },
    ],
  });

  beforeEach(() => begin('2018-02-02T00:00:00Z'));

  test('enabling three channels, with a space in the query string, answers each with its modules', async () => {
    const { status, body } = await app.owner.call('POST', watch, sample());
    expect(status).toBe(201);
    const entries = (body as { watch: { code: string; details: { events: { resource_name: string }[] } }[] }).watch;
    expect(entries.map(({ code }) => code)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
    const names = entries.map(({ details }) => details.events.map(({ resource_name }) => resource_name).sort());
    expect(names).toEqual([['Contacts', 'Price_Books', 'Solutions'], ['Deals'], ['Cases']]);
    expect(entries[1]?.details.events).toEqual([event('Deals', '2181', expiry, '1000000068002', 'v3')]);
  });

  test("a deal's new stage notifies with exactly the documented keys", async () => {
    await app.owner.call('POST', watch, sample());
    const created = await app.owner.call('POST', '/crm/v3/Deals', {
      data: [{ Deal_Name: 'Lamp', Stage: 'Qualification' }],
    });
    const id = at(created.body, 'data', 0, 'details', 'id');
    app.clock.advance(1000);
    const updated = await app.owner.call('PUT', '/crm/v3/Deals', { data: [{ id, Stage: 'Proposal/Price Quote' }] });
    expect(updated.status).toBe(200);
    const [notification] = await receiver.first(1);
    const body = JSON.parse(notification?.text ?? '') as Record<string, unknown>;
    expect(body).toEqual({
      server_time: app.clock.now(),
      affected_values: [{ record_id: id, values: { Probability: 75, Stage: 'Proposal/Price Quote' } }],
      query_params: {
        key1: 'val1',
        key2: 'val2',
        key3: 'val1',
        '?authorization': 'Zoho-oauthtoken 1000.23dnsbbbh455jnn',
      },
      module: 'Deals',
      resource_uri: `${app.base}/crm/v2/Deals`,
      ids: [id],
      affected_fields: [{ [id]: ['Stage', 'Probability'] }],
      operation: 'update',
      channel_id: '1000000068002',
      token: 'TOKEN_FOR_VERIFICATION_OF_1000000068002',
    });
    expect(Object.keys(body)).toEqual([
      'server_time',
      'affected_values',
      'query_params',
      'module',
      'resource_uri',
      'ids',
      'affected_fields',
      'operation',
      'channel_id',
      'token',
    ]);
    expect(notification?.target).toContain('/callback?authorization=Zoho-oauthtoken%201000.23dnsbbbh455jnn&key1=val1');
  });

  test.each(['channel_id', 'notify_url', 'events'] as const)('a missing %s is named in the details', async (key) => {
    const { [key]: _left, ...entry } = sample().watch[0]!;
    const { status, body } = await app.owner.call('POST', watch, { watch: [entry] });
    expect(status).toBe(400);
    expect(body).toEqual({
      watch: [
        {
          code: 'MANDATORY_NOT_FOUND',
          details: { api_name: key, json_path: `$.watch[0].${key}` },
          message: 'required field not found',
          status: 'error',
        },
      ],
    });
  });

  test('a token of 51 characters is refused with its maximum', async () => {
    const [entry] = sample().watch;
    const { status, body } = await app.owner.call('POST', watch, { watch: [{ ...entry, token: 'x'.repeat(51) }] });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      watch: [
        { code: 'INVALID_DATA', details: { api_name: 'token', maximum_length: 50, json_path: '$.watch[0].token' } },
      ],
    });
  });

  test('a user who may not use a module cannot watch it', async () => {
    const colleague = await app.colleague({ deniedModules: ['Deals'] });
    const { status, body } = await colleague.call('POST', watch, { watch: [sample().watch[1]] });
    expect(status).toBe(400);
    expect(body).toMatchObject({ watch: [{ code: 'INVALID_DATA', details: { api_name: 'events' } }] });
  });
});
