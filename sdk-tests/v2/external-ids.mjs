import assert from 'node:assert/strict';
import { done, entries, has, make, refusals, rows } from '../crm.mjs';
import { channel, disable } from './notifications.mjs';

export const title = 'custom modules and external ids';

const CHANNEL = '1000000068004';
const BOATS = {
  api_name: 'Boats',
  singular: 'Boat',
  plural: 'Boats',
  fields: [
    { api_name: 'Length', type: 'double' },
    { api_name: 'Registration', type: 'text', external: 'org' },
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
  async 'uses a module from the moment it is there'({ sdk: { Notifications }, session, administer, ...crm }) {
    const { notifyUrl, create, get, notified } = crm;
    await administer('POST', `/orgs/${session.org}/modules`, BOATS);
    const watch = channel(Notifications, CHANNEL, {
      events: ['Boats.all'],
      notifyUrl,
      token: 'boats',
      notifyOnRelatedAction: false,
    });
    const enabled = await new Notifications.NotificationOperations().enableNotifications(watch);
    done(enabled, 201, 'Successfully subscribed for actions-watch of the given module', 'getWatch');
    const [boat] = await create('Boats', { Name: 'Spray', Length: 11.2, Registration: 'US-1' });
    await notified('Boats', 'insert', [boat]);
    has(await get('Boats', boat), { Name: 'Spray', Length: 11.2, Registration: 'US-1' });
  },

  async 'names related records by external ids'({ sdk: { RelatedRecords }, session, administer, ...crm }) {
    const { create, get, record, params, headers } = crm;
    await administer('POST', `/orgs/${session.org}/modules`, BERTHS);
    const ids = await create('Berths', { Name: 'North', Code: 'N1' }, { Name: 'South', Code: 'S1' });
    const berths = new RelatedRecords.RelatedRecordsOperations('Berths', 'Boats', 'Boats.Registration,Berths.Code');
    const body = (...values) => make(RelatedRecords.BodyWrapper, { data: values.map(record) });
    const list = async () => {
      const found = rows(await berths.getRelatedRecordsUsingExternalId('US-1', await params(), await headers()));
      return found.map(({ Name }) => Name).toSorted();
    };

    const linked = await berths.updateRelatedRecordsUsingExternalId('US-1', body({ Code: 'N1' }));
    assert.deepEqual(done(linked, 200, 'relation added'), [ids[0]]);
    const linkedOne = await berths.updateRelatedRecordUsingExternalId('S1', 'US-1', body({ Name: 'South end' }));
    assert.deepEqual(done(linkedOne, 200, 'relation added'), [ids[1]]);
    assert.deepEqual(await list(), ['North', 'South end']);
    const one = await berths.getRelatedRecordUsingExternalId('N1', 'US-1', await headers());
    has(rows(one), [{ id: ids[0], Name: 'North' }]);

    done(await berths.deleteRelatedRecordUsingExternalId('N1', 'US-1'), 200, 'relation removed');
    const rest = await params(RelatedRecords.DeleteRelatedRecordsUsingExternalIDParam, { IDS: 'S1' });
    done(await berths.deleteRelatedRecordsUsingExternalId('US-1', rest), 200, 'relation removed');
    assert.deepEqual(await list(), []);
    has(await get('Berths', ids[1]), { Name: 'South end' });
  },

  async 'names records by an external id'({ sdk, operations, body, params, headers, notified }) {
    const { Record } = sdk;
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
    await notified('Boats', 'update', [id]);
    const upsert = body({ Registration: 'US-1', Length: 11.4 });
    has(entries(await boats.upsertRecords(upsert, await by(Record.UpsertRecordsHeader))), [
      { class: 'SuccessResponse', action: 'update', details: { id } },
    ]);
    await notified('Boats', 'update', [id]);
    const taken = await boats.createRecords(body({ Name: 'Copy', Registration: 'US-1' }));
    has(refusals(taken), [{ code: 'DUPLICATE_DATA', details: { api_name: 'Registration' } }]);
    const deleted = await boats.deleteRecordUsingExternalId(
      'US-1',
      await params(),
      await by(Record.DeleteRecordUsingExternalIDHeader),
    );
    done(deleted, 200, 'record deleted');
    await notified('Boats', 'delete', [id]);
    await disable({ sdk, params }, CHANNEL);
  },
};
