import fc from 'fast-check';
import { type Mutation, maybe, mutations, oddTexts, oddValues, type Tree } from './json-tree.ts';
import type { Names } from './model-condition.ts';
import type { World } from './world.ts';

export const VERSIONS = ['v2', 'v2.1', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'];
export const USERS = ['owner', 'colleague', 'stranger'] as const;
export type UserName = (typeof USERS)[number];

/** Few, so that calls meet. */
export const CHANNEL_IDS = ['1', '42', '-7', '9223372036854775807', '-9223372036854775808'];

/** A call of `actions/watch` whose answer the model knows. */
export interface WatchCall {
  readonly kind: 'watch';
  readonly user: UserName;
  readonly version: string;
  readonly act:
    | {
        readonly method: 'POST' | 'PUT' | 'PATCH';
        readonly body: Tree;
        readonly mutations: readonly Mutation[];
        readonly broken: 'not' | 'cut' | 'empty' | 'no UTF-8';
        readonly type: string | undefined;
      }
    | { readonly method: 'DELETE'; readonly ids: string | undefined }
    | { readonly method: 'GET'; readonly query: Readonly<Record<string, string>> };
}

/** `{$in: seconds, $form}` stands for a time from now on, `{$url}` for a URL of the receiver. */
export function watchCalls({ watchable }: Pick<World, 'watchable'>, names: Names): fc.Arbitrary<WatchCall> {
  const DAY = 86_400;
  const ids: fc.Arbitrary<Tree> = fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom<Tree>(...CHANNEL_IDS, ...CHANNEL_IDS.slice(0, 3)) },
    { weight: 12, arbitrary: fc.constantFrom<Tree>(1, 42, -7, 9223372036854775807n, '+42', '007', { $raw: '-0' }) },
    { weight: 1, arbitrary: oddValues },
  );
  const events = fc
    .array(
      fc.oneof(
        {
          weight: 120,
          arbitrary: fc
            .tuple(
              fc.oneof(fc.constantFrom(...watchable), fc.constantFrom('Leads', 'Contacts', 'Tasks')),
              fc.constantFrom('create', 'edit', 'delete', 'all'),
            )
            .map((parts) => parts.join('.')),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom('Leads', 'Leads.insert', 'leads.all', '.all', 'Nothings.edit', 'Leads.all.all'),
        },
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((list) => list as Tree);
  const moments = fc.constantFrom(
    ...[1, 60, 3599, 3600, DAY - 1, DAY, DAY + 1, 7 * DAY - 1, 7 * DAY, 7 * DAY + 1, 400 * DAY, 0, -1, -DAY],
  );
  const expiries = fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .tuple(moments, fc.constantFrom('Z', '+05:30', '-11:00', '+00:00'))
        .map(([seconds, form]): Tree => ({ $in: seconds, $form: form })),
    },
    { weight: 1, arbitrary: moments.map((seconds): Tree => ({ $in: seconds, $form: 'ms' })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Tree>(
        null,
        '2026-02-30T10:00:00Z',
        '2026-01-05',
        '1767603600',
        1767603600000,
        'tomorrow',
      ),
    },
  );
  const urls = fc.oneof(
    {
      weight: 60,
      arbitrary: fc
        .constantFrom(
          '',
          '?a=1&b=2',
          '?authorization=Zoho-oauthtoken 1000.x&key=1',
          'ü/%20?q="\\<>',
          '?&&=#f',
          'a'.repeat(2000),
        )
        .map((rest) => ({ $url: rest })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Tree>(
        'ftp://127.0.0.1:9/',
        'http://',
        'http://u:p@127.0.0.1:9/',
        'http://127.0.0.1:9/\n',
        '/x',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(2030, 2048, 2049).map((length) => ({ $url: 'a'.repeat(length) })) },
  );
  const tokens = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Tree>(null, 'token', 'x'.repeat(50), '𝒳'.repeat(50), ' ') },
    { weight: 2, arbitrary: fc.string({ minLength: 1, maxLength: 20 }) },
    { weight: 1, arbitrary: fc.constantFrom<Tree>('x'.repeat(51), '', 'a\0b', '\ud800', 5) },
  );
  const flags = fc.constantFrom<Tree>(true, false, null);
  // What the channels that a session starts with watch: taken away, and some of it given again.
  const prunes = fc
    .record({
      channel_id: fc.constantFrom<Tree>(...CHANNEL_IDS.slice(0, 3)),
      events: fc.subarray(['Leads.all', 'Leads.edit', 'Contacts.edit', 'Tasks.create'], { minLength: 1, maxLength: 2 }),
      _delete_events: fc.constantFrom(true, true, false, undefined),
    })
    .map(({ _delete_events, ...entry }): Tree => (_delete_events === undefined ? entry : { ...entry, _delete_events }));
  const entries = (isBare: boolean) =>
    fc
      .record({
        channel_id: maybe(97, ids),
        notify_url: maybe(isBare ? 40 : 96, urls),
        events: maybe(isBare ? 60 : 96, events),
        token: maybe(40, tokens),
        channel_expiry: maybe(60, expiries),
        notify_on_related_action: maybe(40, flags),
        return_affected_field_values: maybe(40, flags),
        fields: maybe(6, fieldLists(watchable, names)),
        notification_condition: maybe(30, conditions(watchable, names)),
        _delete_events: maybe(30, fc.constantFrom<Tree>(true, true, true, false, 'true')),
        channel_type: maybe(3, oddValues),
      })
      .map((entry) => Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as Tree);
  const bodies = (isBare: boolean) =>
    fc
      .array(isBare ? fc.oneof(entries(isBare), prunes, prunes) : entries(isBare), { minLength: 1, maxLength: 4 })
      .map((watch): Tree => ({ watch }));
  const writes = (method: 'POST' | 'PUT' | 'PATCH') =>
    fc.record({
      method: fc.constant(method),
      body: bodies(method === 'PATCH'),
      mutations: fc.oneof(
        { weight: 7, arbitrary: fc.constant([]) },
        { weight: 3, arbitrary: fc.array(mutations, { minLength: 1, maxLength: 3 }) },
      ),
      broken: fc.oneof(
        { weight: 40, arbitrary: fc.constant('not' as const) },
        { weight: 1, arbitrary: fc.constantFrom('cut', 'empty', 'no UTF-8') },
      ),
      type: fc.constantFrom(
        undefined,
        'application/json',
        'application/x-www-form-urlencoded',
        'text/plain',
        'nonsense',
      ),
    });
  const lists = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.array(fc.constantFrom(...CHANNEL_IDS), { minLength: 1, maxLength: 3 }).map((list) => list.join()),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        undefined,
        '',
        ',',
        '1,',
        ' 42 ',
        'x',
        '1'.repeat(30),
        '1,'.repeat(100),
        '1,'.repeat(99),
      ),
    },
    { weight: 1, arbitrary: oddTexts.filter((text) => text.isWellFormed()) },
  );
  const queries = fc.record(
    {
      channel_id: fc.constantFrom(...CHANNEL_IDS, '+42', 'x', ''),
      module: fc.constantFrom(...watchable, 'Nothings', 'leads', ''),
      page: fc.constantFrom('1', '1', '2', '3', '1', '2', '0', '-1', 'x', '999999999', '9999999999'),
      per_page: fc.constantFrom('1', '2', '3', '200', '5', '2', '201', '0', '1.5'),
    },
    { requiredKeys: [] },
  );
  return fc.record({
    kind: fc.constant('watch' as const),
    user: fc.constantFrom<UserName>('owner', ...USERS),
    version: fc.constantFrom(...VERSIONS),
    act: fc.oneof(
      { weight: 5, arbitrary: writes('POST') },
      { weight: 3, arbitrary: writes('PUT') },
      { weight: 9, arbitrary: writes('PATCH') },
      { weight: 2, arbitrary: fc.record({ method: fc.constant('DELETE' as const), ids: lists }) },
      { weight: 3, arbitrary: fc.record({ method: fc.constant('GET' as const), query: queries }) },
    ),
  });
}

function fieldLists(modules: readonly string[], names: Names): fc.Arbitrary<Tree> {
  const known = modules.flatMap((module) => [...(names.fields.get(module)?.keys() ?? [])].slice(0, 3));
  return fc.array(fc.constantFrom(...known), { maxLength: 11 }).map((list): Tree => list);
}

/** Of modules that are watched or not, right ones mostly. */
function conditions(modules: readonly string[], names: Names): fc.Arbitrary<Tree> {
  const one = fc.constantFrom(...modules).chain((module) => {
    const fields = [...(names.fields.get(module) ?? new Map([['Nope', '1']]))].slice(0, 6);
    const field = fc
      .tuple(
        fc.constantFrom(...fields),
        fc.constantFrom(...['name', 'id', 'both', 'name', 'id', 'both', 'name', 'id', 'both', 'neither', 'other']),
      )
      .map(([[name, id], how]): Tree => {
        if (how === 'neither') return { field: {} };
        if (how === 'other') return { field: { api_name: name, id: names.modules.get(module) ?? '1' } };
        return { field: { ...(how !== 'id' && { api_name: name }), ...(how !== 'name' && { id }) } };
      });
    const { rule } = fc.letrec<{ rule: Tree; group: Tree }>((tie) => ({
      rule: fc.oneof({ maxDepth: 4, depthSize: 'small' }, field, tie('group')),
      group: fc.record({
        group_operator: fc.constantFrom(...['and', 'or', 'and', 'or', 'and', 'or', 'and', 'or', 'AND']),
        group: fc.array(tie('rule'), { minLength: 1, maxLength: 2 }),
      }),
    }));
    const own = names.modules.get(module) ?? '1';
    return fc.record({
      type: fc.constant('field_selection'),
      module: fc.constantFrom<Tree>({ api_name: module }, { id: own }, { api_name: module, id: own }),
      field_selection: rule,
    });
  });
  return fc.oneof(
    { weight: 9, arbitrary: fc.array(one, { minLength: 1, maxLength: 2 }).map((list) => list as Tree) },
    { weight: 1, arbitrary: fc.constantFrom<Tree>(null, [], {}) },
  );
}
