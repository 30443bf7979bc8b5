import fc from 'fast-check';
import { isTreeObject, type Mutation, maybe, oddTexts, type Tree } from './json-tree.ts';
import { idsOf } from './parameters.ts';
import type { FieldFacts, Operation, World } from './world.ts';

export type BodyPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly tree: Tree; readonly mutations: readonly Mutation[] }
  | { readonly kind: 'form'; readonly pairs: readonly (readonly [string, string])[] }
  | { readonly kind: 'bytes'; readonly bytes: readonly number[] }
  | { readonly kind: 'big'; readonly size: number };

/** Nothing that anybody asked for. */
export const junkBodies: fc.Arbitrary<BodyPlan> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('bytes' as const),
      bytes: fc.array(fc.nat({ max: 255 }), { maxLength: 40 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('json' as const),
      tree: fc.jsonValue({ maxDepth: 3 }).map((value) => value as Tree),
      mutations: fc.constant([]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('big' as const), size: fc.constantFrom(20_000, 1_048_577) }) },
);

/** Of the token calls and the consent page; tokens named are the victim's only. */
export function formBodies({ victim }: World): fc.Arbitrary<BodyPlan> {
  const pairs = fc
    .record(
      {
        grant_type: fc.constantFrom('refresh_token', 'authorization_code', 'client_credentials', 'password', ''),
        client_id: fc.constantFrom(victim.clientId, '1000.DEV', 'x'),
        client_secret: fc.constantFrom(victim.clientSecret, 'dev-secret', 'x'),
        refresh_token: fc.constantFrom(victim.refreshToken, 'x'),
        token: fc.oneof(
          { weight: 20, arbitrary: oddTexts },
          { weight: 1, arbitrary: fc.constant(victim.refreshToken) },
        ),
        code: oddTexts,
        scope: fc.constantFrom('ZohoCRM.modules.ALL', 'x', ','),
        soid: fc.constantFrom(`ZohoCRM.${victim.org}`, 'ZohoCRM.', 'x'),
        redirect_uri: fc.constantFrom('http://localhost:1/back', 'x'),
        csrf: oddTexts,
        decision: fc.constantFrom('allow', 'deny', 'x'),
      },
      { requiredKeys: [] },
    )
    .map((form) => Object.entries(form));
  return fc.record({ kind: fc.constant('form' as const), pairs });
}

/** What the operation can use: records of the module's own fields, else the document's example or schema. */
export function goodBodies(operation: Operation, world: World, module: string): fc.Arbitrary<Tree> {
  const ids = idsOf(world, module, operation.path);
  const example = operation.example as Tree | undefined;
  if (example === undefined)
    return operation.schema === undefined ? fc.constant({}) : ofSchema(operation.schema, world);
  const withIds = fc.array(ids, { minLength: 1, maxLength: 3 }).map((list) => fillIds(example, list, world.userIds));
  if (!isTreeObject(example) || !Array.isArray(example.data)) return withIds;
  const data = fc.array(records(world.fields.get(module) ?? [], ids), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    withIds,
    fc
      .tuple(data, maybe(50, fc.constantFrom<Tree>(['Email'], ['Nope'], [])))
      .map(([list, fields]): Tree => ({ ...example, data: list, ...(fields && { duplicate_check_fields: fields }) })),
  );
}

/** The example with ids that are there in place of its own. */
function fillIds(tree: Tree, ids: readonly string[], owners: readonly string[]): Tree {
  if (typeof tree === 'string') return /^\d{19}$/.test(tree) ? (ids[0] ?? tree) : tree;
  if (Array.isArray(tree)) {
    return tree.every((item: Tree) => typeof item === 'string' && /^\d{19}$/.test(item))
      ? ids
      : tree.map((item: Tree) => fillIds(item, ids, owners));
  }
  if (!isTreeObject(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, fillIds(value, key === 'owner' ? owners : ids, owners)]),
  );
}

function records(facts: readonly FieldFacts[], ids: fc.Arbitrary<string>): fc.Arbitrary<Tree> {
  const pairs = facts
    .filter(({ name }) => name !== 'id')
    .map((field) => fc.tuple(fc.constant(field.name), fieldValues(field, ids)));
  const pair = fc.oneof(fc.constant<[string, Tree]>(['Last_Name', 'L']), ...pairs);
  return fc.tuple(fc.array(pair, { maxLength: 6 }), maybe(50, ids)).map(
    ([given, id]): Tree => ({
      Last_Name: 'Boyle',
      Company: 'C',
      Account_Name: 'A',
      Subject: 'S',
      Deal_Name: 'D',
      Product_Name: 'P',
      Note_Content: 'N',
      ...Object.fromEntries(given),
      ...(id !== undefined && { id }),
    }),
  );
}

function fieldValues({ type, choices }: FieldFacts, ids: fc.Arbitrary<string>): fc.Arbitrary<Tree> {
  const reference = ids.map((id): Tree => ({ id }));
  switch (type) {
    case 'integer':
    case 'bigint':
      return fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), fc.constant('12'));
    case 'double':
    case 'currency':
    case 'percent':
      return fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom<Tree>('1.5', 1e300, -0));
    case 'boolean':
      return fc.boolean();
    case 'date':
      return fc.constantFrom('2026-01-05', '2026-02-30', '0001-01-01', '9999-12-31');
    case 'datetime':
      return fc.constantFrom('2026-01-05T10:00:00+05:30', '2026-01-05T10:00:00.5Z', '0000-01-01T00:00:00Z', 'x');
    case 'lookup':
    case 'ownerlookup':
    case 'userlookup':
      return fc.oneof(reference, ids, fc.constant({ id: 1 }));
    case 'subform':
      return fc.array(fc.oneof(reference, fc.constantFrom<Tree>({}, { quantity: 1 }, { product: { id: '1' } })), {
        maxLength: 3,
      });
    case 'multiselectpicklist':
      return fc.array(fc.constantFrom<Tree>(...choices, 'x', null), { maxLength: 3 });
    case 'picklist':
      return fc.constantFrom<Tree>(...choices, 'Something else');
    default:
      return fc.oneof(oddTexts, fc.constant('text@example.com'));
  }
}

/** Changes of records that live elsewhere. */
const TOLD: readonly Tree[] = [
  [{ module: 'Parcels', operation: 'insert', records: [{ id: 'p-1', values: { Name: 'One', Owner: '7' } }] }],
  [
    { module: 'Parcels', operation: 'update', records: [{ id: 'p-1', values: { Name: 'A' }, old_values: {} }] },
    {
      module: 'Parcels',
      operation: 'update',
      records: [
        { id: 'p-1', fields: ['Name'] },
        { id: 'p-2', fields: [] },
      ],
    },
    { module: 'Parcels', operation: 'delete', records: [{ id: 'p-1', old_values: { Tag: [{ deep: [[1]] }] } }] },
  ],
];

/** What a member of that name takes, mostly; else anything of its type. */
function ofMember(name: string, schema: unknown, world: World): fc.Arbitrary<Tree> {
  const { victim } = world;
  const good: Readonly<Record<string, readonly Tree[]>> = {
    name: ['A name', 'Another'],
    email: ['a@example.com', 'b@example.com', 'c@example.com'],
    first_name: ['Ada'],
    last_name: ['Lovelace'],
    time_zone: ['Europe/Berlin', 'UTC', 'Nowhere/Nothing'],
    profile: [victim.profile],
    user: [victim.user],
    scopes: [['ZohoCRM.modules.ALL'], ['ZohoCRM.modules.ALL', 'ZohoCRM.notifications.READ']],
    redirect_uris: [['https://example.com/back'], []],
    denied_modules: [['Leads'], []],
    api_name: ['Extra', 'Extras', 'Last_Name'],
    singular: ['Extra'],
    plural: ['Extras'],
    label: ['An extra'],
    lookup: ['Leads', 'Extras'],
    length: [50],
    decimals: [2],
    rows: [[{ api_name: 'Part', type: 'text' }]],
    pick_list: [['One', 'Two']],
    fields: [[{ api_name: 'Extra', type: 'text' }], []],
    module: ['Parcels', 'Leads'],
    changes: TOLD,
  };
  const values = Object.hasOwn(good, name) ? good[name] : undefined;
  if (!values) return ofSchema(schema, world);
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: ofSchema(schema, world) },
  );
}

/** Out of a JSON schema as our own API's operations have it. */
function ofSchema(schema: unknown, world: World): fc.Arbitrary<Tree> {
  const {
    type,
    properties,
    required,
    items,
    enum: choices,
    anyOf,
    pattern,
    minimum,
    maximum,
    minItems,
  } = schema as {
    readonly type?: string;
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly required?: readonly string[];
    readonly items?: unknown;
    readonly enum?: readonly Tree[];
    readonly anyOf?: readonly unknown[];
    readonly pattern?: string;
    readonly minimum?: number;
    readonly maximum?: number;
    readonly minItems?: number;
  };
  if (choices) return fc.constantFrom(...choices);
  if (anyOf) return fc.oneof(...anyOf.map((one) => ofSchema(one, world)));
  switch (type) {
    case 'object': {
      const inner = Object.entries(properties ?? {}).map(([name, one]) => [name, ofMember(name, one, world)] as const);
      return fc.record(Object.fromEntries(inner), { requiredKeys: [...(required ?? [])] }) as fc.Arbitrary<Tree>;
    }
    case 'array':
      return fc.array(ofSchema(items, world), { minLength: minItems ?? 0, maxLength: 3 }) as fc.Arbitrary<Tree>;
    case 'integer':
    case 'number':
      return fc.oneof(
        fc.integer({ min: minimum ?? -10, max: Math.max(minimum ?? -10, maximum ?? 100) }),
        fc.constant(0),
      );
    case 'boolean':
      return fc.boolean();
    default:
      return fc.oneof(
        fc.constantFrom('Extra', 'Last_Name', 'Leads', 'text', 'Europe/Berlin', 'a@example.com', world.victim.user),
        fc.constantFrom('https://example.com/back', 'ZohoCRM.modules.ALL', world.victim.profile, pattern ?? 'x'),
        oddTexts,
      );
  }
}
