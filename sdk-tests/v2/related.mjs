import assert from 'node:assert/strict';
import { done, has, make, rows } from '../crm.mjs';
import { channel, disable } from './notifications.mjs';

export const title = 'notes and related records';

const LISTENER = '1000000068003';

export const cases = {
  async 'makes, reads, changes and deletes notes'({ sdk: { Notes }, create, record, params, headers, notified }) {
    const [lead] = await create('Leads', { Last_Name: 'Noted', Company: 'Paper' });
    await notified('Leads', 'insert', [lead]);
    const operations = new Notes.NotesOperations();
    const note = (values) => make(Notes.Note, values);
    const body = (...notes) => make(Notes.BodyWrapper, { data: notes });
    const parent = { parentId: record({ id: lead }), seModule: 'Leads' };
    const made = await operations.createNotes(
      body(
        note({ noteTitle: 'First', noteContent: 'Call back', ...parent }),
        note({ noteContent: 'Write', ...parent }),
      ),
    );
    const [first, second] = done(made, 201, 'record added');
    await notified('Notes', 'insert', [first, second]);

    const listed = rows(await operations.getNotes(await params(Notes.GetNotesParam, { PAGE: 1 }), await headers()));
    assert.deepEqual(
      listed.filter(({ parentId }) => parentId?.id === lead).map(({ id }) => id),
      [second, first],
    );
    const one = await operations.getNote(BigInt(first), await params(), await headers());
    has(rows(one), [{ noteTitle: 'First', noteContent: 'Call back', parentId: { id: lead }, seModule: 'Leads' }]);

    const called = body(note({ noteContent: 'Called' }));
    done(await operations.updateNote(BigInt(first), called), 200, 'record updated');
    await notified('Notes', 'update', [first]);
    const many = body(note({ id: BigInt(second), noteTitle: 'Letter' }));
    done(await operations.updateNotes(many), 200, 'record updated');
    await notified('Notes', 'update', [second]);
    done(await operations.deleteNote(BigInt(first)), 200, 'record deleted');
    await notified('Notes', 'delete', [first]);
    const rest = await params(Notes.DeleteNotesParam, { IDS: BigInt(second) });
    done(await operations.deleteNotes(rest), 200, 'record deleted');
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
      const found = rows(await contacts.getRelatedRecords(BigInt(account), await params(), await headers()));
      return found.map(({ Last_Name }) => Last_Name).toSorted();
    };
    assert.deepEqual(await list(), ['Spoke']);
    const one = await contacts.getRelatedRecord(BigInt(spoke), BigInt(account), await headers());
    has(rows(one), [{ id: spoke, Last_Name: 'Spoke' }]);

    const body = (...values) => make(RelatedRecords.BodyWrapper, { data: values.map(record) });
    done(await contacts.updateRelatedRecords(BigInt(account), body({ id: rim })), 200, 'relation added');
    await notified('Contacts', 'update', [rim]);
    const linked = await contacts.updateRelatedRecord(BigInt(tyre), BigInt(account), body({ Department: 'Rubber' }));
    done(linked, 200, 'relation added');
    await notified('Contacts', 'update', [tyre]);
    assert.deepEqual(await list(), ['Rim', 'Spoke', 'Tyre']);

    done(await contacts.delinkRecord(BigInt(rim), BigInt(account)), 200, 'relation removed');
    await notified('Contacts', 'update', [rim]);
    const both = await params();
    for (const id of [spoke, tyre]) await both.add(RelatedRecords.DelinkRecordsParam.IDS, BigInt(id));
    done(await contacts.delinkRecords(BigInt(account), both), 200, 'relation removed');
    await notified('Contacts', 'update', [spoke, tyre]);
    assert.deepEqual(await list(), []);
  },

  async 'reads the notes of a record as its related list'({ sdk: { RelatedRecords, Notes }, ...crm }) {
    const { create, params, headers, record, choice, notified } = crm;
    const [deal] = await create('Deals', { Deal_Name: 'Paper', Stage: choice('Qualification') });
    await notified('Deals', 'insert', [deal]);
    const body = make(Notes.BodyWrapper, {
      data: [make(Notes.Note, { noteContent: 'Discount', parentId: record({ id: deal }), seModule: 'Deals' })],
    });
    const [note] = done(await new Notes.NotesOperations().createNotes(body), 201, 'record added');
    await notified('Notes', 'insert', [note]);
    const notes = new RelatedRecords.RelatedRecordsOperations('Notes', 'Deals');
    has(rows(await notes.getRelatedRecords(BigInt(deal), await params(), await headers())), [
      { id: note, Note_Content: 'Discount' },
    ]);
  },

  async 'points a task at a contact and at a record of any module'({ create, get, link, choice, notified }) {
    const [contact] = await create('Contacts', { Last_Name: 'Who' });
    await notified('Contacts', 'insert', [contact]);
    const [deal] = await create('Deals', { Deal_Name: 'What', Stage: choice('Qualification') });
    await notified('Deals', 'insert', [deal]);
    const [task] = await create('Tasks', {
      Subject: 'Both',
      Who_Id: link(contact),
      What_Id: link(deal),
      $se_module: 'Deals',
    });
    await notified('Tasks', 'insert', [task]);
    has(await get('Tasks', task), {
      Who_Id: { id: contact, name: 'Who' },
      What_Id: { id: deal, name: 'What' },
      $se_module: 'Deals',
    });
  },

  async 'hears that a record related to another changed'({ sdk, notifyUrl, create, link, choice, params, notified }) {
    const operations = new sdk.Notifications.NotificationOperations();
    const listen = { events: ['Campaigns.edit'], notifyUrl, token: 'related', notifyOnRelatedAction: true };
    const enabled = await operations.enableNotifications(channel(sdk.Notifications, LISTENER, listen));
    done(enabled, 201, 'Successfully subscribed for actions-watch of the given module', 'getWatch');
    const [campaign] = await create('Campaigns', { Campaign_Name: 'Spring' });
    const values = { Deal_Name: 'From spring', Stage: choice('Qualification'), Campaign_Source: link(campaign) };
    const [deal] = await create('Deals', values);
    await notified('Deals', 'insert', [deal]);
    has(await notified('Campaigns', 'update', [campaign]), { token: 'related', channel_id: LISTENER });
    await disable({ sdk, params }, LISTENER);
  },
};
