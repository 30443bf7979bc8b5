import assert from 'node:assert/strict';
import { has, plain, refusal } from '../crm.mjs';

export const title = 'metadata';

export const cases = {
  async 'lists the modules, and says that nothing changed since'({ sdk: { Modules }, adapter, params, headers }) {
    const operations = new Modules.ModulesOperations();
    const response = await adapter.modules(operations, await params(), await headers());
    const modules = plain(response.getObject().getModules());
    const names = modules.map(({ aPIName }) => aPIName);
    for (const name of ['Leads', 'Accounts', 'Contacts', 'Deals', 'Tasks', 'Notes'])
      assert.ok(names.includes(name), name);
    const later = await headers(Modules.GetModulesHeader, { IF_MODIFIED_SINCE: new Date(Date.now() + 60_000) });
    assert.ok([204, 304].includes((await adapter.modules(operations, await params(), later)).getStatusCode()));
  },

  async 'reads one module by name and by id'({ sdk: { Modules } }) {
    const operations = new Modules.ModulesOperations();
    const [byName] = plain((await operations.getModuleByAPIName('Deals')).getObject().getModules());
    has(byName, { aPIName: 'Deals', pluralLabel: 'Deals', generatedType: 'default' });
    const [byId] = plain((await operations.getModule(BigInt(byName.id))).getObject().getModules());
    assert.equal(byId.aPIName, 'Deals');
  },

  async 'reads the fields of a module, and one of them'({ sdk: { Fields }, params }) {
    const operations = new Fields.FieldsOperations();
    const of = await params(Fields.GetFieldsParam, { MODULE: 'Deals' });
    const fields = plain((await operations.getFields(of)).getObject().getFields());
    const account = fields.find(({ aPIName }) => aPIName === 'Account_Name');
    has(account, { dataType: 'lookup', lookup: { module: { aPIName: 'Accounts' } } });
    const stage = fields.find(({ aPIName }) => aPIName === 'Stage');
    assert.ok(stage.pickListValues.some(({ displayValue }) => displayValue === 'Closed Won'));
    const one = await params(Fields.GetFieldParam, { MODULE: 'Deals' });
    const [again] = plain((await operations.getField(BigInt(stage.id), one)).getObject().getFields());
    assert.deepEqual(again.aPIName, 'Stage');
  },

  async 'reads the related lists of a module'({ sdk: { RelatedLists }, params }) {
    const operations = new RelatedLists.RelatedListsOperations();
    const of = await params(RelatedLists.GetRelatedListsParam, { MODULE: 'Accounts' });
    const lists = plain((await operations.getRelatedLists(of)).getObject().getRelatedLists());
    const names = lists.map(({ aPIName }) => aPIName);
    for (const name of ['Contacts', 'Deals', 'Notes']) assert.ok(names.includes(name), name);
  },

  async 'is told of a module that is none'({ sdk: { Fields }, params }) {
    const of = await params(Fields.GetFieldsParam, { MODULE: 'Nonsense' });
    has(refusal(await new Fields.FieldsOperations().getFields(of)), { status: 400, code: 'INVALID_MODULE' });
  },
};
