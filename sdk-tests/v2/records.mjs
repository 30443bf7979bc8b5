import assert from 'node:assert/strict';
import { done, entries, has, make, plain } from '../crm.mjs';

export const title = 'records, as these versions have them';

export const cases = {
  async 'writes lookups and changes them'(crm) {
    const { create, get, link, choice, operations, body, notified } = crm;
    const accounts = await create('Accounts', { Account_Name: 'Radium Ltd' }, { Account_Name: 'Polonium Ltd' });
    await notified('Accounts', 'insert', accounts);
    const [account, other] = accounts;
    const stage = choice('Qualification');
    const [deal] = await create('Deals', { Deal_Name: 'Lamp', Stage: stage, Account_Name: link(account) });
    await notified('Deals', 'insert', [deal]);
    has(await get('Deals', deal), { Account_Name: { id: account, name: 'Radium Ltd' }, Probability: 10 });
    const changed = body({ Stage: choice('Proposal/Price Quote'), Account_Name: link(other) });
    done(await operations('Deals').updateRecord(BigInt(deal), changed), 200, 'record updated');
    await notified('Deals', 'update', [deal]);
    has(await get('Deals', deal), { Account_Name: { id: other }, Probability: 75 });
  },

  async 'writes line items; those that are given take the place of all'(crm) {
    const { create, get, link, record, operations, body, notified } = crm;
    const [account] = await create('Accounts', { Account_Name: 'Buyer' });
    await notified('Accounts', 'insert', [account]);
    const [product] = await create('Products', { Product_Name: 'Lamp' });
    // The SDKs know the fields of no row, and so take a lookup in one as it is sent.
    const row = (values) => record({ Product_Name: new Map([['id', product]]), ...values });
    const [quote] = await create('Quotes', {
      Subject: 'Lamps',
      Account_Name: link(account),
      Quoted_Items: [row({ Quantity: 2, List_Price: 10.5 }), row({ Quantity: 5 })],
    });
    await notified('Quotes', 'insert', [quote]);
    const [first] = (await get('Quotes', quote)).Quoted_Items;
    has(first, { Product_Name: { id: product }, Quantity: 2, List_Price: 10.5 });

    const items = [record({ id: first.id, Quantity: 3 }), row({ Quantity: 1 })];
    done(await operations('Quotes').updateRecord(BigInt(quote), body({ Quoted_Items: items })), 200, 'record updated');
    await notified('Quotes', 'update', [quote]);
    const { Quoted_Items: now } = await get('Quotes', quote);
    assert.deepEqual(
      now.map(({ Quantity }) => Quantity),
      [3, 1],
    );
    assert.equal(now[0].id, first.id);
  },

  async 'updates records by their ids, few at once and many as a job'(crm) {
    const { sdk, create, record, operations, params, notified, notifiedOfAll } = crm;
    const { Record } = sdk;
    const update = (ids, values) =>
      operations('Leads').massUpdateRecords(
        make(Record.MassUpdateBodyWrapper, { data: [record(values)], ids, overWrite: true }),
      );
    const few = await create('Leads', { Last_Name: 'C', Company: 'Y' }, { Last_Name: 'D', Company: 'Y' });
    await notified('Leads', 'insert', few);
    done(await update(few, { City: 'Graz' }), 200, 'record updated');
    await notified('Leads', 'update', few);

    const many = [];
    for (let i = 0; i < 6; i += 1) {
      const batch = Array.from({ length: 100 }, (_, j) => ({ Last_Name: `Lead ${i * 100 + j}`, Company: 'Many' }));
      many.push(...(await create('Leads', ...batch)));
    }
    await notifiedOfAll('Leads', 'insert', many);
    const scheduled = await update(many, { City: 'Bern' });
    done(scheduled, 200, 'mass update scheduled successfully');
    const [{ details }] = entries(scheduled);
    const job = await params(Record.GetMassUpdateStatusParam, { JOB_ID: details.job_id });
    const status = await operations('Leads').getMassUpdateStatus(job);
    has(plain(status.getObject().getData()), [
      { status: 'COMPLETED', totalCount: 600, updatedCount: 600, notUpdatedCount: 0, failedCount: 0 },
    ]);
    await notifiedOfAll('Leads', 'update', many);
  },

  async 'does not even send more records than a call may have'({ operations, body }) {
    const many = Array.from({ length: 101 }, () => ({ Last_Name: 'X', Company: 'Y' }));
    await assert.rejects(
      async () => operations('Leads').createRecords(body(...many)),
      (error) => JSON.stringify(error).includes('"maximum-length":100'),
    );
  },
};
