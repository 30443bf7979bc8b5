import assert from 'node:assert/strict';
import { done, has, make } from '../crm.mjs';

export const title = 'rows within records';

export const cases = {
  async 'writes the line items of a quote, changes one and adds another'(crm) {
    const { create, get, link, record, operations, body, notified } = crm;
    const [account] = await create('Accounts', { Account_Name: 'Buyer' });
    await notified('Accounts', 'insert', [account]);
    const [product] = await create('Products', { Product_Name: 'Lamp' });
    const [quote] = await create('Quotes', {
      Subject: 'Lamps',
      Account_Name: link(account),
      Quoted_Items: [record({ Product_Name: link(product), Quantity: 2, List_Price: 10.5 })],
    });
    await notified('Quotes', 'insert', [quote]);
    const [first] = (await get('Quotes', quote)).Quoted_Items;
    has(first, { Product_Name: { id: product }, Quantity: 2, List_Price: 10.5 });
    assert.match(first.id, /^\d+$/);

    const changed = body({
      Quoted_Items: [record({ id: first.id, Quantity: 3 }), record({ Product_Name: link(product), Quantity: 1 })],
    });
    done(await operations('Quotes').updateRecord(BigInt(quote), changed), 200, 'record updated');
    await notified('Quotes', 'update', [quote], []);
    const { Quoted_Items: items } = await get('Quotes', quote);
    assert.deepEqual(
      items.map(({ Quantity }) => Quantity),
      [3, 1],
    );
    assert.equal(items[0].id, first.id);
  },

  async 'invites participants to an event'({ sdk: { Record }, create, get, notified }) {
    const [contact] = await create('Contacts', { Last_Name: 'Guest', Email: 'guest@example.com' });
    await notified('Contacts', 'insert', [contact]);
    const [event] = await create('Events', {
      Event_Title: 'Dinner',
      Start_DateTime: new Date('2027-02-01T18:00:00Z'),
      End_DateTime: new Date('2027-02-01T20:00:00Z'),
      Participants: [
        make(Record.Participants, { participant: contact, type: 'contact' }),
        make(Record.Participants, { participant: 'friend@example.com', type: 'email' }),
      ],
    });
    await notified('Events', 'insert', [event]);
    const { Participants: guests } = await get('Events', event);
    assert.deepEqual(
      guests.map(({ participant, type }) => [participant, type]),
      [
        [contact, 'contact'],
        ['friend@example.com', 'email'],
      ],
    );
  },
};
