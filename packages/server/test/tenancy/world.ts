import { Pool } from 'undici';
import type { LiveApp } from '../support/live-app.ts';

/** Everything by which a call can name something of an organisation. */
export interface Names {
  readonly org: string;
  readonly user: string;
  readonly profile: string;
  readonly client: string;
  /** As the operator names it. */
  readonly token: string;
  /** A module of the organisation's own, and a field of it. */
  readonly module: string;
  readonly field: string;
  readonly fieldId: string;
  /** A module of the organisation's own whose records live elsewhere. */
  readonly external: string;
  readonly contact: string;
  readonly account: string;
  readonly note: string;
  readonly email: string;
  readonly tag: string;
  readonly binned: string;
  readonly updateJob: string;
  readonly deleteJob: string;
  readonly pageToken: string;
  readonly channel: string;
  readonly generation: string;
  /** A replay that is under way. */
  readonly job: string;
  /** Id of a notification. */
  readonly notification: string;
  /** Id of what was told of the channel's life. */
  readonly notice: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** An organisation with one of everything, and the tokens with which its own people call. */
export interface World {
  readonly names: Names;
  /** In all that is said of it and is no name to ask by: who is of another organisation and sees it has seen too much. */
  readonly mark: string;
  /** The same for colleagues who may not see what the names are of. */
  readonly kept: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly accessToken: string;
  readonly adminToken: string;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely.
type Loose = any;

export type Send = (method: string, path: string, authorization: string | undefined, body?: object) => Promise<Answer>;

export function sender(base: string): { send: Send; close: () => Promise<void> } {
  const pool = new Pool(base, { connections: 8 });
  return {
    async send(method, path, authorization, body) {
      const { statusCode, body: answer } = await pool.request({
        method: method as 'GET',
        path,
        headers: { ...(authorization !== undefined && { authorization }) },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: statusCode, text: await answer.text() };
    },
    close: () => pool.destroy(),
  };
}

/** Ids that are asked for at once by a mass action, so that it becomes a job. */
const JOB_IDS = 501;

export async function makeWorld(app: LiveApp, send: Send, letter: string): Promise<World> {
  const mark = `Kestrel-${letter}`;
  const kept = `${mark}-kept`;
  const made = await app.app.accounts.setup({
    orgName: mark,
    timeZone: 'UTC',
    email: `owner@${letter}.example.com`,
    firstName: '',
    lastName: mark,
    clientName: mark,
  });
  const { clientId, clientSecret, refreshToken, adminToken } = made;
  const accessToken = await signIn(app, made);
  const read = ({ status, text }: Answer, what: string): Loose => {
    if (status >= 300) throw new Error(`${what}: ${status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const crm = async (method: string, path: string, body?: object): Promise<Loose> =>
    read(await send(method, `/crm/v8${path}`, `Zoho-oauthtoken ${accessToken}`, body), `${method} ${path}`);
  const admin = async (method: string, path: string, body?: object): Promise<Loose> => {
    const answer = await send(method, `/_watchbell/v1/orgs/${made.orgId}${path}`, `Bearer ${adminToken}`, body);
    return read(answer, `${method} ${path}`);
  };
  const create = async (module: string, ...data: object[]): Promise<string[]> => {
    const answer = await crm('POST', `/${module}`, { data });
    return answer.data.map(({ details }: Loose) => details.id);
  };

  const module = `Sites${letter}`;
  const field = `Region${letter}`;
  await admin('POST', '/modules', { api_name: module, singular: mark, plural: mark });
  await admin('POST', `/modules/${module}/fields`, { api_name: field, type: 'text' });
  const external = `Orders${letter}`;
  await admin('POST', '/modules', { api_name: external, singular: mark, plural: mark, external: true });
  const { fields } = await crm('GET', `/settings/fields?module=${module}`);
  const profile = (await admin('POST', '/profiles', { name: mark })).id;
  const spare = { email: `spare@${letter}.example.com`, last_name: mark };
  const firstProfile = (await admin('GET', '/profiles')).profiles[0].id;
  const user = (await admin('POST', '/users', { ...spare, profile: firstProfile })).id;
  await admin('POST', `/users/${user}/sign_in_key`);
  const { tokens } = await admin('GET', `/tokens?user=${user}`);
  const client = (await admin('POST', '/clients', { name: mark })).client.id;

  const email = `contact@${letter}.example.com`;
  const [account = ''] = await create('Accounts', { Account_Name: kept });
  const ofContact = { Last_Name: kept, Account_Name: { id: account } };
  const [contact = '', , binned = ''] = await create(
    'Contacts',
    { ...ofContact, Email: email },
    ...Array(4).fill(ofContact),
  );
  const [removed] = await create(module, { Name: kept }, { Name: kept }, { Name: kept });
  await crm('DELETE', `/${module}/${removed}`);
  await crm('POST', `/settings/tags?module=${module}`, { tags: [{ name: 'Any' }] });
  const [note = ''] = (
    await crm('POST', `/Contacts/${contact}/Notes`, { data: [{ Note_Title: kept, Note_Content: kept }] })
  ).data.map(({ details }: Loose) => details.id);
  const { tags } = await crm('POST', '/settings/tags?module=Contacts', { tags: [{ name: `Tag${letter}` }] });
  await crm('DELETE', `/Contacts/${binned}`);
  const page = await crm('GET', '/Contacts?fields=id&per_page=1');
  const many = Array.from({ length: JOB_IDS }, (_, i) => `${made.orgId}${String(900_000_000_000 + i)}`);
  const updated = await crm('POST', '/Contacts/actions/mass_update', { data: [{ Description: kept }], ids: many });
  const deleted = await crm('POST', '/Contacts/actions/mass_delete', { ids: many });
  const channel = `47110${letter.charCodeAt(0)}`;
  const notify_url = `${app.base}/_watchbell/inbox/${kept}`;
  await crm('POST', '/actions/watch', {
    watch: [{ channel_id: channel, events: ['Contacts.delete'], notify_url, token: kept }],
  });
  const { channels } = await admin('GET', '/channels');
  await admin('PUT', '/lifecycle', { url: `${notify_url}?told` });
  await admin('POST', `/channels/${channels[0].generation}/suspend`);
  await admin('POST', `/channels/${channels[0].generation}/resume`, {});
  await admin('PUT', `/channels/${channels[0].generation}/feed/cursors/reader`, { number: 0 });
  const [one, another] = await create('Contacts', ofContact, ofContact);
  for (const id of [one, another]) await crm('DELETE', `/Contacts/${id}`);
  await app.app.idle();
  // Under a clock that stands still it does not end.
  const replay = { which: 'all', rate: 1 };
  const { id: job } = await admin('POST', `/channels/${channels[0].generation}/replays`, replay);
  await app.app.idle();
  const { notices } = await admin('GET', '/notices');
  const { notifications } = await admin('GET', '/notifications?limit=1');
  return {
    mark,
    kept,
    clientId,
    clientSecret,
    refreshToken,
    accessToken,
    adminToken,
    names: {
      org: made.orgId,
      user,
      profile,
      client,
      token: tokens[0].id,
      module,
      field,
      external,
      fieldId: fields.find(({ api_name }: Loose) => api_name === field).id,
      contact,
      account,
      note,
      email,
      tag: tags[0].details.id,
      binned,
      updateJob: updated.data[0].details.job_id,
      deleteJob: deleted.data[0].details.job_id,
      pageToken: page.info.next_page_token,
      channel,
      generation: channels[0].generation,
      job,
      notification: notifications[0].id,
      notice: notices[0].id,
    },
  };
}

/** Names of the same form, of which there is nothing. Ids begin like those of the organisation. */
export function nobodyLike({ org, ...names }: Names): Names {
  const other = (i: number): string => `${org}8${String(10_000_000_000 + i)}`;
  return {
    org: '8999999',
    user: other(1),
    profile: other(2),
    client: `1000.${'0'.repeat(names.client.length - 5)}`,
    token: '0'.repeat(names.token.length),
    module: 'Nowhere',
    field: 'Nothing',
    external: 'Nowhere',
    fieldId: other(3),
    contact: other(4),
    account: other(5),
    note: other(6),
    email: 'nobody@z.example.com',
    tag: other(7),
    binned: other(8),
    updateJob: other(9),
    deleteJob: other(10),
    pageToken: names.pageToken.replace(/^.{8}/, 'AAAAAAAA'),
    channel: `47119${names.channel.slice(5)}`,
    generation: other(11),
    job: names.job.replace(/[0-9a-f]{32}$/, '0'.repeat(32)),
    notice: names.notice.replace(/[^_]+$/, '0'),
    notification: names.notification.replace(/[0-9a-f]{20}$/, '0'.repeat(20)),
  };
}

export async function signIn(
  app: LiveApp,
  client: { readonly clientId: string; readonly clientSecret: string; readonly refreshToken: string },
): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: client.clientId,
    client_secret: client.clientSecret,
    refresh_token: client.refreshToken,
  });
  const answer = await fetch(`${app.base}/oauth/v2/token`, { method: 'POST', body });
  return ((await answer.json()) as { access_token: string }).access_token;
}
