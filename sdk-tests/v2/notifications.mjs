import assert from 'node:assert/strict';
import { done, entries, has, make, plain, refusals } from '../crm.mjs';
import { assertIs } from '../owed.mjs';
import { WATCHED } from '../topics/notifications.mjs';

export const title = 'channels';

const CHANNEL = '1000000068001';
const SIDE_CHANNEL = '1000000068002';
const ENABLED = 'Successfully subscribed for actions-watch of the given module';

export const cases = {
  async 'enables a channel that hears of everything the other topics do'({ sdk: { Notifications }, notifyUrl }) {
    const operations = new Notifications.NotificationOperations();
    const body = channel(Notifications, CHANNEL, {
      events: WATCHED.map((module) => `${module}.all`),
      notifyUrl,
      token: 'everything',
      channelExpiry: new Date(Date.now() + 80_000_000),
      notifyOnRelatedAction: false,
    });
    const response = await operations.enableNotifications(body);
    done(response, 201, ENABLED, 'getWatch');
    const [{ details }] = entries(response, 'getWatch');
    assert.deepEqual(
      details.events.map(({ resourceName, channelId }) => [resourceName, channelId]),
      WATCHED.map((module) => [module, CHANNEL]),
    );
  },

  async 'enables, reads, replaces, merges, narrows and disables a channel'({ sdk, notifyUrl, params }) {
    const { Notifications } = sdk;
    const operations = new Notifications.NotificationOperations();
    const watch = (values) => channel(Notifications, SIDE_CHANNEL, values);
    const enable = { events: ['Contacts.all', 'Deals.all'], notifyUrl, token: 'first', notifyOnRelatedAction: false };
    done(await operations.enableNotifications(watch(enable)), 201, ENABLED, 'getWatch');
    const list = async (by) =>
      operations.getNotificationDetails(await params(Notifications.GetNotificationDetailsParam, by));
    const read = async () => {
      const response = await list({ CHANNEL_ID: BigInt(SIDE_CHANNEL) });
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
    const ofDeals = await list({ MODULE: 'Deals', PAGE: 1, PER_PAGE: 10 });
    assert.deepEqual(
      plain(ofDeals.getObject().getWatch()).map(({ channelId }) => channelId),
      [CHANNEL, SIDE_CHANNEL],
    );
    has(plain(ofDeals.getObject().getInfo()), { page: 1, perPage: 10, count: 2, moreRecords: false });

    const put = { events: ['Contacts.create', 'Contacts.edit', 'Deals.create'], notifyUrl, token: 'second' };
    done(await operations.updateNotifications(watch(put)), 200, ENABLED, 'getWatch');
    assert.deepEqual(await read(), [
      ['Contacts', ['Contacts.edit', 'Contacts.create'], 'second'],
      ['Deals', ['Deals.create'], 'second'],
    ]);

    const patch = { events: ['Deals.edit'], token: 'third' };
    const patched = await operations.updateNotification(watch(patch));
    done(patched, 200, 'Successfully updated the subscribe details', 'getWatch');
    const narrow = { events: ['Contacts.edit'], deleteevents: true };
    const narrowed = await operations.disableNotification(watch(narrow));
    done(narrowed, 200, 'Successfully removed the subscribe details', 'getWatch');
    assert.deepEqual(await read(), [
      ['Contacts', ['Contacts.create'], 'third'],
      ['Deals', ['Deals.edit', 'Deals.create'], 'third'],
    ]);

    await disable({ sdk, params }, SIDE_CHANNEL);
    assert.deepEqual(await read(), []);
  },

  async 'enables two channels in a call, changes the one that is there, and disables both in one'(crm) {
    const { sdk, adapter, notifyUrl, params } = crm;
    const { BodyWrapper, Notification, NotificationOperations } = sdk.Notifications;
    const operations = new NotificationOperations();
    const [first, second, none] = ['1000000068005', '1000000068006', '404'];
    const body = (...ids) => {
      const values = { events: ['Cases.all'], notifyUrl, token: 'two' };
      return make(BodyWrapper, { watch: ids.map((id) => make(Notification, { channelId: BigInt(id), ...values })) });
    };
    const enabled = await operations.enableNotifications(body(first, second));
    assert.equal(done(enabled, 201, ENABLED, 'getWatch').length, 2);
    const changed = await operations.updateNotifications(body(none, first));
    assert.equal(changed.getStatusCode(), adapter.mixed);
    has(entries(changed, 'getWatch'), [
      { class: 'APIException', code: 'NOT_SUBSCRIBED' },
      { class: 'SuccessResponse', code: 'SUCCESS' },
    ]);
    await disable({ sdk, params }, first, second);
  },

  async 'is told NOT_SUBSCRIBED about a channel that is not there'({ sdk: { Notifications }, notifyUrl, params }) {
    const operations = new Notifications.NotificationOperations();
    const body = channel(Notifications, '404', { events: ['Leads.all'], notifyUrl, token: 'any' });
    const off = await params(Notifications.DisableNotificationsParam, { CHANNEL_IDS: 404n });
    const narrow = channel(Notifications, '404', { events: ['Leads.edit'], deleteevents: true });
    for (const response of [
      await operations.updateNotifications(body),
      await operations.updateNotification(body),
      await operations.disableNotification(narrow),
      await operations.disableNotifications(off),
    ]) {
      assert.deepEqual(refusals(response, 'getWatch'), [{ code: 'NOT_SUBSCRIBED', details: {} }]);
      assert.equal(response.getStatusCode(), 400);
    }
  },

  async 'is told of a module that cannot be watched'({ sdk: { Notifications }, notifyUrl }) {
    const operations = new Notifications.NotificationOperations();
    const body = channel(Notifications, '405', { events: ['Nonsense.all'], notifyUrl });
    has(refusals(await operations.enableNotifications(body), 'getWatch'), [
      { code: 'INVALID_DATA', details: { api_name: 'events' } },
    ]);
  },

  async 'does not even send a channel that lacks its address, or whose token is too long'(crm) {
    const { sdk, notifyUrl } = crm;
    const operations = new sdk.Notifications.NotificationOperations();
    for (const [values, code] of [
      [{ events: ['Leads.all'] }, /MANDATORY/],
      [{ events: ['Leads.all'], notifyUrl, token: 'x'.repeat(51) }, /LENGTH/],
    ]) {
      await assert.rejects(async () => operations.enableNotifications(channel(sdk.Notifications, '405', values)), code);
    }
  },

  async 'is told of an insert, an update and a delete: seven keys in their order, and nothing else'(crm) {
    const { session, create, operations, body, params, notified } = crm;
    const owed = { query_params: { '?key': 'a b' }, module: 'Leads', channel_id: CHANNEL, token: 'everything' };
    const [id] = await create('Leads', { Last_Name: 'Ångström', Company: 'Uppsala' });
    assertIs(await notified('Leads', 'insert', [id]), { ...owed, operation: 'insert', ids: [id] }, session);
    done(await operations('Leads').updateRecord(BigInt(id), body({ Company: 'Lund' })), 200, 'record updated');
    assertIs(await notified('Leads', 'update', [id]), { ...owed, operation: 'update', ids: [id] }, session);
    done(await operations('Leads').deleteRecord(BigInt(id), await params()), 200, 'record deleted');
    assertIs(await notified('Leads', 'delete', [id]), { ...owed, operation: 'delete', ids: [id] }, session);
  },

  async 'is told no token by a channel that has none'({ sdk, notifyUrl, params, session, create, notified }) {
    const enable = channel(sdk.Notifications, SIDE_CHANNEL, { events: ['Products.create'], notifyUrl });
    const enabled = await new sdk.Notifications.NotificationOperations().enableNotifications(enable);
    done(enabled, 201, ENABLED, 'getWatch');
    const ids = await create('Products', { Product_Name: 'Clapper' }, { Product_Name: 'Yoke' });
    const owed = { query_params: { '?key': 'a b' }, module: 'Products', channel_id: SIDE_CHANNEL, token: null };
    assertIs(await notified('Products', 'insert', ids), { ...owed, operation: 'insert', ids }, session);
    await disable({ sdk, params }, SIDE_CHANNEL);
  },
};

/** A body with one channel; keys are named like the setters of the SDK. */
export const channel = ({ BodyWrapper, Notification }, id, values) =>
  make(BodyWrapper, { watch: [make(Notification, { channelId: BigInt(id), ...values })] });

/** Disables channels, each of them on one module or more. */
export async function disable({ sdk: { Notifications }, params }, ...ids) {
  const off = await params();
  for (const id of ids) await off.add(Notifications.DisableNotificationsParam.CHANNEL_IDS, BigInt(id));
  const response = await new Notifications.NotificationOperations().disableNotifications(off);
  done(response, 200, 'Successfully un-subscribed from actions-watch', 'getWatch');
  const told = entries(response, 'getWatch').map(({ details }) => details.channel_id);
  assert.deepEqual([...new Set(told.map(String))].toSorted(), ids);
}
