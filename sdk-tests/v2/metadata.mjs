import assert from 'node:assert/strict';
import { has, plain, refusal } from '../crm.mjs';

export const title = 'metadata, users and organisation';

export const cases = {
  async 'lists the modules, and says that nothing changed since'({ sdk: { Modules }, headers }) {
    const operations = new Modules.ModulesOperations();
    const modules = plain((await operations.getModules(await headers())).getObject().getModules());
    const names = modules.map(({ aPIName }) => aPIName);
    for (const name of ['Leads', 'Accounts', 'Contacts', 'Deals', 'Tasks', 'Notes'])
      assert.ok(names.includes(name), name);
    const later = await headers(Modules.GetModulesHeader, { IF_MODIFIED_SINCE: new Date(Date.now() + 60_000) });
    assert.equal((await operations.getModules(later)).getStatusCode(), 304);
  },

  async 'reads one module'({ sdk: { Modules } }) {
    const [found] = plain((await new Modules.ModulesOperations().getModule('Deals')).getObject().getModules());
    has(found, { aPIName: 'Deals', pluralLabel: 'Deals', generatedType: 'default' });
  },

  async 'reads the fields of a module, and one of them; lookups name modules by text'({ sdk: { Fields }, params }) {
    const operations = new Fields.FieldsOperations('Deals');
    const fields = plain((await operations.getFields(await params())).getObject().getFields());
    has(
      fields.find(({ aPIName }) => aPIName === 'Account_Name'),
      { dataType: 'lookup', lookup: { module: 'Accounts' } },
    );
    const stage = fields.find(({ aPIName }) => aPIName === 'Stage');
    assert.ok(stage.pickListValues.some(({ displayValue }) => displayValue === 'Closed Won'));
    const [again] = plain((await operations.getField(BigInt(stage.id))).getObject().getFields());
    assert.equal(again.aPIName, 'Stage');
  },

  async 'reads the fields of every module'({ sdk: { Modules, Fields }, params, headers }) {
    const listed = await new Modules.ModulesOperations().getModules(await headers());
    for (const { aPIName: module } of plain(listed.getObject().getModules())) {
      const response = await new Fields.FieldsOperations(module).getFields(await params());
      assert.equal(response.getStatusCode(), 200, module);
      assert.ok(response.getObject().getFields().length > 3, module);
    }
  },

  async 'reads the related lists of a module, which name theirs by text'({ sdk: { RelatedLists } }) {
    const operations = new RelatedLists.RelatedListsOperations('Accounts');
    const lists = plain((await operations.getRelatedLists()).getObject().getRelatedLists());
    const names = lists.map(({ aPIName }) => aPIName);
    for (const name of ['Contacts', 'Deals', 'Notes']) assert.ok(names.includes(name), name);
    const contacts = lists.find(({ aPIName }) => aPIName === 'Contacts');
    assert.equal(contacts.module, 'Contacts');
  },

  async 'is told of a module that is none'({ sdk: { Fields }, params }) {
    const response = await new Fields.FieldsOperations('Nonsense').getFields(await params());
    has(refusal(response), { status: 400, code: 'INVALID_MODULE' });
  },

  async 'reads the organisation'({ sdk: { Org }, session: { org } }) {
    const [found] = plain((await new Org.OrgOperations().getOrganization()).getObject().getOrg());
    has(found, { zgid: org });
  },

  async 'lists the users, and finds itself'({ sdk: { Users }, params, headers }) {
    const operations = new Users.UsersOperations();
    const of = async (type) => {
      const found = await operations.getUsers(await params(Users.GetUsersParam, { TYPE: type }), await headers());
      return plain(found.getObject().getUsers());
    };
    const [self] = await of('CurrentUser');
    has(self, { email: 'patricia@example.com', status: 'active' });
    assert.ok((await of('ActiveUsers')).some(({ id }) => id === self.id));
    const one = await operations.getUser(BigInt(self.id), await headers());
    has(plain(one.getObject().getUsers()), [{ id: self.id, email: self.email }]);
  },
};
