import assert from 'node:assert/strict';
import { entries, has, refusals } from '../crm.mjs';

export const title = 'refusals';

export const cases = {
  async 'a mandatory field is missing'({ operations, body }) {
    const response = await operations('Leads').createRecords(body({ Company: 'No name' }));
    assert.equal(response.getStatusCode(), 400);
    has(refusals(response), [{ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Last_Name' } }]);
  },

  async 'one of two is wrong: the other is written, and told'({ operations, body, notified }) {
    const response = await operations('Leads').createRecords(body({ Company: 'X' }, { Last_Name: 'Y', Company: 'Z' }));
    assert.equal(response.getStatusCode(), 207);
    const [refused, written] = entries(response);
    assert.deepEqual([refused.class, written.class], ['APIException', 'SuccessResponse']);
    await notified('Leads', 'insert', [written.details.id]);
  },

  async 'an id that no record has'({ operations, body }) {
    const response = await operations('Leads').updateRecord(3652397009999999999n, body({ Company: 'Nobody' }));
    has(refusals(response), [{ code: 'INVALID_DATA' }]);
  },

  async 'a lookup that points at nothing'(crm) {
    const record = { Last_Name: 'Lost', Account_Name: crm.record({ id: '3652397009999999999' }) };
    const response = await crm.operations('Contacts').createRecords(crm.body(record));
    has(refusals(response), [{ code: 'INVALID_DATA', details: { parent_api_name: 'Account_Name' } }]);
  },

  async 'a module that is none: the SDK throws what the server said'({ operations, body }) {
    const error = await operations('Nonsense')
      .createRecords(body({ Name: 'x' }))
      .catch((thrown) => thrown);
    assert.match(JSON.stringify(error.details ?? error.cause ?? error), /INVALID_MODULE/);
  },
};
