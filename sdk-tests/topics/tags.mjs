import assert from 'node:assert/strict';
import { done, entries, has, make, plain } from '../crm.mjs';

export const title = 'tags';

export const cases = {
  async 'makes, lists, renames and deletes tags of a module'({ sdk, adapter, params }) {
    const { Tags } = sdk;
    const operations = new Tags.TagsOperations();
    const body = (...tags) => make(Tags.BodyWrapper, { tags: tags.map((values) => make(Tags.Tag, values)) });
    const color = adapter.color(sdk, '#57B1FD');
    const made = await operations.createTags(
      body({ name: 'urgent', colorCode: color }, { name: 'later' }),
      await params(Tags.CreateTagsParam, { MODULE: 'Contacts' }),
    );
    const [urgent, later] = done(made, 201, 'tags created successfully', 'getTags');
    const list = async () => {
      const response = await operations.getTags(await params(Tags.GetTagsParam, { MODULE: 'Contacts' }));
      return plain(response.getObject().getTags());
    };
    has(
      (await list()).find(({ id }) => id === urgent),
      { name: 'urgent', colorCode: '#57B1FD' },
    );

    const renamed = body({ id: BigInt(urgent), name: 'now' });
    const ofContacts = await params(Tags.UpdateTagsParam, { MODULE: 'Contacts' });
    done(await operations.updateTags(renamed, ofContacts), 200, 'tags updated successfully', 'getTags');
    const again = await params(Tags.UpdateTagParam, { MODULE: 'Contacts' });
    done(
      await operations.updateTag(BigInt(later), body({ name: 'someday' }), again),
      200,
      'tags updated successfully',
      'getTags',
    );
    const names = (await list()).map(({ name }) => name);
    assert.ok(names.includes('now') && names.includes('someday') && !names.includes('later'), names.join());
    done(await operations.deleteTag(BigInt(later)), 200, 'tags deleted successfully', 'getTags');
    assert.ok(!(await list()).some(({ id }) => id === later));
  },

  async 'tags one record and takes the tag off again'({ sdk: { Tags }, adapter, create, get, params, notified }) {
    const operations = new Tags.TagsOperations();
    const [id] = await create('Contacts', { Last_Name: 'Tagged' });
    await notified('Contacts', 'insert', [id]);
    const add = make(Tags.NewTagRequestWrapper, { tags: [make(Tags.Tag, { name: 'warm' })] });
    done(
      await operations.addTags(...adapter.tagged('Contacts', BigInt(id)), add, await params()),
      200,
      'tags updated successfully',
    );
    await notified('Contacts', 'update', [id], ['Tag']);
    has(await get('Contacts', id), { Tag: [{ name: 'warm' }] });
    const remove = make(Tags.ExistingTagRequestWrapper, { tags: [make(Tags.ExistingTag, { name: 'warm' })] });
    done(
      await operations.removeTags(...adapter.tagged('Contacts', BigInt(id)), remove),
      200,
      'tags updated successfully',
    );
    await notified('Contacts', 'update', [id], ['Tag']);
    has(await get('Contacts', id), { Tag: [] });
  },

  async 'tags several records, counts them, and takes the tag off several'({
    sdk: { Tags },
    create,
    params,
    notified,
  }) {
    const operations = new Tags.TagsOperations();
    const ids = await create('Contacts', { Last_Name: 'One' }, { Last_Name: 'Two' });
    await notified('Contacts', 'insert', ids);
    const longs = ids.map(BigInt);
    const add = make(Tags.NewTagRequestWrapper, { tags: [make(Tags.Tag, { name: 'cold' })], ids: longs });
    const added = await operations.addTagsToMultipleRecords('Contacts', add, await params());
    done(added, 200, 'tags updated successfully');
    await notified('Contacts', 'update', ids, ['Tag']);
    const tags = await operations.getTags(await params(Tags.GetTagsParam, { MODULE: 'Contacts' }));
    const cold = plain(tags.getObject().getTags()).find(({ name }) => name === 'cold');
    const ofContacts = await params(Tags.GetRecordCountForTagParam, { MODULE: 'Contacts' });
    has(plain((await operations.getRecordCountForTag(BigInt(cold.id), ofContacts)).getObject()), { count: '2' });
    const remove = make(Tags.ExistingTagRequestWrapper, {
      tags: [make(Tags.ExistingTag, { name: 'cold' })],
      ids: longs,
    });
    const taken = await operations.removeTagsFromMultipleRecords('Contacts', remove, await params());
    assert.equal(entries(taken).length, 2);
    done(taken, 200, 'tags updated successfully');
    await notified('Contacts', 'update', ids, ['Tag']);
  },
};
