import { feedRows } from './feed-rows.ts';
import { operatorNoticeRows, ownerNoticeRows } from './notice-rows.ts';
import { operatorNotificationRows, ownerNotificationRows } from './notification-rows.ts';
import type { Names } from './world.ts';

/** One call: what stands for the parameters of its path, its query and its body. */
export interface Ask {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: object;
  /** It succeeds whatever it names: it lists, counts or makes. */
  readonly always?: true;
  /** Only the operator of all organisations may make it. */
  readonly ofAll?: true;
}

/**
 * Of each route a call that names something of an organisation, such that its own people succeed with it. With names of
 * nothing the same call must not. A new route needs a row here: the test says so.
 */
export type Rows = Readonly<Record<string, (names: Names) => Ask | readonly Ask[]>>;

const data = (...entries: object[]) => ({ data: entries });
const watched = (channel_id: string, more: object = {}) => ({
  watch: [{ channel_id, events: ['Leads.create'], notify_url: 'https://example.com/', ...more }],
});
const ofContacts = ({ contact }: Names) => ({ module: 'Contacts', id: contact });
const contacts = { module: 'Contacts' };

const toldOf = (module: string) => ({ module, operation: 'insert', records: [{ id: 'any', values: { Name: 'N' } }] });

const CRM = '/crm/{version}';
const MODULE = `${CRM}/{module}`;
const ONE = `${MODULE}/{id}`;
const SETTINGS = `${CRM}/settings`;
const BIN = `${SETTINGS}/recycle_bin`;

export const CRM_ROWS: Rows = {
  [`POST ${CRM}/actions/watch`]: ({ channel, module }) => [
    { body: watched(channel), always: true },
    { body: watched(channel, { events: [`${module}.create`] }) },
  ],
  [`GET ${CRM}/actions/watch`]: ({ channel }) => ({ query: `channel_id=${channel}` }),
  [`PUT ${CRM}/actions/watch`]: ({ channel }) => ({ body: watched(channel) }),
  [`PATCH ${CRM}/actions/watch`]: ({ channel }) => [
    { body: watched(channel) },
    { body: { watch: [{ channel_id: channel, events: ['Contacts.delete'], _delete_events: true }] } },
  ],
  [`DELETE ${CRM}/actions/watch`]: ({ channel }) => ({ query: `channel_ids=${channel}` }),

  [`GET ${MODULE}`]: ({ module, pageToken, contact }) => [
    { path: { module }, query: 'fields=Name' },
    { path: contacts, query: `fields=id&per_page=1&page_token=${pageToken}` },
    { path: contacts, query: `fields=Last_Name&ids=${contact}` },
  ],
  [`POST ${MODULE}`]: ({ account, user, tag }) => [
    { path: contacts, body: data({ Last_Name: 'L', Account_Name: { id: account } }) },
    { path: contacts, body: data({ Last_Name: 'L', Owner: { id: user } }) },
    { path: contacts, body: data({ Last_Name: 'L', Tag: [{ id: tag }] }) },
  ],
  [`PUT ${MODULE}`]: ({ contact }) => ({ path: contacts, body: data({ id: contact, Description: 'D' }) }),
  [`DELETE ${MODULE}`]: ({ contact }) => ({ path: contacts, query: `ids=${contact}` }),
  [`POST ${MODULE}/upsert`]: ({ email }) => ({
    path: contacts,
    body: data({ Last_Name: 'L', Email: email }),
    always: true,
  }),
  [`GET ${MODULE}/deleted`]: ({ module }) => ({ path: { module }, query: 'type=all' }),
  [`GET ${MODULE}/search`]: ({ email, module }) => [
    { path: contacts, query: `email=${email}` },
    { path: contacts, query: `criteria=(Email:equals:${email})` },
    { path: { module }, query: 'word=a1' },
  ],
  [`GET ${MODULE}/actions/count`]: ({ module }) => ({ path: { module } }),
  [`GET ${ONE}`]: (names) => ({ path: ofContacts(names) }),
  [`PUT ${ONE}`]: (names) => ({ path: ofContacts(names), body: data({ Description: 'D' }) }),
  [`DELETE ${ONE}`]: (names) => ({ path: ofContacts(names) }),

  [`GET ${ONE}/{related}`]: (names) => ({
    path: { ...ofContacts(names), related: 'Notes' },
    query: 'fields=Note_Title',
  }),
  [`POST ${ONE}/{related}`]: (names) => ({
    path: { ...ofContacts(names), related: 'Notes' },
    body: data({ Note_Title: 'T', Note_Content: 'C' }),
  }),
  [`PUT ${ONE}/{related}`]: ({ account, contact }) => ({
    path: { module: 'Accounts', id: account, related: 'Contacts' },
    body: data({ id: contact }),
  }),
  [`DELETE ${ONE}/{related}`]: ({ note, ...names }) => ({
    path: { ...ofContacts({ note, ...names }), related: 'Notes' },
    query: `ids=${note}`,
  }),
  [`GET ${ONE}/{related}/{relatedId}`]: (names) => ({
    path: { ...ofContacts(names), related: 'Notes', relatedId: names.note },
  }),
  [`PUT ${ONE}/{related}/{relatedId}`]: (names) => ({
    path: { ...ofContacts(names), related: 'Notes', relatedId: names.note },
    body: data({ Note_Content: 'C' }),
  }),
  [`DELETE ${ONE}/{related}/{relatedId}`]: (names) => ({
    path: { ...ofContacts(names), related: 'Notes', relatedId: names.note },
  }),

  [`POST ${MODULE}/actions/add_tags`]: ({ contact }) => ({
    path: contacts,
    body: { tags: [{ name: 'New' }], ids: [contact] },
  }),
  [`POST ${ONE}/actions/add_tags`]: (names) => ({ path: ofContacts(names), body: { tags: [{ name: 'New' }] } }),
  [`POST ${MODULE}/actions/remove_tags`]: ({ contact }) => ({
    path: contacts,
    body: { tags: [{ name: 'New' }], ids: [contact] },
  }),
  [`POST ${ONE}/actions/remove_tags`]: (names) => ({ path: ofContacts(names), body: { tags: [{ name: 'New' }] } }),
  [`POST ${MODULE}/actions/change_owner`]: ({ contact, user }) => ({
    path: contacts,
    body: { ids: [contact], owner: { id: user } },
  }),
  [`POST ${ONE}/actions/change_owner`]: (names) => ({ path: ofContacts(names), body: { owner: { id: names.user } } }),
  [`POST ${MODULE}/actions/mass_update`]: ({ contact }) => ({
    path: contacts,
    body: { ...data({ Description: 'D' }), ids: [contact], over_write: true },
  }),
  [`GET ${MODULE}/actions/mass_update`]: ({ updateJob }) => ({ path: contacts, query: `job_id=${updateJob}` }),
  [`POST ${MODULE}/actions/mass_delete`]: ({ contact }) => ({ path: contacts, body: { ids: [contact] } }),
  [`GET ${MODULE}/actions/mass_delete`]: ({ deleteJob }) => ({ path: contacts, query: `job_id=${deleteJob}` }),

  [`GET ${SETTINGS}/tags`]: ({ module }) => ({ query: `module=${module}` }),
  [`POST ${SETTINGS}/tags`]: ({ module }) => ({ query: `module=${module}`, body: { tags: [{ name: 'New' }] } }),
  [`PUT ${SETTINGS}/tags`]: ({ tag }) => ({ query: 'module=Contacts', body: { tags: [{ id: tag, name: 'Newer' }] } }),
  [`PUT ${SETTINGS}/tags/{id}`]: ({ tag: id }) => ({
    path: { id },
    query: 'module=Contacts',
    body: { tags: [{ name: 'Newer' }] },
  }),
  [`DELETE ${SETTINGS}/tags/{id}`]: ({ tag: id }) => ({ path: { id } }),
  [`GET ${SETTINGS}/tags/{id}/actions/records_count`]: ({ tag: id }) => ({
    path: { id },
    query: 'module=Contacts',
    always: true,
  }),
  [`GET ${SETTINGS}/modules`]: () => ({ always: true }),
  [`GET ${SETTINGS}/modules/{module}`]: ({ module }) => ({ path: { module } }),
  [`GET ${SETTINGS}/fields`]: ({ module }) => ({ query: `module=${module}` }),
  [`GET ${SETTINGS}/fields/{id}`]: ({ module, fieldId: id }) => ({ path: { id }, query: `module=${module}` }),
  [`GET ${SETTINGS}/related_lists`]: ({ module }) => ({ query: `module=${module}` }),
  [`GET ${BIN}`]: ({ binned }) => [{ query: `ids=${binned}` }, {}],
  [`DELETE ${BIN}`]: ({ binned }) => ({ query: `ids=${binned}` }),
  [`GET ${BIN}/{id}`]: ({ binned: id }) => ({ path: { id } }),
  [`DELETE ${BIN}/{id}`]: ({ binned: id }) => ({ path: { id } }),
  [`GET ${BIN}/actions/count`]: () => ({ always: true }),
  [`POST ${BIN}/actions/restore`]: ({ binned }) => ({ body: { ids: [binned] } }),
  [`POST ${BIN}/{id}/actions/restore`]: ({ binned: id }) => ({ path: { id } }),
  [`GET ${CRM}/org`]: () => ({ always: true }),
  [`GET ${CRM}/users`]: () => ({ always: true }),
  [`GET ${CRM}/users/{id}`]: ({ user: id }) => ({ path: { id } }),
};

const ORGS = '/_watchbell/v1/orgs';
const ORG = `${ORGS}/{org}`;

/** Routes of the operator. */
export const ADMIN_ROWS: Rows = {
  [`GET ${ORGS}`]: () => ({ always: true }),
  [`POST ${ORGS}`]: () => ({
    body: { name: 'New', email: 'new@example.com', last_name: 'New' },
    always: true,
    ofAll: true,
  }),
  [`GET ${ORG}`]: ({ org }) => ({ path: { org } }),
  [`PATCH ${ORG}`]: ({ org }) => ({ path: { org }, body: { name: 'Newer' } }),
  [`DELETE ${ORG}`]: ({ org }) => ({ path: { org } }),
  [`POST ${ORG}/suspend`]: ({ org }) => ({ path: { org }, ofAll: true }),
  [`POST ${ORG}/resume`]: ({ org }) => ({ path: { org }, ofAll: true }),
  [`GET ${ORG}/users`]: ({ org }) => ({ path: { org } }),
  [`POST ${ORG}/users`]: ({ org, profile }) => ({
    path: { org },
    body: { email: 'new@example.com', last_name: 'New', profile },
  }),
  [`GET ${ORG}/users/{user}`]: ({ org, user }) => ({ path: { org, user } }),
  [`PATCH ${ORG}/users/{user}`]: ({ org, user }) => ({ path: { org, user }, body: { last_name: 'Newer' } }),
  [`DELETE ${ORG}/users/{user}`]: ({ org, user }) => ({ path: { org, user } }),
  [`POST ${ORG}/users/{user}/sign_in_key`]: ({ org, user }) => ({ path: { org, user } }),
  [`DELETE ${ORG}/users/{user}/sign_in_key`]: ({ org, user }) => ({ path: { org, user } }),
  [`GET ${ORG}/profiles`]: ({ org }) => ({ path: { org } }),
  [`POST ${ORG}/profiles`]: ({ org, module }) => ({ path: { org }, body: { name: 'New', denied_modules: [module] } }),
  [`GET ${ORG}/profiles/{profile}`]: ({ org, profile }) => ({ path: { org, profile } }),
  [`PATCH ${ORG}/profiles/{profile}`]: ({ org, profile }) => ({ path: { org, profile }, body: { name: 'Newer' } }),
  [`DELETE ${ORG}/profiles/{profile}`]: ({ org, profile }) => ({ path: { org, profile } }),
  [`GET ${ORG}/clients`]: ({ org }) => ({ path: { org } }),
  [`POST ${ORG}/clients`]: ({ org, user }) => ({ path: { org }, body: { name: 'New', acting_user: user } }),
  [`GET ${ORG}/clients/{client}`]: ({ org, client }) => ({ path: { org, client } }),
  [`PATCH ${ORG}/clients/{client}`]: ({ org, client }) => ({ path: { org, client }, body: { name: 'Newer' } }),
  [`DELETE ${ORG}/clients/{client}`]: ({ org, client }) => ({ path: { org, client } }),
  [`POST ${ORG}/clients/{client}/secret`]: ({ org, client }) => ({ path: { org, client }, body: { keep_seconds: 0 } }),
  [`POST ${ORG}/clients/{client}/grants`]: ({ org, client, user }) => ({
    path: { org, client },
    body: { user, scopes: ['ZohoCRM.modules.ALL'] },
  }),
  [`GET ${ORG}/tokens`]: ({ org, user }) => ({ path: { org }, query: `user=${user}` }),
  [`DELETE ${ORG}/tokens`]: ({ org, user }) => ({ path: { org }, query: `user=${user}` }),
  [`DELETE ${ORG}/tokens/{token}`]: ({ org, token }) => ({ path: { org, token } }),
  [`GET ${ORG}/channels`]: ({ org, user }) => [{ path: { org } }, { path: { org }, query: `user=${user}` }],
  [`GET ${ORG}/channels/{generation}`]: ({ org, generation }) => ({ path: { org, generation } }),
  [`GET ${ORG}/channels/{generation}/revisions`]: ({ org, generation }) => ({ path: { org, generation } }),
  [`GET ${ORG}/channels/{generation}/settings`]: ({ org, generation }) => ({ path: { org, generation } }),
  [`PATCH ${ORG}/channels/{generation}/settings`]: ({ org, generation }) => ({
    path: { org, generation },
    body: { concurrency: 3 },
  }),
  [`POST ${ORG}/channels/{generation}/test`]: ({ org, generation }) => ({ path: { org, generation } }),
  [`POST ${ORG}/channels/{generation}/suspend`]: ({ org, generation }) => ({ path: { org, generation } }),
  [`POST ${ORG}/channels/{generation}/resume`]: ({ org, generation }) => ({
    path: { org, generation },
    body: { mode: 'backlog' },
  }),
  [`GET ${ORG}/signing`]: ({ org }) => ({ path: { org } }),
  [`PUT ${ORG}/signing`]: ({ org }) => ({ path: { org }, body: { keep_seconds: 0 } }),
  [`DELETE ${ORG}/signing`]: ({ org }) => ({ path: { org } }),
  [`GET ${ORG}/channels/{generation}/signing`]: ({ org, generation }) => ({ path: { org, generation } }),
  [`PUT ${ORG}/channels/{generation}/signing`]: ({ org, generation }) => ({
    path: { org, generation },
    body: { keep_seconds: 0 },
  }),
  [`DELETE ${ORG}/channels/{generation}/signing`]: ({ org, generation }) => ({ path: { org, generation } }),
  ...feedRows(`${ORG}/channels/{generation}`, ({ org, generation }) => ({ org, generation })),
  [`GET ${ORG}/modules`]: ({ org }) => ({ path: { org } }),
  [`POST ${ORG}/modules`]: ({ org }) => ({
    path: { org },
    body: { api_name: 'Yards', singular: 'Yard', plural: 'Yards' },
  }),
  [`GET ${ORG}/modules/{module}`]: ({ org, module }) => ({ path: { org, module } }),
  [`PATCH ${ORG}/modules/{module}`]: ({ org, module }) => ({ path: { org, module }, body: { plural: 'Newer' } }),
  [`DELETE ${ORG}/modules/{module}`]: ({ org, module }) => ({ path: { org, module } }),
  [`POST ${ORG}/modules/{module}/fields`]: ({ org, module }) => ({
    path: { org, module },
    body: { api_name: 'Depth', type: 'text' },
  }),
  [`PATCH ${ORG}/modules/{module}/fields/{field}`]: ({ org, module, field }) => ({
    path: { org, module, field },
    body: { label: 'Newer' },
  }),
  [`DELETE ${ORG}/modules/{module}/fields/{field}`]: ({ org, module, field }) => ({ path: { org, module, field } }),
  [`GET ${ORG}/explain`]: ({ org, contact, user }) => [
    { path: { org }, query: `module=Contacts&record=${contact}`, always: true },
    { path: { org }, query: `module=Contacts&record=${contact}&user=${user}`, always: true },
  ],
  [`POST ${ORG}/changes`]: ({ org, external, user }) => [
    { path: { org }, body: { changes: [toldOf(external)], by: user } },
    { path: { org }, body: { changes: [toldOf(external)] } },
  ],
  [`POST ${ORG}/channels/{generation}/notifications/{number}/redeliver`]: ({ org, generation }) => ({
    path: { org, generation, number: '1' },
  }),
  [`POST ${ORG}/channels/{generation}/replays`]: ({ org, generation }) => ({
    path: { org, generation },
    body: { which: 'all' },
  }),
  [`GET ${ORG}/jobs`]: ({ org, generation }) => [{ path: { org } }, { path: { org }, query: `channel=${generation}` }],
  [`GET ${ORG}/jobs/{job}`]: ({ org, job }) => ({ path: { org, job } }),
  [`POST ${ORG}/jobs/{job}/pause`]: ({ org, job }) => ({ path: { org, job } }),
  [`POST ${ORG}/jobs/{job}/resume`]: ({ org, job }) => ({ path: { org, job } }),
  [`POST ${ORG}/jobs/{job}/cancel`]: ({ org, job }) => ({ path: { org, job } }),
  ...operatorNotificationRows(ORG),
  ...operatorNoticeRows(ORG),
};

const OWN = '/_watchbell/v1';
const CHANNEL = `${OWN}/channels/{channel}`;

/** Routes of an owner, beside those of the hosted service: of own channels. */
export const OWNER_ROWS: Rows = {
  [`POST ${OWN}/changes`]: ({ external }) => ({ body: { changes: [toldOf(external)] } }),
  [`GET ${OWN}/explain`]: ({ contact, account, channel }) => [
    { query: `module=Contacts&record=${contact}`, always: true },
    { query: `module=Accounts&record=${account}&channel=${channel}`, always: true },
  ],
  [`GET ${OWN}/channels`]: () => ({ always: true }),
  ...feedRows(CHANNEL, ({ channel }) => ({ channel })),
  [`GET ${CHANNEL}`]: ({ channel, generation }) => [
    { path: { channel } },
    { path: { channel }, query: `generation=${generation}` },
  ],
  [`GET ${CHANNEL}/revisions`]: ({ channel }) => ({ path: { channel } }),
  [`GET ${CHANNEL}/settings`]: ({ channel }) => ({ path: { channel } }),
  [`PATCH ${CHANNEL}/settings`]: ({ channel }) => ({ path: { channel }, body: { concurrency: 3 } }),
  [`GET ${CHANNEL}/signing`]: ({ channel }) => ({ path: { channel } }),
  [`PUT ${CHANNEL}/signing`]: ({ channel }) => ({ path: { channel }, body: { keep_seconds: 0 } }),
  [`DELETE ${CHANNEL}/signing`]: ({ channel }) => ({ path: { channel } }),
  [`POST ${CHANNEL}/test`]: ({ channel }) => ({ path: { channel } }),
  [`POST ${CHANNEL}/suspend`]: ({ channel }) => ({ path: { channel } }),
  [`POST ${CHANNEL}/resume`]: ({ channel }) => ({ path: { channel }, body: { mode: 'skip' } }),
  [`POST ${CHANNEL}/notifications/{number}/redeliver`]: ({ channel }) => ({ path: { channel, number: '1' } }),
  [`POST ${CHANNEL}/replays`]: ({ channel }) => ({ path: { channel }, body: { which: 'all' } }),
  [`GET ${OWN}/jobs`]: ({ channel }) => [{ query: `channel=${channel}` }, { always: true }],
  [`GET ${OWN}/jobs/{job}`]: ({ job }) => ({ path: { job } }),
  [`POST ${OWN}/jobs/{job}/pause`]: ({ job }) => ({ path: { job } }),
  [`POST ${OWN}/jobs/{job}/resume`]: ({ job }) => ({ path: { job } }),
  [`POST ${OWN}/jobs/{job}/cancel`]: ({ job }) => ({ path: { job } }),
  ...ownerNotificationRows(OWN),
  ...ownerNoticeRows(OWN),
};

/** Routes of the node as a whole: nothing of theirs belongs to an organisation, and no operator of one may use them. */
export const NODE_ROWS: Rows = {
  'GET /_watchbell/v1/inbox/{name}': () => ({ path: { name: 'any' } }),
  'DELETE /_watchbell/v1/inbox/{name}': () => ({ path: { name: 'any' } }),
  'GET /_watchbell/v1/clock': () => ({}),
  'POST /_watchbell/v1/clock/freeze': () => ({}),
  'POST /_watchbell/v1/clock/set': () => ({ body: { by: '1s' } }),
  'POST /_watchbell/v1/clock/advance': () => ({ body: { by: '1s' } }),
  'POST /_watchbell/v1/clock/resume': () => ({}),
};
