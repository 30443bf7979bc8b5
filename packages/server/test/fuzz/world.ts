import type { LiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import type { Names } from './model-condition.ts';

/** Modules of which records are made and changed; the others are named only. */
const MODULES = ['Leads', 'Accounts', 'Contacts', 'Deals', 'Tasks', 'Quotes', 'Products', 'Notes'];
/** What may be watched in the calls that are made up, beside the above. */
const WATCHED_ONLY = ['Vendors', 'users', 'Sales_Orders'];
export const DENIED = ['Deals', 'Vendors'];

export interface FieldFacts {
  readonly name: string;
  readonly type: string;
  readonly choices: readonly string[];
}

/** An organisation that the calls may suspend, rob of its tokens or erase. */
export interface Victim {
  readonly org: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly user: string;
  readonly profile: string;
  /** Nobody has it. */
  readonly spareProfile: string;
  /** By which the operator names tokens. */
  readonly tokens: readonly string[];
}

/** What is there to be named. */
export interface World {
  readonly operations: readonly Operation[];
  readonly modules: readonly string[];
  readonly watchable: readonly string[];
  /** By module. */
  readonly fields: ReadonlyMap<string, readonly FieldFacts[]>;
  /** By module. */
  readonly recordIds: ReadonlyMap<string, readonly string[]>;
  /** By module. */
  readonly tagIds: ReadonlyMap<string, readonly string[]>;
  readonly binIds: readonly string[];
  readonly userIds: readonly string[];
  /** Of fields. */
  readonly otherIds: readonly string[];
  readonly victim: Victim;
}

/** One operation of the API document that the server serves of itself. */
export interface Operation {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly versions: readonly string[];
  readonly parameters: readonly { readonly in: string; readonly name: string }[];
  readonly form: boolean;
  readonly example?: unknown;
  readonly schema?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely.
type Loose = any;

const read = async (app: LiveApp, path: string): Promise<Loose> => (await app.owner.call('GET', path)).body ?? {};

export async function readOperations(app: LiveApp): Promise<Operation[]> {
  const { paths } = await read(app, '/_watchbell/openapi.json');
  return Object.entries<Loose>(paths).flatMap(([path, item]) =>
    Object.entries<Loose>(item).map(([method, { parameters = [], requestBody }]): Operation => {
      const content = requestBody?.content ?? {};
      const [type = ''] = Object.keys(content);
      return {
        method: method.toUpperCase(),
        path,
        versions: parameters.find(({ name }: Loose) => name === 'version')?.schema.enum ?? [],
        parameters,
        form: type !== '' && type !== 'application/json',
        example: content[type]?.example,
        schema: content[type]?.schema,
      };
    }),
  );
}

/** As the metadata calls tell the names and ids of an organisation. */
export async function readNames(call: (path: string) => Promise<Loose>): Promise<Names> {
  const { modules } = await call('/crm/v8/settings/modules');
  const fields = new Map<string, ReadonlyMap<string, string>>();
  for (const module of [...MODULES, ...WATCHED_ONLY]) {
    const answer = await call(`/crm/v8/settings/fields?module=${module}`);
    fields.set(module, new Map((answer?.fields ?? []).map((field: Loose) => [field.api_name, field.id])));
  }
  return { modules: new Map(modules.map((module: Loose) => [module.api_name, module.id])), fields };
}

export async function readWorld(app: LiveApp, operations: readonly Operation[], victim: Victim): Promise<World> {
  const fields = new Map<string, readonly FieldFacts[]>();
  const recordIds = new Map<string, readonly string[]>();
  const tagIds = new Map<string, readonly string[]>();
  const otherIds: string[] = [];
  const { users = [] } = await read(app, '/crm/v8/users');
  await addParcels(app, String(users[0]?.id).slice(0, 7));
  for (const module of MODULES) {
    const { fields: found = [] } = await read(app, `/crm/v8/settings/fields?module=${module}`);
    fields.set(
      module,
      found.map((field: Loose) => ({
        name: field.api_name,
        type: field.data_type,
        choices: (field.pick_list_values ?? []).map((choice: Loose) => choice.actual_value),
      })),
    );
    otherIds.push(...found.slice(0, 2).map((field: Loose) => field.id));
    await addRecords(app, module);
    const { data = [] } = await read(app, `/crm/v8/${module}?fields=id&per_page=8`);
    recordIds.set(
      module,
      data.map((record: Loose) => record.id),
    );
    const { tags = [] } = await read(app, `/crm/v8/settings/tags?module=${module}`);
    tagIds.set(
      module,
      tags.slice(0, 4).map((tag: Loose) => tag.id),
    );
  }
  const bin = await read(app, '/crm/v8/settings/recycle_bin?per_page=8');
  return {
    operations,
    modules: MODULES,
    watchable: [...MODULES, ...WATCHED_ONLY],
    fields,
    recordIds,
    tagIds,
    binIds: (bin.recycle_bin ?? []).map((item: Loose) => item.id),
    userIds: users.map((user: Loose) => user.id),
    otherIds,
    victim,
  };
}

/** Some records that earlier calls have not deleted. */
async function addRecords(app: LiveApp, module: string): Promise<void> {
  const sample = { Last_Name: 'Boyle', Company: 'C', Account_Name: 'A', Deal_Name: 'D', Stage: 'Qualification' };
  const data = [1, 2].map((i) => ({ ...sample, Subject: `S${i}`, Product_Name: `P${i}`, Email: `${i}@example.com` }));
  // Of those modules whose mandatory fields these are.
  await app.owner.call('POST', `/crm/v8/${module}`, { data });
  await app.owner.call('POST', `/crm/v8/settings/tags?module=${module}`, { tags: [{ name: 'Important' }] });
}

/** A module whose records live elsewhere. */
const addParcels = (app: LiveApp, org: string) =>
  operatorOf(app.base)('POST', `/orgs/${org}/modules`, {
    api_name: 'Parcels',
    singular: 'Parcel',
    plural: 'Parcels',
    external: true,
  });

export async function makeVictim(app: LiveApp): Promise<Victim> {
  const made = await app.app.accounts.setup({
    orgName: 'Short-lived',
    timeZone: 'America/St_Johns',
    email: 'victim@example.com',
    firstName: '',
    lastName: 'Victim',
    clientName: 'Test',
  });
  const { clientId, clientSecret, refreshToken } = made;
  const form = {
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret,
    refresh_token: refreshToken,
  };
  const token = await fetch(`${app.base}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  const { access_token: accessToken } = (await token.json()) as { access_token: string };
  const response = await fetch(`${app.base}/crm/v8/users?type=CurrentUser`, {
    headers: { authorization: `Zoho-oauthtoken ${accessToken}` },
  });
  const { users } = (await response.json()) as Loose;
  const org = String(users[0].id).slice(0, 7);
  const operate = operatorOf(app.base);
  await addParcels(app, org);
  const { body: spare } = await operate('POST', `/orgs/${org}/profiles`, { name: 'Spare' });
  const { body: tokens } = await operate('GET', `/orgs/${org}/tokens`);
  return {
    org,
    accessToken,
    refreshToken,
    clientId,
    clientSecret,
    user: users[0].id,
    profile: users[0].profile.id,
    spareProfile: (spare as Loose).id,
    tokens: (tokens as Loose).tokens.map((token: Loose) => token.id),
  };
}
