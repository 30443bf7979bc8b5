import assert from 'node:assert/strict';
import { done, entries, has, make, plain, refusals, rows } from '../crm.mjs';
import { channel } from './notifications.mjs';

export const title = 'custom modules and fields';

const CHANNEL = '1000000068004';
const BOATS = {
  api_name: 'Boats',
  singular: 'Boat',
  plural: 'Boats',
  fields: [
    { api_name: 'Length', type: 'double' },
    { api_name: 'Rig', type: 'picklist', pick_list: ['Sloop', 'Ketch'] },
    { api_name: 'Registration', type: 'text', external: 'org' },
    { api_name: 'Skipper', type: 'lookup', lookup: 'Contacts' },
    { api_name: 'Trips', type: 'subform', rows: [{ api_name: 'Harbour', type: 'text' }] },
  ],
};
const BERTHS = {
  api_name: 'Berths',
  singular: 'Berth',
  plural: 'Berths',
  fields: [
    { api_name: 'Code', type: 'text', external: 'org' },
    { api_name: 'Boat', type: 'lookup', lookup: 'Boats' },
  ],
};

export const cases = {
  async 'uses a module from the moment it is there'({ sdk, session, administer, notifyUrl, ...crm }) {
    const { adapter, create, get, link, record, choice, params, headers, notified } = crm;
    await administer('POST', `/orgs/${session.org}/modules`, BOATS);
    const modules = await adapter.modules(new sdk.Modules.ModulesOperations(), await params(), await headers());
    has(
      plain(modules.getObject().getModules()).find(({ aPIName }) => aPIName === 'Boats'),
      { generatedType: 'custom', pluralLabel: 'Boats' },
    );
    const { Notifications } = sdk;
    const watch = { events: ['Boats.all'], notifyUrl, token: 'boats', notifyOnRelatedAction: false };
    done(
      await new Notifications.NotificationsOperations().enableNotifications(channel(Notifications, CHANNEL, watch)),
      201,
      'Successfully subscribed for actions-watch of the given module',
      'getWatch',
    );
    const [skipper] = await create('Contacts', { Last_Name: 'Slocum' });
    await notified('Contacts', 'insert', [skipper]);
    const [boat] = await create('Boats', {
      Name: 'Spray',
      Length: 11.2,
      Rig: choice('Sloop'),
      Registration: 'US-1',
      Skipper: link(skipper),
      Trips: [record({ Harbour: 'Boston' }), record({ Harbour: 'Gibraltar' })],
    });
    await notified('Boats', 'insert', [boat]);
    const spray = await get('Boats', boat);
    has(spray, { Name: 'Spray', Length: 11.2, Rig: 'Sloop', Skipper: { id: skipper, name: 'Slocum' } });
    assert.deepEqual(
      spray.Trips.map(({ Harbour }) => Harbour),
      ['Boston', 'Gibraltar'],
    );
  },

  async 'uses a field that was added to a standard module'({ sdk, session, administer, ...crm }) {
    const { create, get, params, notified } = crm;
    const { Fields, ModuleFieldsHandler } = sdk;
    await administer('POST', `/orgs/${session.org}/modules/Contacts/fields`, {
      api_name: 'Shoe_Size',
      type: 'integer',
    });
    await ModuleFieldsHandler.refreshFields('Contacts');
    const fields = await new Fields.FieldsOperations().getFields(
      await params(Fields.GetFieldsParam, { MODULE: 'Contacts' }),
    );
    has(
      plain(fields.getObject().getFields()).find(({ aPIName }) => aPIName === 'Shoe_Size'),
      { dataType: 'integer', customField: true },
    );
    const [id] = await create('Contacts', { Last_Name: 'Walker', Shoe_Size: 43 });
    await notified('Contacts', 'insert', [id]);
    has(await get('Contacts', id), { Shoe_Size: 43 });
  },

  async 'names related records by external ids'({ sdk: { RelatedRecords }, session, administer, ...crm }) {
    const { create, get, record, params, headers } = crm;
    await administer('POST', `/orgs/${session.org}/modules`, BERTHS);
    const ids = await create('Berths', { Name: 'North', Code: 'N1' }, { Name: 'South', Code: 'S1' });
    const berths = new RelatedRecords.RelatedRecordsOperations('Berths', 'Boats');
    const by = (kind) => headers(kind, { X_EXTERNAL: 'Boats.Registration,Berths.Code' });
    const body = (...values) => make(RelatedRecords.BodyWrapper, { data: values.map(record) });
    const list = async () => {
      const query = await params(RelatedRecords.GetRelatedRecordsUsingExternalIDParam, { FIELDS: 'Name' });
      const kind = RelatedRecords.GetRelatedRecordsUsingExternalIDHeader;
      const found = rows(await berths.getRelatedRecordsUsingExternalId('US-1', query, await by(kind)));
      return found.map(({ Name }) => Name).toSorted();
    };

    const linked = await berths.updateRelatedRecordsUsingExternalId(
      'US-1',
      body({ Code: 'N1' }),
      await by(RelatedRecords.UpdateRelatedRecordsUsingExternalIDHeader),
    );
    assert.deepEqual(done(linked, 200, 'relation added'), [ids[0]]);
    const linkedOne = await berths.updateRelatedRecordUsingExternalId(
      'S1',
      'US-1',
      body({ Name: 'South end' }),
      await by(RelatedRecords.UpdateRelatedRecordUsingExternalIDHeader),
    );
    assert.deepEqual(done(linkedOne, 200, 'relation added'), [ids[1]]);
    assert.deepEqual(await list(), ['North', 'South end']);
    const one = await berths.getRelatedRecordUsingExternalId(
      'N1',
      'US-1',
      await params(RelatedRecords.GetRelatedRecordUsingExternalIDParam, { FIELDS: 'Name' }),
      await by(RelatedRecords.GetRelatedRecordUsingExternalIDHeader),
    );
    has(rows(one), [{ id: ids[0], Name: 'North' }]);

    const unlinkedOne = await berths.deleteRelatedRecordUsingExternalId(
      'N1',
      'US-1',
      await by(RelatedRecords.DeleteRelatedRecordUsingExternalIDHeader),
    );
    done(unlinkedOne, 200, 'relation removed');
    const rest = await params(RelatedRecords.DeleteRelatedRecordsUsingExternalIDParam, { IDS: 'S1' });
    const unlinked = await berths.deleteRelatedRecordsUsingExternalId(
      'US-1',
      rest,
      await by(RelatedRecords.DeleteRelatedRecordsUsingExternalIDHeader),
    );
    done(unlinked, 200, 'relation removed');
    assert.deepEqual(await list(), []);
    has(await get('Berths', ids[1]), { Name: 'South end', Boat: null });
  },

  async 'names records by an external id'({ sdk: { Record, Notifications }, adapter, ...crm }) {
    const { operations, body, params, headers, notified } = crm;
    const boats = operations('Boats');
    const by = (kind) => headers(kind, { X_EXTERNAL: 'Boats.Registration' });
    const found = await boats.getRecordUsingExternalId(
      'US-1',
      await params(),
      await by(Record.GetRecordUsingExternalIDHeader),
    );
    const [{ id, Name }] = rows(found);
    assert.equal(Name, 'Spray');
    const updated = await boats.updateRecordUsingExternalId(
      'US-1',
      body({ Length: 11.5 }),
      await by(Record.UpdateRecordUsingExternalIDHeader),
    );
    done(updated, 200, 'record updated');
    await notified('Boats', 'update', [id], ['Length']);
    const upsert = body({ Registration: 'US-1', Length: 11.4 });
    has(entries(await boats.upsertRecords(upsert, await by(Record.UpsertRecordsHeader))), [
      { class: 'SuccessResponse', action: 'update', details: { id } },
    ]);
    await notified('Boats', 'update', [id], ['Length']);
    const many = await boats.updateRecords(
      body({ Registration: 'US-1', Length: 11.6 }),
      await by(Record.UpdateRecordsHeader),
    );
    done(many, 200, 'record updated');
    await notified('Boats', 'update', [id], ['Length']);
    const taken = await boats.createRecords(body({ Name: 'Copy', Registration: 'US-1' }));
    has(refusals(taken), [{ code: 'DUPLICATE_DATA', details: { api_name: 'Registration' } }]);
    const deleted = await boats.deleteRecordUsingExternalId(
      'US-1',
      await params(),
      await by(Record.DeleteRecordUsingExternalIDHeader),
    );
    done(deleted, 200, 'record deleted');
    await notified('Boats', 'delete', [id]);

    const off = await params(Notifications.DeleteNotificationParam, { CHANNEL_IDS: adapter.channelIds(CHANNEL) });
    const stopped = await new Notifications.NotificationsOperations().deleteNotification(off);
    done(stopped, 200, 'Successfully un-subscribed from actions-watch', 'getWatch');
  },
};
