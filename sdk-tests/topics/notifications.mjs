import assert from 'node:assert/strict';
import { done, entries, has, info, make, plain, refusals, rows } from '../crm.mjs';
import { assertIs } from '../owed.mjs';

export const title = 'channels';

const CHANNEL = '1000000068001';
const SIDE_CHANNEL = '1000000068002';
export const WATCHED = ['Leads', 'Accounts', 'Contacts', 'Deals', 'Tasks', 'Events', 'Quotes', 'Vendors', 'Notes'];

export const cases = {
  async 'enables a channel that hears of everything the other topics do'({ sdk: { Notifications }, notifyUrl }) {
    const operations = new Notifications.NotificationsOperations();
    const body = channel(Notifications, CHANNEL, {
      events: WATCHED.map((module) => `${module}.all`),
      notifyUrl,
      token: 'everything',
      channelExpiry: new Date(Date.now() + 86_400_000),
      notifyOnRelatedAction: false,
      returnAffectedFieldValues: true,
    });
    const response = await operations.enableNotifications(body);
    done(response, 201, 'Successfully subscribed for actions-watch of the given module', 'getWatch');
    const [{ details }] = entries(response, 'getWatch');
    assert.deepEqual(
      details.events.map(({ resourceName, channelId }) => [resourceName, channelId]),
      WATCHED.map((module) => [module, CHANNEL]),
    );
  },

  async 'enables, reads, replaces, merges, narrows and disables a channel'({ sdk, adapter, notifyUrl, params }) {
    const { Notifications } = sdk;
    const operations = new Notifications.NotificationsOperations();
    const enable = { events: ['Contacts.all', 'Deals.all'], notifyUrl, token: 'first', notifyOnRelatedAction: false };
    done(
      await operations.enableNotifications(channel(Notifications, SIDE_CHANNEL, enable)),
      201,
      'Successfully subscribed for actions-watch of the given module',
      'getWatch',
    );
    const read = async () => {
      const response = await operations.getNotifications(
        await params(Notifications.GetNotificationsParam, { CHANNEL_ID: BigInt(SIDE_CHANNEL) }),
      );
      return plain(response.getObject()?.getWatch() ?? []).map(({ resourceName, events, token }) => [
        resourceName,
        events,
        token,
      ]);
    };
    assert.deepEqual(await read(), [
      ['Contacts', ['Contacts.edit', 'Contacts.create', 'Contacts.delete'], 'first'],
      ['Deals', ['Deals.edit', 'Deals.create', 'Deals.delete'], 'first'],
    ]);

    const put = { events: ['Contacts.create', 'Contacts.edit', 'Deals.create'], notifyUrl, token: 'second' };
    done(
      await operations.updateNotifications(channel(Notifications, SIDE_CHANNEL, put)),
      200,
      'Successfully subscribed for actions-watch of the given module',
      'getWatch',
    );
    assert.deepEqual(await read(), [
      ['Contacts', ['Contacts.edit', 'Contacts.create'], 'second'],
      ['Deals', ['Deals.create'], 'second'],
    ]);

    done(
      await operations.updateNotification(channel(Notifications, SIDE_CHANNEL, { token: 'third' })),
      200,
      'Successfully updated the subscribe details',
      'getWatch',
    );
    done(
      await operations.disableNotification(
        channel(Notifications, SIDE_CHANNEL, { events: ['Contacts.edit'], [adapter.deleteEvents]: adapter.yes(sdk) }),
      ),
      200,
      'Successfully removed the subscribe details',
      'getWatch',
    );
    assert.deepEqual(await read(), [
      ['Contacts', ['Contacts.create'], 'third'],
      ['Deals', ['Deals.create'], 'third'],
    ]);

    done(
      await operations.deleteNotification(
        await params(Notifications.DeleteNotificationParam, { CHANNEL_IDS: adapter.channelIds(SIDE_CHANNEL) }),
      ),
      200,
      'Successfully un-subscribed from actions-watch',
      'getWatch',
    );
    assert.deepEqual(await read(), []);
  },

  async 'hears only of changes to the fields that its condition names'({ sdk: { Notifications }, ...crm }) {
    const { create, operations: of, body, notifyUrl, params, adapter, notified } = crm;
    const operations = new Notifications.NotificationsOperations();
    const { NotificationCondition, Module, Criteria, Field } = Notifications;
    const condition = make(NotificationCondition, {
      type: 'field_selection',
      module: make(Module, { aPIName: 'Products' }),
      fieldSelection: make(Criteria, {
        groupOperator: 'or',
        group: ['Unit_Price', 'Product_Active'].map((name) =>
          make(Criteria, { field: make(Field, { aPIName: name }) }),
        ),
      }),
    });
    const enable = { events: ['Products.edit'], notifyUrl, token: 'price', notificationCondition: [condition] };
    done(
      await operations.enableNotifications(channel(Notifications, SIDE_CHANNEL, enable)),
      201,
      'Successfully subscribed for actions-watch of the given module',
      'getWatch',
    );
    const listed = await operations.getNotifications(
      await params(Notifications.GetNotificationsParam, { CHANNEL_ID: BigInt(SIDE_CHANNEL) }),
    );
    const [{ notificationCondition, ...row }] = rows(listed, 'getWatch');
    has(row, { notifyUrl, returnAffectedFieldValues: false, notifyOnRelatedAction: true, events: ['Products.edit'] });
    has(notificationCondition, plain([condition]));
    for (const { field } of notificationCondition[0].fieldSelection.group) assert.match(field.id, /^\d+$/);
    const [id] = await create('Products', { Product_Name: 'Bell', Unit_Price: 10 });
    const update = async (values) =>
      done(await of('Products').updateRecord(BigInt(id), body(values)), 200, 'record updated');
    await update({ Description: 'Brass' });
    await update({ Unit_Price: 12.5 });
    await notified('Products', 'update', [id], ['Unit_Price']);
    const off = await params(Notifications.DeleteNotificationParam, {
      CHANNEL_IDS: adapter.channelIds(SIDE_CHANNEL),
    });
    done(await operations.deleteNotification(off), 200, 'Successfully un-subscribed from actions-watch', 'getWatch');
  },

  async 'enables several in one call, of which one is refused, pages through them, and disables both at once'({
    sdk: { Notifications },
    adapter,
    notifyUrl,
    params,
  }) {
    const operations = new Notifications.NotificationsOperations();
    const ids = [SIDE_CHANNEL, '-9007199254740993'];
    const one = (channelId, values) =>
      make(Notifications.Notification, { channelId, events: ['Solutions.create'], ...values });
    const watch = [one(ids[0], { notifyUrl }), one('406'), one(ids[1], { notifyUrl })];
    const opened = await operations.enableNotifications(make(Notifications.BodyWrapper, { watch }));
    assert.equal(opened.getStatusCode(), adapter.mixed);
    assert.deepEqual(
      entries(opened, 'getWatch').map(({ code, details }) => [code, details.events?.[0].channelId]),
      [
        ['SUCCESS', ids[0]],
        ['MANDATORY_NOT_FOUND', undefined],
        ['SUCCESS', ids[1]],
      ],
    );

    const page = async (number) => {
      const query = await params(Notifications.GetNotificationsParam, {
        PAGE: number,
        PER_PAGE: 1,
        MODULE: 'Solutions',
      });
      const response = await operations.getNotifications(query);
      return [info(response), ...rows(response, 'getWatch').map(({ channelId }) => channelId)];
    };
    const [[first, ...onFirst], [second, ...onSecond]] = [await page(1), await page(2)];
    assert.deepEqual([...onFirst, ...onSecond].toSorted(), ids.toSorted());
    has(
      [first, second],
      [
        { page: 1, perPage: 1, count: 1, moreRecords: true },
        { page: 2, perPage: 1, count: 1, moreRecords: false },
      ],
    );

    const { DeleteNotificationParam } = Notifications;
    const both = await params();
    for (const id of ids) await both.add(DeleteNotificationParam.CHANNEL_IDS, adapter.channelIds(id));
    const closed = await operations.deleteNotification(both);
    done(closed, 200, 'Successfully un-subscribed from actions-watch', 'getWatch');
    assert.deepEqual(
      entries(closed, 'getWatch').map(({ details }) => details.channel_id),
      ids,
    );
    const none = await operations.getNotifications(
      await params(Notifications.GetNotificationsParam, { MODULE: 'Solutions' }),
    );
    assert.equal(none.getStatusCode(), 204);
  },

  async 'is told NOT_SUBSCRIBED about a channel that is not there'({ sdk: { Notifications } }) {
    const operations = new Notifications.NotificationsOperations();
    const response = await operations.updateNotification(channel(Notifications, '404', { token: 'any' }));
    assert.deepEqual(refusals(response, 'getWatch'), [{ code: 'NOT_SUBSCRIBED', details: {} }]);
    assert.equal(response.getStatusCode(), 400);
  },

  async 'is told what is missing of a channel'({ sdk: { Notifications } }) {
    const operations = new Notifications.NotificationsOperations();
    const response = await operations.enableNotifications(channel(Notifications, '405', { events: ['Leads.all'] }));
    has(refusals(response, 'getWatch'), [{ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'notify_url' } }]);
  },

  async 'is told of an insert, an update and a delete: every key in its order, and nothing else'(crm) {
    const { create, operations, body, params, notified, session } = crm;
    const [me] = await currentUser(crm);
    const owed = { query_params: { '?key': 'a b' }, module: 'Leads', channel_id: CHANNEL, token: 'everything' };
    const [id] = await create('Leads', { Last_Name: 'Ångström', Company: 'Uppsala', Annual_Revenue: 12.5 });
    const insert = await notified('Leads', 'insert', [id]);
    // The SDKs send the values in an order of their own.
    has(insert.affected_values, [
      { record_id: id, values: { Last_Name: 'Ångström', Company: 'Uppsala', Annual_Revenue: 12.5 } },
    ]);
    assert.equal(Object.keys(insert.affected_values[0].values).length, 3);
    const { affected_values } = insert;
    assertIs(insert, { ...owed, operation: 'insert', ids: [id], affected_fields: [], affected_values }, session);

    done(await operations('Leads').updateRecord(BigInt(id), body({ Email_Opt_Out: true })), 200, 'record updated');
    const update = {
      ...owed,
      operation: 'update',
      ids: [id],
      affected_fields: [{ [id]: ['Email_Opt_Out'] }],
      affected_values: [{ record_id: id, values: { Email_Opt_Out: true } }],
    };
    assertIs(await notified('Leads', 'update', [id]), update, session);

    done(await operations('Leads').deleteRecord(BigInt(id), await params()), 200, 'record deleted');
    const Modified_By = { name: me.full_name, id: me.id, email: me.email };
    const deleted = {
      ...owed,
      operation: 'delete',
      ids: [id],
      affected_fields: [{ [id]: ['Modified_By', 'Record_Status__s'] }],
      affected_values: [{ record_id: id, values: { Modified_By, Record_Status__s: 0 } }],
    };
    assertIs(await notified('Leads', 'delete', [id]), deleted, session);
  },

  async 'is told no values and no token by a channel that asked for none'({ sdk, adapter, notifyUrl, ...crm }) {
    const { create, operations: of, body, params, notified, session } = crm;
    const { Notifications } = sdk;
    const operations = new Notifications.NotificationsOperations();
    const enable = channel(Notifications, SIDE_CHANNEL, { events: ['Products.all'], notifyUrl });
    const opened = await operations.enableNotifications(enable);
    done(opened, 201, 'Successfully subscribed for actions-watch of the given module', 'getWatch');
    const owed = { query_params: { '?key': 'a b' }, module: 'Products', channel_id: SIDE_CHANNEL, token: null };
    const ids = await create('Products', { Product_Name: 'Clapper' }, { Product_Name: 'Yoke' });
    const insert = { ...owed, operation: 'insert', ids, affected_fields: [] };
    assertIs(await notified('Products', 'insert', ids), insert, session);
    const both = body(...ids.map((id) => ({ id, Unit_Price: 3 })));
    done(await of('Products').updateRecords(both), 200, 'record updated');
    const update = { ...owed, operation: 'update', ids, affected_fields: ids.map((id) => ({ [id]: ['Unit_Price'] })) };
    assertIs(await notified('Products', 'update', ids), update, session);
    const gone = await params(sdk.Record.DeleteRecordsParam, { IDS: ids.join(',') });
    done(await of('Products').deleteRecords(gone), 200, 'record deleted');
    const affected_fields = ids.map((id) => ({ [id]: ['Modified_By', 'Record_Status__s'] }));
    const deleted = { ...owed, operation: 'delete', ids, affected_fields };
    assertIs(await notified('Products', 'delete', ids), deleted, session);
    const off = await params(Notifications.DeleteNotificationParam, { CHANNEL_IDS: adapter.channelIds(SIDE_CHANNEL) });
    done(await operations.deleteNotification(off), 200, 'Successfully un-subscribed from actions-watch', 'getWatch');
  },
};

async function currentUser({ sdk: { Users }, params, headers }) {
  const operations = new Users.UsersOperations();
  const me = await operations.getUsers(await params(Users.GetUsersParam, { TYPE: 'CurrentUser' }), await headers());
  return plain(me.getObject().getUsers());
}

/** A body with one channel; keys are named like the setters of the SDK. */
export const channel = ({ BodyWrapper, Notification }, id, values) =>
  make(BodyWrapper, { watch: [make(Notification, { channelId: id, ...values })] });
