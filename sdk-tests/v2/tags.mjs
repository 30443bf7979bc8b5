import assert from 'node:assert/strict';
import { done, entries, has, make, plain } from '../crm.mjs';

export const title = 'tags';

const UPDATED = 'tags updated successfully';

export const cases = {
  async 'makes, lists, renames, merges and deletes tags of a module'({ sdk: { Tags }, params }) {
    const operations = new Tags.TagsOperations();
    const body = (...tags) => make(Tags.BodyWrapper, { tags: tags.map((values) => make(Tags.Tag, values)) });
    const of = (kind) => params(kind, { MODULE: 'Contacts' });
    const made = await operations.createTags(
      body({ name: 'urgent' }, { name: 'later' }),
      await of(Tags.CreateTagsParam),
    );
    const [urgent, later] = done(made, 201, 'tags created successfully', 'getTags');
    const list = async () =>
      plain((await operations.getTags(await of(Tags.GetTagsParam))).getObject().getTags()).map(({ name }) => name);
    assert.deepEqual((await list()).toSorted(), ['later', 'urgent']);

    const renamed = body({ id: BigInt(urgent), name: 'now' });
    done(await operations.updateTags(renamed, await of(Tags.UpdateTagsParam)), 200, UPDATED, 'getTags');
    const again = body({ name: 'someday' });
    const one = await operations.updateTag(BigInt(later), again, await of(Tags.UpdateTagParam));
    done(one, 200, UPDATED, 'getTags');
    assert.deepEqual((await list()).toSorted(), ['now', 'someday']);
    done(await operations.deleteTag(BigInt(later)), 200, 'tags deleted successfully', 'getTags');
    assert.deepEqual(await list(), ['now']);
  },

  async 'tags one record and takes the tag off again'({ sdk: { Tags }, create, get, params, notified }) {
    const operations = new Tags.TagsOperations();
    const [id] = await create('Contacts', { Last_Name: 'Tagged' });
    await notified('Contacts', 'insert', [id]);
    const add = await params(Tags.AddTagsToRecordParam, { TAG_NAMES: 'warm' });
    done(await operations.addTagsToRecord(BigInt(id), 'Contacts', add), 200, UPDATED);
    await notified('Contacts', 'update', [id]);
    has(await get('Contacts', id), { Tag: [{ name: 'warm' }] });
    const remove = await params(Tags.RemoveTagsFromRecordParam, { TAG_NAMES: 'warm' });
    done(await operations.removeTagsFromRecord(BigInt(id), 'Contacts', remove), 200, UPDATED);
    await notified('Contacts', 'update', [id]);
    has(await get('Contacts', id), { Tag: [] });
  },

  async 'tags several records, counts them, and takes the tag off several'({ sdk, create, params, notified }) {
    const { Tags } = sdk;
    const operations = new Tags.TagsOperations();
    const ids = await create('Contacts', { Last_Name: 'One' }, { Last_Name: 'Two' });
    await notified('Contacts', 'insert', ids);
    const named = async (kind) => {
      const query = await params(kind, { TAG_NAMES: 'cold' });
      for (const id of ids) await query.add(kind.IDS, BigInt(id));
      return query;
    };
    const added = await operations.addTagsToMultipleRecords(
      'Contacts',
      await named(Tags.AddTagsToMultipleRecordsParam),
    );
    done(added, 200, UPDATED);
    await notified('Contacts', 'update', ids);
    const tags = await operations.getTags(await params(Tags.GetTagsParam, { MODULE: 'Contacts' }));
    const cold = plain(tags.getObject().getTags()).find(({ name }) => name === 'cold');
    const of = await params(Tags.GetRecordCountForTagParam, { MODULE: 'Contacts' });
    has(plain((await operations.getRecordCountForTag(BigInt(cold.id), of)).getObject()), { count: '2' });
    const kind = Tags.RemoveTagsFromMultipleRecordsParam;
    const taken = await operations.removeTagsFromMultipleRecords('Contacts', await named(kind));
    assert.equal(entries(taken).length, 2);
    done(taken, 200, UPDATED);
    await notified('Contacts', 'update', ids);
  },
};
