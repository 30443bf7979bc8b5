import fc from 'fast-check';
import { maybe, oddTexts } from './json-tree.ts';
import { VERSIONS } from './watch-calls.ts';
import type { Operation, World } from './world.ts';

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

/** In a path or query as it is, broken escapes and all, but for what no client could put on the wire. */
const bare = (text: string): string => text.replaceAll(/[^\x21-\x7e]|[?#]/g, (character) => encoded(character));

export const brokenEscapes = fc.constantFrom(
  '%',
  '%zz',
  '%c3%28',
  '%00',
  '%ff',
  '+',
  '%2C',
  '&&',
  '=',
  '%u0041',
  '..%2f',
  '%2e%2e',
);
export const junkText = fc.oneof(oddTexts.map(encoded), oddTexts.map(bare), brokenEscapes);

/** Values by the name of a parameter. */
type Values = Readonly<Record<string, fc.Arbitrary<string>>>;

/** Ids of what the path is about: records of the module mostly. */
export function idsOf(world: World, module: string, path: string): fc.Arbitrary<string> {
  const { recordIds, tagIds, binIds, otherIds, userIds, victim } = world;
  const all = ['3652397000000200001', ...[...recordIds.values()].flat()];
  const about = path.includes('/recycle_bin')
    ? binIds
    : path.includes('/settings/tags')
      ? tagIds.get(module)
      : path.includes('/users')
        ? userIds
        : recordIds.get(module);
  return fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...(about ?? []), ...all.slice(0, 1)) },
    { weight: 2, arbitrary: fc.constantFrom(...all, ...otherIds) },
    { weight: 1, arbitrary: fc.constantFrom('3652397000000999999', '1', '9'.repeat(30), victim.user) },
  );
}

const usually = (usual: string, ...others: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const modules = (module: string) => usually(module, 'users', 'Nothings', 'leads', 'actions', 'settings', 'Contacts');

/** The operation's path for a request about a module. */
export function pathsOf({ path }: Operation, world: World, module: string): fc.Arbitrary<string> {
  const { victim } = world;
  const ids = idsOf(world, module, path);
  const values: Values = {
    version: fc.constantFrom(...VERSIONS),
    module: path.startsWith('/crm/') ? modules(module) : usually('Extras', module, 'Nope'),
    id: path.includes('/fields/') ? fc.constantFrom(...world.otherIds) : ids,
    relatedId: idsOf(world, 'Contacts', path),
    related: usually('Contacts', 'Notes', 'Deals', 'Tasks', 'Leads', 'Nothings', 'actions', 'photo'),
    // Never an organisation that the model knows: calls may end it.
    org: usually(victim.org, '8999999', '12', 'x'),
    user: usually(victim.user, `${victim.org}000000999999`),
    profile: fc.constantFrom(victim.profile, victim.spareProfile),
    client: usually(victim.clientId, '1000.NONE'),
    token: fc.constantFrom(...victim.tokens, '1', 'x'),
    field: usually('Extra', 'Last_Name', 'Nope'),
    // Nor a channel that it follows.
    channel: usually('7100000000000000001', '+7100000000000000001', '9'.repeat(20), 'x'),
    generation: usually(`${victim.org}000000000001`, 'x'),
    name: fc.constantFrom('fuzz', 'a.b', 'x'),
  };
  const parts = path.split(/(\{\w+\})/).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    return name === undefined ? fc.constant(part) : asSent(values[name] ?? ids);
  });
  return fc.tuple(...parts).map((texts) => texts.join(''));
}

const asSent = (values: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 24, arbitrary: values.map(encoded) }, { weight: 1, arbitrary: junkText });

/** What may stand behind the `?` of the operation. */
export function queriesOf({ parameters, path }: Operation, world: World, module: string): fc.Arbitrary<string> {
  const { victim } = world;
  const ids = idsOf(world, module, path);
  const numbers = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('1', '2', '200') },
    { weight: 1, arbitrary: fc.constantFrom('0', '-1', '201', '1.5', '1000001', 'x', '') },
  );
  const values: Values = {
    page: numbers,
    per_page: numbers,
    count: numbers,
    after: numbers,
    // Longer would hold the run up.
    wait: usually('0', '-1', '31', 'x', ''),
    module: modules(module),
    ids: fc.oneof(
      { weight: 9, arbitrary: fc.array(ids, { minLength: 1, maxLength: 4 }).map((list) => list.join()) },
      { weight: 1, arbitrary: fc.constantFrom(',', '1,'.repeat(101), '') },
    ),
    job_id: fc.constantFrom('1', '3652397000000900001', 'x'),
    fields: fc.constantFrom('Last_Name', 'id,Email', 'Nope', ',', Array.from({ length: 51 }, (_, i) => `F${i}`).join()),
    sort_by: usually('Created_Time', 'id', 'Modified_Time', 'Last_Name', '', 'deleted_time'),
    sort_order: usually('asc', 'desc', 'ASC', ''),
    type: fc.constantFrom('all', 'recycle', 'permanent', 'AllUsers', 'CurrentUser', 'DeletedUsers', 'x'),
    criteria: criteria(world, module),
    email: usually('patricia@example.com', 'x', '', 'x'.repeat(256)),
    phone: usually('555', ''),
    word: usually('Boyle', 'a', '', 'ß'),
    page_token: fc.constantFrom('x', '', 'eyJ', 'a'.repeat(900)),
    tag_names: usually('Important', 'a,b', ',', 'x'.repeat(26)),
    user: usually(victim.user, 'x'),
    client: usually(victim.clientId, ''),
    ended: usually('true', 'false', '1'),
  };
  const pairOf = (name: string) => asSent(values[name] ?? oddTexts).map((value) => `${name}=${value}`);
  const own = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name }) => maybe(name === 'page_token' ? 5 : name === 'ids' || name === 'module' ? 85 : 50, pairOf(name)));
  const consent = path === '/oauth/v2/auth' ? [consentQuery(world)] : [];
  const extra = fc
    .tuple(fc.constantFrom('module', 'ids', 'x', 'page', '__proto__', 'toString'), junkText)
    .map((pair) => pair.join('='));
  return fc
    .tuple(...own, ...consent, maybe(6, extra), maybe(6, pairOf('page')))
    .map((pairs) => pairs.filter((pair) => pair !== undefined).join('&'));
}

function criteria({ fields }: World, module: string): fc.Arbitrary<string> {
  const names = ['Nope', ...(fields.get(module) ?? []).map(({ name }) => name)];
  const operators = ['equals', 'not_equal', 'in', 'starts_with', 'between', 'greater_than', 'less_equal', 'nope'];
  const values = fc.constantFrom('x', '1', 'a,b', '2026-01-01', 'true', '\\(', '1,2', '', 'ö', '9'.repeat(30));
  const one = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...operators), values)
    .map((parts) => `(${parts.join(':')})`);
  const joined = fc
    .array(fc.tuple(one, fc.constantFrom('and', 'or', 'nand', '')), { minLength: 1, maxLength: 16 })
    .map((parts) => `(${parts.map(([item, word]) => item + word).join('')})`);
  const tokens = fc
    .array(fc.constantFrom('(', ')', 'and', 'or', ':', 'Last_Name', 'equals', ',', '\\', 'x', ' '), { maxLength: 30 })
    .map((list) => list.join(''));
  return fc.oneof(one, one, joined, tokens, fc.constantFrom('('.repeat(3000), 'x'.repeat(5001)));
}

const consentQuery = ({ victim }: World): fc.Arbitrary<string> =>
  fc
    .record(
      {
        response_type: fc.constantFrom('code', 'token'),
        client_id: fc.constantFrom(victim.clientId, '1000.DEV', 'x'),
        redirect_uri: fc.constantFrom('http://localhost:1/back', 'https://evil.example/', 'x', 'javascript:1'),
        scope: fc.constantFrom('ZohoCRM.modules.ALL', 'nonsense', '', 'ZohoCRM.users.READ,ZohoCRM.org.READ'),
        access_type: fc.constantFrom('online', 'offline', 'x'),
        state: fc.oneof(oddTexts, fc.constant('s')),
      },
      { requiredKeys: ['client_id', 'response_type', 'redirect_uri'] },
    )
    .map((query) =>
      Object.entries(query)
        .map(([key, value]) => `${key}=${encoded(value)}`)
        .join('&'),
    );
