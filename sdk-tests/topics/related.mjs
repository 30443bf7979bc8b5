import assert from 'node:assert/strict';
import { done, has, make, rows } from '../crm.mjs';
import { channel } from './notifications.mjs';

export const title = 'notes and related records';

const LISTENER = '1000000068003';

export const cases = {
  async 'makes, reads, changes and deletes notes'({ sdk, adapter, create, params, headers, notified }) {
    const { Notes, Modules } = sdk;
    const [lead] = await create('Leads', { Last_Name: 'Noted', Company: 'Paper' });
    await notified('Leads', 'insert', [lead]);
    const operations = new Notes.NotesOperations();
    const parent = () => adapter.parentOfNote(sdk, BigInt(lead), make(Modules.MinifiedModule, { aPIName: 'Leads' }));
    const note = (values) => make(Notes.Note, values);
    const body = (...notes) => make(Notes.BodyWrapper, { data: notes });
    const made = await operations.createNotes(
      body(
        note({ noteTitle: 'First', noteContent: 'Call back', parentId: parent() }),
        note({ noteContent: 'Write', parentId: parent() }),
      ),
    );
    const [first, second] = done(made, 201, 'record added');
    await notified('Notes', 'insert', [first, second]);

    const fields = await params(Notes.GetNotesParam, { FIELDS: 'Note_Title,Note_Content,Parent_Id' });
    const listed = rows(await operations.getNotes(fields, await headers()));
    assert.deepEqual(
      listed.filter(({ parentId }) => parentId?.id === lead).map(({ id }) => id),
      [second, first],
    );
    const one = await operations.getNote(
      BigInt(first),
      await params(Notes.GetNoteParam, { FIELDS: 'Note_Title,Note_Content,Parent_Id' }),
      await headers(),
    );
    has(rows(one), [
      { noteTitle: 'First', noteContent: 'Call back', parentId: { id: lead, module: { [adapter.apiName]: 'Leads' } } },
    ]);

    done(await operations.updateNote(BigInt(first), body(note({ noteContent: 'Called' }))), 200, 'record updated');
    await notified('Notes', 'update', [first], ['Note_Content']);
    const many = body(note({ id: BigInt(second), noteTitle: 'Letter' }));
    done(await operations.updateNotes(many), 200, 'record updated');
    await notified('Notes', 'update', [second], ['Note_Title']);
    done(await operations.deleteNote(BigInt(first)), 200, 'record deleted');
    await notified('Notes', 'delete', [first]);
    done(await operations.deleteNotes(await params(Notes.DeleteNotesParam, { IDS: second })), 200, 'record deleted');
    await notified('Notes', 'delete', [second]);
  },

  async 'lists, reads, links and unlinks related records'({ sdk: { RelatedRecords }, ...crm }) {
    const { create, record, link, params, headers, notified } = crm;
    const [account] = await create('Accounts', { Account_Name: 'Hub' });
    await notified('Accounts', 'insert', [account]);
    const ids = await create(
      'Contacts',
      { Last_Name: 'Spoke', Account_Name: link(account) },
      { Last_Name: 'Rim' },
      { Last_Name: 'Tyre' },
    );
    await notified('Contacts', 'insert', ids);
    const [spoke, rim, tyre] = ids;
    const contacts = new RelatedRecords.RelatedRecordsOperations('Contacts', 'Accounts');
    const list = async () => {
      const query = await params(RelatedRecords.GetRelatedRecordsParam, { FIELDS: 'Last_Name,Account_Name' });
      const found = rows(await contacts.getRelatedRecords(BigInt(account), query, await headers()));
      return found.map(({ Last_Name }) => Last_Name).toSorted();
    };
    assert.deepEqual(await list(), ['Spoke']);
    const one = await contacts.getRelatedRecord(
      BigInt(spoke),
      BigInt(account),
      await params(RelatedRecords.GetRelatedRecordParam, { FIELDS: 'Last_Name' }),
      await headers(),
    );
    has(rows(one), [{ id: spoke, Last_Name: 'Spoke' }]);

    const body = (...values) => make(RelatedRecords.BodyWrapper, { data: values.map(record) });
    const linked = await contacts.updateRelatedRecords(BigInt(account), body({ id: rim }), await headers());
    done(linked, 200, 'relation added');
    await notified('Contacts', 'update', [rim], ['Account_Name']);
    const linkedOne = await contacts.updateRelatedRecord(
      BigInt(tyre),
      BigInt(account),
      body({ Department: 'Rubber' }),
      await headers(),
    );
    done(linkedOne, 200, 'relation added');
    await notified('Contacts', 'update', [tyre]);
    assert.deepEqual(await list(), ['Rim', 'Spoke', 'Tyre']);

    done(await contacts.delinkRecord(BigInt(rim), BigInt(account), await headers()), 200, 'relation removed');
    await notified('Contacts', 'update', [rim], ['Account_Name']);
    const both = await params(RelatedRecords.DelinkRecordsParam, { IDS: `${spoke},${tyre}` });
    done(await contacts.delinkRecords(BigInt(account), both, await headers()), 200, 'relation removed');
    await notified('Contacts', 'update', [spoke, tyre], ['Account_Name']);
    assert.deepEqual(await list(), []);
  },

  async 'reads the notes of a record as its related list'({ sdk: { RelatedRecords }, ...crm }) {
    const { create, params, headers, record, notified } = crm;
    const [deal] = await create('Deals', { Deal_Name: 'Paper', Stage: crm.choice('Qualification') });
    await notified('Deals', 'insert', [deal]);
    const [note] = await create('Notes', {
      Note_Content: 'Discount',
      Parent_Id: record({ id: deal, module: 'Deals' }),
    });
    await notified('Notes', 'insert', [note]);
    const notes = new RelatedRecords.RelatedRecordsOperations('Notes', 'Deals');
    const query = await params(RelatedRecords.GetRelatedRecordsParam, { FIELDS: 'Note_Content' });
    has(rows(await notes.getRelatedRecords(BigInt(deal), query, await headers())), [
      { id: note, Note_Content: 'Discount' },
    ]);
  },

  async 'points a task at a contact and at a record of any module'(crm) {
    const { create, get, link, record, notified } = crm;
    const [contact] = await create('Contacts', { Last_Name: 'Who' });
    await notified('Contacts', 'insert', [contact]);
    const [deal] = await create('Deals', { Deal_Name: 'What', Stage: crm.choice('Qualification') });
    await notified('Deals', 'insert', [deal]);
    const [task] = await create('Tasks', {
      Subject: 'Both',
      Who_Id: link(contact),
      What_Id: record({ id: deal }),
      $se_module: 'Deals',
    });
    await notified('Tasks', 'insert', [task]);
    has(await get('Tasks', task), {
      Who_Id: { id: contact, name: 'Who' },
      What_Id: { id: deal, name: 'What' },
      $se_module: 'Deals',
    });
  },

  async 'hears that a record related to another changed'({ sdk, notifyUrl, create, link, adapter, params, notified }) {
    const { Notifications } = sdk;
    const operations = new Notifications.NotificationsOperations();
    const listen = channel(Notifications, LISTENER, {
      events: ['Campaigns.edit'],
      notifyUrl,
      token: 'related',
      notifyOnRelatedAction: true,
    });
    done(
      await operations.enableNotifications(listen),
      201,
      'Successfully subscribed for actions-watch of the given module',
      'getWatch',
    );
    const [campaign] = await create('Campaigns', { Campaign_Name: 'Spring' });
    const [deal] = await create('Deals', {
      Deal_Name: 'From spring',
      Stage: new sdk.Choice('Qualification'),
      Campaign_Source: link(campaign),
    });
    await notified('Deals', 'insert', [deal]);
    has(await notified('Campaigns', 'update', [campaign], []), { token: 'related', channel_id: LISTENER });
    const off = await params(Notifications.DeleteNotificationParam, { CHANNEL_IDS: adapter.channelIds(LISTENER) });
    done(await operations.deleteNotification(off), 200, 'Successfully un-subscribed from actions-watch', 'getWatch');
  },
};
