import assert from 'node:assert/strict';
import { done, has, info, plain, rows } from '../crm.mjs';

export const title = 'lists, search and counts';

const NAMES = ['Abel', 'Bernoulli', 'Cauchy', 'Dirichlet', 'Euler'];

/** What the cases after the first list, search and count. */
export const VENDORS = NAMES.map((name, i) => ({
  Vendor_Name: name,
  Email: `${name.toLowerCase()}@example.com`,
  Phone: `555-02${i}`,
  Category: i < 2 ? 'early' : 'late',
}));

export const cases = {
  async 'lists in an order, page by page by token'(crm) {
    const { sdk, operations, create, params, headers, notified } = crm;
    const { Record } = sdk;
    const ids = await create('Vendors', ...VENDORS);
    await notified('Vendors', 'insert', ids);
    const found = [];
    let token;
    do {
      const query = { FIELDS: 'Vendor_Name', SORT_BY: 'id', SORT_ORDER: 'asc', PER_PAGE: 2 };
      const map = await params(Record.GetRecordsParam, { ...query, ...(token && { PAGE_TOKEN: token }) });
      const response = await operations('Vendors').getRecords(map, await headers());
      found.push(...rows(response).map(({ id }) => id));
      token = info(response).nextPageToken;
    } while (token);
    assert.deepEqual(
      found.filter((id) => ids.includes(id)),
      ids,
    );
    assert.equal(new Set(found).size, found.length);
  },

  async 'lists what was modified since, and nothing otherwise'({ sdk: { Record }, operations, params, headers }) {
    const since = async (date) =>
      operations('Vendors').getRecords(
        await params(Record.GetRecordsParam, { FIELDS: 'Vendor_Name' }),
        await headers(Record.GetRecordsHeader, { IF_MODIFIED_SINCE: date }),
      );
    assert.ok(rows(await since(new Date(Date.now() - 3_600_000))).length >= NAMES.length);
    assert.equal((await since(new Date(Date.now() + 3_600_000))).getStatusCode(), 304);
  },

  async 'searches by criteria, e-mail address, phone number and word'({
    sdk: { Record },
    operations,
    params,
    headers,
  }) {
    const search = async (by) => {
      const map = await params(Record.SearchRecordsParam, by);
      const found = rows(await operations('Vendors').searchRecords(map, await headers()));
      return found.map(({ Vendor_Name }) => Vendor_Name).toSorted();
    };
    assert.deepEqual(await search({ CRITERIA: '(Vendor_Name:equals:Euler)' }), ['Euler']);
    assert.deepEqual(await search({ CRITERIA: '((Category:equals:early)and(Vendor_Name:starts_with:Bern))' }), [
      'Bernoulli',
    ]);
    assert.deepEqual(await search({ CRITERIA: '(Vendor_Name:in:Abel,Cauchy)' }), ['Abel', 'Cauchy']);
    assert.deepEqual(await search({ EMAIL: 'dirichlet@example.com' }), ['Dirichlet']);
    assert.deepEqual(await search({ PHONE: '555-021' }), ['Bernoulli']);
    assert.deepEqual(await search({ WORD: 'cauchy' }), ['Cauchy']);
    assert.deepEqual(await search({ WORD: 'nobodyiscalledthis' }), []);
  },

  async 'counts all records, and those that a search finds'({ sdk: { Record }, operations, params }) {
    const count = async (by) =>
      plain((await operations('Vendors').recordCount(await params(Record.RecordCountParam, by))).getObject());
    assert.ok(Number((await count({})).count) >= NAMES.length);
    has(await count({ CRITERIA: '(Category:equals:late)' }), { count: '3' });
    has(await count({ EMAIL: 'abel@example.com' }), { count: '1' });
  },

  async 'lists what was deleted'({ sdk: { Record }, operations, create, params, headers, notified }) {
    const ids = await create('Vendors', { Vendor_Name: 'Fermat' }, { Vendor_Name: 'Viète' });
    await notified('Vendors', 'insert', ids);
    const gone = await params(Record.DeleteRecordsParam, { IDS: ids.join(',') });
    done(await operations('Vendors').deleteRecords(gone), 200, 'record deleted');
    await notified('Vendors', 'delete', ids);
    for (const type of ['recycle', 'all']) {
      const query = await params(Record.GetDeletedRecordsParam, { TYPE: type });
      const found = rows(await operations('Vendors').getDeletedRecords(query, await headers()));
      has(
        found.find(({ id }) => id === ids[1]),
        { displayName: 'Viète', type: 'recycle', deletedBy: { name: 'Patricia Boyle' } },
      );
    }
  },

  async 'reads the recycle bin and empties it'({ sdk: { Record, RecycleBin }, ...crm }) {
    const { operations, create, params, headers, notified } = crm;
    const ids = await create(
      'Vendors',
      { Vendor_Name: 'Ruffini' },
      { Vendor_Name: 'Waring' },
      { Vendor_Name: 'Wallis' },
    );
    const [first, second, third] = ids;
    await notified('Vendors', 'insert', ids);
    const gone = await params(Record.DeleteRecordsParam, { IDS: ids.join(',') });
    done(await operations('Vendors').deleteRecords(gone), 200, 'record deleted');
    await notified('Vendors', 'delete', ids);

    const bin = new RecycleBin.RecycleBinOperations();
    const listed = await bin.getRecyclebinRecords(
      await params(RecycleBin.GetRecycleBinRecordsParam, { IDS: ids.join(',') }),
    );
    assert.equal(plain(listed.getObject().getRecycleBin()).length, 3);
    const one = await bin.getRecyclebinRecord(BigInt(first));
    has(plain(one.getObject().getRecycleBin()), [
      { id: first, displayName: 'Ruffini', module: { aPIName: 'Vendors' }, deletedBy: { name: 'Patricia Boyle' } },
    ]);
    done(await bin.deleteRecyclebinRecord(BigInt(first)), 200, 'record deleted', 'getRecycleBin');
    await notified('Vendors', 'delete', [first]);
    const rest = await params(RecycleBin.DeleteRecycleBinRecordsParam, { IDS: `${second},${third}` });
    done(await bin.deleteRecyclebinRecords(rest), 200, 'record deleted', 'getRecycleBin');
    await notified('Vendors', 'delete', [second, third]);
    const query = await params(Record.GetDeletedRecordsParam, { TYPE: 'permanent' });
    const permanent = rows(await operations('Vendors').getDeletedRecords(query, await headers()));
    assert.ok(permanent.some(({ id }) => id === second));
  },
};
