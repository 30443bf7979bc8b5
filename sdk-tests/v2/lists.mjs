import assert from 'node:assert/strict';
import { has, info, rows } from '../crm.mjs';
import { VENDORS } from '../topics/lists.mjs';

export const title = 'lists, as these versions have them';

export const cases = {
  async 'lists in an order, page by page to the end'({
    sdk: { Record },
    operations,
    create,
    params,
    headers,
    notified,
  }) {
    const ids = await create('Vendors', ...VENDORS);
    await notified('Vendors', 'insert', ids);
    const found = [];
    for (let page = 1, more = true; more; page += 1) {
      const query = { FIELDS: 'Vendor_Name', SORT_BY: 'id', SORT_ORDER: 'asc', PAGE: page, PER_PAGE: 2 };
      const response = await operations('Vendors').getRecords(
        await params(Record.GetRecordsParam, query),
        await headers(),
      );
      found.push(...rows(response).map(({ id }) => id));
      const { moreRecords, ...rest } = info(response);
      has(rest, { page, perPage: 2 });
      more = moreRecords;
    }
    assert.deepEqual(
      found.filter((id) => ids.includes(id)),
      ids,
    );
    assert.equal(new Set(found).size, found.length);
  },
};
