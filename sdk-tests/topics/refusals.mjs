import assert from 'node:assert/strict';
import { entries, has, refusal, refusals } from '../crm.mjs';

export const title = 'refusals';

export const cases = {
  async 'a mandatory field is missing'({ operations, body }) {
    const response = await operations('Leads').createRecords(body({ Company: 'No name' }));
    assert.equal(response.getStatusCode(), 400);
    has(refusals(response), [{ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Last_Name' } }]);
  },

  async 'one of two is wrong: the other is written, and told'({ adapter, operations, body, notified }) {
    const response = await operations('Leads').createRecords(body({ Company: 'X' }, { Last_Name: 'Y', Company: 'Z' }));
    assert.equal(response.getStatusCode(), adapter.mixed);
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

  async 'the value of a unique field is taken'({ operations, create, body, notified }) {
    const [holder] = await create('Accounts', { Account_Name: 'First', Account_Number: '4711' });
    await notified('Accounts', 'insert', [holder]);
    const response = await operations('Accounts').createRecords(body({ Account_Name: 'Next', Account_Number: '4711' }));
    has(refusals(response), [{ code: 'DUPLICATE_DATA', details: { api_name: 'Account_Number', id: holder } }]);
  },

  async 'more records than a call may have'({ operations, body }) {
    const many = Array.from({ length: 101 }, () => ({ Last_Name: 'X', Company: 'Y' }));
    has(refusal(await operations('Leads').createRecords(body(...many))), { status: 400, code: 'INVALID_DATA' });
  },

  async 'criteria that cannot be read'({ sdk: { Record }, operations, params, headers }) {
    const broken = await params(Record.SearchRecordsParam, { CRITERIA: '(Last_Name:equals' });
    has(refusal(await operations('Leads').searchRecords(broken, await headers())), {
      status: 400,
      code: 'INVALID_QUERY',
    });
  },

  async 'a module that is none: the SDK throws what the server said'({ operations, body }) {
    const error = await operations('Nonsense')
      .createRecords(body({ Name: 'x' }))
      .catch((thrown) => thrown);
    assert.match(JSON.stringify(error.details ?? error.cause ?? error), /INVALID_MODULE/);
  },
};
