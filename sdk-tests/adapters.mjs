/**
 * What the SDKs from 6.0 on want differently: all that the topics, which are the same for each, need to know of it. The
 * TypeScript SDK 8.0 is what the others differ from.
 */
const TYPESCRIPT_8 = {
  /** Names of `sdk.…` as the topics use them, and as the SDK has them. */
  names: {},
  yes: () => true,
  channelIds: (id) => id,
  color: (_sdk, text) => text,
  /** What sets `_delete_events`, as `make` takes it. */
  deleteEvents: 'deleteEvents',
  /** How one record is named to a call on its tags. */
  tagged: (module, id) => [module, id],
  modules: (operations, params, headers) => operations.getModules(params, headers),
  fields: async ({ sdk: { Fields }, params }, module) =>
    new Fields.FieldsOperations().getFields(await params(Fields.GetFieldsParam, { MODULE: module })),
  /** The module that a lookup field points at. */
  lookedUp: ({ lookup }) => lookup?.module?.aPIName,
  parentOfNote: ({ Notes }, id, module) => {
    const parent = new Notes.ParentId();
    parent.setId(id);
    parent.setModule(module);
    return parent;
  },
  /** How the module of a note's parent says its name. */
  apiName: 'aPIName',
  /** The status when some of several channels or records were refused. */
  mixed: 207,
};

const NODEJS_8 = {
  ...TYPESCRIPT_8,
  yes: ({ Choice }) => new Choice(true),
  channelIds: BigInt,
  color: ({ Choice }, text) => new Choice(text),
};

const TYPESCRIPT_7 = {
  ...NODEJS_8,
  names: { RelatedRecords: 'RecordsRelated', RelatedLists: 'ListsRelated', MassDeleteCvid: 'CvidDeleteMass' },
  deleteEvents: 'deleteevents',
  tagged: (module, id) => [id, module],
  modules: (operations, _params, headers) => operations.getModules(headers),
  mixed: 202,
};

const TYPESCRIPT_6 = {
  ...TYPESCRIPT_7,
  parentOfNote: ({ Record }, id, module) => {
    const parent = new Record.Record();
    parent.setId(id);
    parent.addKeyValue('module', module);
    return parent;
  },
  apiName: 'api_name',
};

export const ADAPTERS = {
  '@zohocrm/typescript-sdk-8.0': TYPESCRIPT_8,
  '@zohocrm/nodejs-sdk-8.0': NODEJS_8,
  '@zohocrm/typescript-sdk-7.0': TYPESCRIPT_7,
  '@zohocrm/typescript-sdk-6.0': TYPESCRIPT_6,
};
