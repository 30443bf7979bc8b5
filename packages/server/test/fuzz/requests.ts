import fc from 'fast-check';
import { type BodyPlan, formBodies, goodBodies, junkBodies } from './bodies.ts';
import { mutations } from './json-tree.ts';
import { brokenEscapes, junkText, pathsOf, queriesOf } from './parameters.ts';
import type { UserName } from './watch-calls.ts';
import type { Operation, World } from './world.ts';

export type Actor = UserName | 'reader' | 'victim' | 'nobody' | 'wrong' | 'operator';

/** Any call but those of `actions/watch`. */
export interface CallPlan {
  readonly kind: 'call';
  readonly actor: Actor;
  /** What stands for a token when it is a wrong one. */
  readonly wrong: string;
  readonly method: string;
  /** The operation's path with braces; for counting. */
  readonly route: string;
  readonly path: string;
  /** As text between `?` and the end, ready to send. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: BodyPlan;
}

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'PURGE',
  'LINK',
];

const WRONG_TOKENS = [
  'Zoho-oauthtoken',
  'Zoho-oauthtoken ',
  'Zoho-oauthtoken 1000.wrong',
  'Bearer x',
  'Basic eDp5',
  '1000.bare',
  `Zoho-oauthtoken ${'x'.repeat(600)}`,
  'Zoho-oauthtoken a b c',
  '\xff',
];

/** One or two that change something. */
const headers: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.oneof(
          ...Object.entries({
            'content-type': ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'nonsense', ''],
            'content-encoding': ['gzip', 'identity', 'x'],
            'accept-encoding': ['gzip', 'br', '*;q=0', 'x'],
            'if-modified-since': ['2026-01-01T00:00:00+05:30', 'x', 'Sun, 22 Nov 2099 00:00:00 GMT', ''],
            'x-external': ['Leads.Email', 'Leads.Nope', '.', ',,', 'Leads.Email,Contacts.Email'],
            'idempotency-key': ['a', 'b', '', 'x'.repeat(256), 'with blank'],
            origin: ['http://localhost:1', 'https://evil.example', 'null'],
            'x-http-method-override': ['DELETE', 'GET'],
            'x-forwarded-for': ['1.2.3.4', 'x'],
            'x-forwarded-host': ['evil.example', '['],
            cookie: ['watchbell=1', ';;=', 'a=%'],
            accept: ['text/html', 'x'],
          }).map(([name, values]) => fc.tuple(fc.constant(name), fc.constantFrom(...values))),
        ),
        { minLength: 1, maxLength: 2 },
      )
      .map((pairs) => Object.fromEntries(pairs)),
  },
);

export function calls(world: World): fc.Arbitrary<CallPlan> {
  const others = world.operations.filter(({ path }) => !path.endsWith('/actions/watch'));
  const bodyOf = (operation: Operation, module: string): fc.Arbitrary<BodyPlan> => {
    const trees = goodBodies(operation, world, module);
    const good: fc.Arbitrary<BodyPlan> = operation.form
      ? formBodies(world)
      : fc.record({
          kind: fc.constant('json' as const),
          tree: trees,
          mutations: fc.oneof(fc.constant([]), fc.array(mutations, { minLength: 1, maxLength: 3 })),
        });
    const hasBody = operation.form || operation.example !== undefined || operation.schema !== undefined;
    return fc.oneof(
      { weight: hasBody ? 30 : 0, arbitrary: good },
      { weight: hasBody ? 2 : 20, arbitrary: fc.constant<BodyPlan>({ kind: 'none' }) },
      { weight: 1, arbitrary: junkBodies },
    );
  };

  const planOf = (operation: Operation, module: string): fc.Arbitrary<CallPlan> =>
    fc.record({
      kind: fc.constant('call' as const),
      actor: actorsOf(operation.path),
      wrong: fc.constantFrom(...WRONG_TOKENS),
      method: fc.oneof(
        { weight: 14, arbitrary: fc.constant(operation.method) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      route: fc.constant(operation.path),
      path: pathsOf(operation, world, module),
      query: queriesOf(operation, world, module),
      headers,
      body: bodyOf(operation, module),
    });
  // Made when first asked for: there are hundreds, each of many parts.
  const made = new Map<string, fc.Arbitrary<CallPlan>>();
  const plans = others.map((operation) => {
    const modules = /\{module\}|settings/.test(operation.path) ? world.modules : ['Leads'];
    const arbitrary = fc.constantFrom(...modules).chain((module) => {
      const key = `${operation.method} ${operation.path} ${module}`;
      const plan = made.get(key) ?? planOf(operation, module);
      made.set(key, plan);
      return plan;
    });
    return { weight: endsSomething(operation) ? 1 : 8, arbitrary };
  });
  return fc.oneof({ weight: 15, arbitrary: fc.oneof(...plans) }, { weight: 1, arbitrary: junkPaths });
}

/** Whether the victim's organisation, tokens or users may be gone afterwards, and other calls have nothing to find. */
const endsSomething = ({ method, path }: Operation): boolean =>
  /\/(?:\{org\}|\{user\}|\{client\}|tokens|suspend|secret)$/.test(path) && ['DELETE', 'POST', 'PATCH'].includes(method);

const segments = fc.oneof(
  fc.constantFrom(
    'crm',
    'v8',
    'v9',
    'v2.2',
    'v1',
    'actions',
    'watch',
    'settings',
    'org',
    'users',
    'Leads',
    'oauth',
    'token',
  ),
  fc.constantFrom('_watchbell', '..', '.', '%2e%2e', '', '%00', '%', '%2f', 'x'.repeat(101), '1', 'healthz', ';a=b'),
  junkText,
);
/** Paths that are served by nobody, or nearly so. None of them can touch a channel. */
const junkPaths: fc.Arbitrary<CallPlan> = fc.record({
  kind: fc.constant('call' as const),
  actor: fc.constantFrom<Actor>('owner', 'nobody', 'wrong', 'operator'),
  wrong: fc.constantFrom(...WRONG_TOKENS),
  method: fc.constantFrom(...METHODS),
  route: fc.constant('(other paths)'),
  path: fc.array(segments, { maxLength: 7 }).map((list) => `/${list.join('/')}`),
  query: fc.oneof(fc.constant(''), brokenEscapes),
  headers,
  body: fc.oneof(fc.constant<BodyPlan>({ kind: 'none' }), junkBodies),
});

function actorsOf(path: string): fc.Arbitrary<Actor> {
  const isCrm = path.startsWith('/crm/');
  // The channels of the model live by the clock, which only the sessions themselves move.
  if (path.startsWith('/_watchbell/v1/clock')) return fc.constantFrom<Actor>('owner', 'reader', 'nobody', 'wrong');
  return fc.oneof(
    { weight: isCrm ? 10 : 1, arbitrary: fc.constant<Actor>('owner') },
    { weight: isCrm ? 5 : 1, arbitrary: fc.constantFrom<Actor>('colleague', 'stranger', 'victim') },
    { weight: isCrm ? 1 : 12, arbitrary: fc.constant<Actor>('operator') },
    { weight: 3, arbitrary: fc.constantFrom<Actor>('reader', 'nobody', 'wrong') },
  );
}
