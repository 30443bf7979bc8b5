import { type OfficialSdk, officialSdk } from './suite.ts';

const topics = (folder: string, ...names: string[]) => names.map((name) => `./${folder}/${name}.mjs`);

const NO_BIN = 'the SDKs have no recycle bin';
const NO_OWNER = 'the SDKs set an owner by updating the record';
const NO_MASS_DELETE = 'the SDKs delete no more than 100 records in a call';

/** What of the later SDKs' topics those of 2.0 and 2.1 cannot do. Where their calls differ, they have a topic of their own. */
const LEFT_OUT = {
  './topics/notifications.mjs': 'they have their own: v2/notifications.mjs',
  './topics/many-at-once.mjs': 'they have mass update alone: v2/records.mjs',
  './topics/tags.mjs': 'they have their own: v2/tags.mjs',
  './topics/related.mjs': 'they have their own: v2/related.mjs',
  './topics/custom-modules.mjs': 'they have their own: v2/external-ids.mjs',
  './topics/metadata.mjs': 'they have their own: v2/metadata.mjs',
  './topics/users.mjs': 'they have their own: v2/metadata.mjs',
  './topics/sign-in.mjs': 'they have their own: v2/sign-in.mjs',
  './topics/after-restart.mjs': 'they have their own: v2/after-restart.mjs',
  'writes lookups and changes them; a stage takes its probability along':
    'their notifications have no values; v2/records.mjs does the rest',
  'writes the line items of a quote, changes one and adds another': 'a row is set otherwise: v2/records.mjs',
  'lists in an order, page by page by token': 'they page by number: v2/lists.mjs',
  'reads the recycle bin and empties it': NO_BIN,
  'more records than a call may have': 'they send no more: v2/records.mjs',
};

const NO_METHOD = {
  'GET settings/recycle_bin': NO_BIN,
  'DELETE settings/recycle_bin': NO_BIN,
  'GET settings/recycle_bin/{id}': NO_BIN,
  'DELETE settings/recycle_bin/{id}': NO_BIN,
  'GET settings/recycle_bin/actions/count': NO_BIN,
  'POST settings/recycle_bin/actions/restore': NO_BIN,
  'POST settings/recycle_bin/{id}/actions/restore': NO_BIN,
  'POST {module}/actions/change_owner': NO_OWNER,
  'POST {module}/{id}/actions/change_owner': NO_OWNER,
  'GET {module}/actions/mass_delete': NO_MASS_DELETE,
  'POST {module}/actions/mass_delete': NO_MASS_DELETE,
  'POST {module}/{id}/{related}': 'the SDKs link records by PUT only',
  'POST /oauth/v2/token/revoke': 'the SDKs revoke no token',
};

/** The SDKs 2.0 and 2.1, which share their classes and methods, and with the later ones the topics on plain records. */
export const olderSdk = (own: Pick<OfficialSdk, 'package' | 'version'> & Partial<OfficialSdk>): Promise<void> =>
  officialSdk({
    connect: './v2/connect.mjs',
    topics: [
      ...topics('v2', 'notifications', 'records', 'lists', 'tags', 'related', 'external-ids', 'metadata'),
      ...topics('topics', 'records', 'rows', 'lists', 'refusals', 'every-module', 'nothing-else'),
    ],
    asColleague: topics('v2', 'sign-in'),
    afterRestart: topics('v2', 'after-restart'),
    ...own,
    leftOut: { ...LEFT_OUT, ...own.leftOut },
    noMethod: { ...NO_METHOD, ...own.noMethod },
  });
