import fc from 'fast-check';

/**
 * A body to be: plain JSON, big integers, and two kinds of objects for what `JSON.stringify` cannot say: `{ $raw }` is
 * written as its text stands, and `{ $twice: [a, b] }` as the value of a key makes the key come twice.
 */
export type Tree = null | boolean | number | bigint | string | readonly Tree[] | TreeObject;
export interface TreeObject {
  readonly [key: string]: Tree;
}

export const isTreeObject = (tree: Tree | undefined): tree is TreeObject =>
  typeof tree === 'object' && tree !== null && !Array.isArray(tree);

/** The text that is sent. */
export function toText(tree: Tree): string {
  if (Array.isArray(tree)) return `[${tree.map(toText).join(',')}]`;
  if (isTreeObject(tree)) {
    if (typeof tree.$raw === 'string') return tree.$raw;
    const pairs = Object.entries(tree).flatMap(([key, value]) => {
      const values = isTreeObject(value) && Array.isArray(value.$twice) ? (value.$twice as readonly Tree[]) : [value];
      return values.map((one) => `${JSON.stringify(key)}:${toText(one)}`);
    });
    return `{${pairs.join(',')}}`;
  }
  return typeof tree === 'bigint' ? String(tree) : JSON.stringify(tree);
}

/** What a reader that loses no digit understands: of a repeated key the last. */
export function meaning(tree: Tree): Tree {
  if (Array.isArray(tree)) return tree.map(meaning);
  if (typeof tree === 'number') return Number.isInteger(tree) ? readRaw(JSON.stringify(tree)) : tree;
  if (!isTreeObject(tree)) return tree;
  if (typeof tree.$raw === 'string') return readRaw(tree.$raw);
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => {
      const isTwice = isTreeObject(value) && Array.isArray(value.$twice);
      return [key, meaning(isTwice ? ((value.$twice as readonly Tree[]).at(-1) ?? null) : value)];
    }),
  );
}

const readRaw = (text: string): Tree => (/^-?\d{1,64}$/.test(text) ? BigInt(text) : (JSON.parse(text) as Tree));

/** Lists and objects inside one another. */
export function depthOf(tree: Tree): number {
  const inner = Array.isArray(tree) ? tree : isTreeObject(tree) ? Object.values(tree) : undefined;
  return inner ? 1 + Math.max(0, ...inner.map(depthOf)) : 0;
}

const nested = (levels: number): Tree => {
  let tree: Tree = [];
  for (let i = 0; i < levels; i += 1) tree = [tree];
  return tree;
};

/** Values that something may stumble over. */
export const oddTexts = fc.oneof(
  fc.constantFrom('', ' ', 'null', '0', '-1', '1.5', 'NaN', '%', '%00', '../..', "' OR 1=1 --", '__proto__', '*'),
  fc.constantFrom('a\0b', '\ud800', '\udc00x', '\u202eabc', '𝒳', '2026-02-30T10:00:00Z', '275761-01-01T00:00:00Z'),
  fc.constantFrom('9223372036854775808', '-9223372036854775809', '3652397000000000000', 'toString', 'constructor'),
  fc.string({ maxLength: 12 }),
  fc.nat({ max: 5000 }).map((length) => 'x'.repeat(length)),
);

export const oddValues: fc.Arbitrary<Tree> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<Tree>(null, true, false, 0, -1, 1.5, 1e21, 2 ** 53, [], {}, [[]], [null], [{}]),
  },
  { weight: 1, arbitrary: fc.constantFrom<Tree>(10n ** 30n, -(2n ** 63n) - 1n, 2n ** 63n, { $raw: '1e400' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Tree>(
      { $raw: '{"__proto__":{"id":"1"},"constructor":1}' },
      { api_name: null, id: null },
      { id: '3652397000000000001' },
      nested(20),
      nested(40),
      '9'.repeat(400),
    ),
  },
  { weight: 3, arbitrary: oddTexts },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }) },
);

/** In `percent` of a hundred cases; undefined in the others. */
export const maybe = <Value>(percent: number, arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(undefined) }, { weight: percent, arbitrary });

/** One thing done to a place in a tree; `at` picks the place. */
export interface Mutation {
  readonly at: number;
  readonly how: 'drop' | 'put' | 'twice' | 'repeat' | 'add';
  readonly value: Tree;
  readonly count: number;
}

export const mutations: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 200 }),
  how: fc.constantFrom('drop', 'put', 'put', 'put', 'twice', 'repeat', 'add'),
  value: oddValues,
  count: fc.constantFrom(0, 2, 3, 11, 100, 101),
});

type Place = readonly (string | number)[];

function placesOf(tree: Tree, place: Place = []): Place[] {
  const own = place.length > 0 ? [place] : [];
  if (Array.isArray(tree)) return [...own, ...tree.flatMap((item: Tree, i) => placesOf(item, [...place, i]))];
  if (!isTreeObject(tree) || '$raw' in tree || '$twice' in tree) return own;
  return [...own, ...Object.entries(tree).flatMap(([key, value]) => placesOf(value, [...place, key]))];
}

export function mutate(tree: Tree, { at, how, value, count }: Mutation): Tree {
  const places = placesOf(tree);
  const place = places[at % Math.max(1, places.length)];
  return place ? change(tree, place, how, value, count) : value;
}

function change(tree: Tree, [key, ...rest]: Place, how: Mutation['how'], value: Tree, count: number): Tree {
  if (key === undefined) return value;
  const isLast = rest.length === 0;
  if (Array.isArray(tree)) {
    return tree.flatMap((item: Tree, i): Tree[] => {
      if (i !== key) return [item];
      if (!isLast) return [change(item, rest, how, value, count)];
      if (how === 'drop') return [];
      if (how === 'repeat') return Array.from({ length: count }, () => item);
      return how === 'put' ? [value] : [item, value];
    });
  }
  if (!isTreeObject(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).flatMap(([name, item]): [string, Tree][] => {
      if (name !== key) return [[name, item]];
      if (!isLast) return [[name, change(item, rest, how, value, count)]];
      if (how === 'drop') return [];
      if (how === 'put') return [[name, value]];
      if (how === 'twice') return [[name, { $twice: [item, value] }]];
      if (how === 'repeat') return [[name, Array.from({ length: count }, () => item)]];
      return [
        [name, item],
        ['unknown_key', value],
      ];
    }),
  );
}
