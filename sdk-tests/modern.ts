import { type OfficialSdk, officialSdk } from './suite.ts';

const TOPICS = [
  'notifications',
  'records',
  'lists',
  'many-at-once',
  'tags',
  'related',
  'rows',
  'custom-modules',
  'metadata',
  'users',
  'refusals',
  'every-module',
  'nothing-else',
];

const topics = (...names: string[]) => names.map((name) => `./topics/${name}.mjs`);

/** What no SDK from 6.0 on has a method for. */
const NO_METHOD = {
  'GET settings/recycle_bin/actions/count': 'the SDKs have no recycle bin',
  'POST settings/recycle_bin/actions/restore': 'the SDKs have no recycle bin',
  'POST settings/recycle_bin/{id}/actions/restore': 'the SDKs have no recycle bin',
  'POST {module}/{id}/{related}': 'the SDKs link records by PUT only',
};

/** What the SDKs 7.0 and 6.0 lack besides. */
const BEFORE_8: Pick<OfficialSdk, 'leftOut' | 'noMethod'> = {
  leftOut: { 'reads the recycle bin and empties it': 'the SDK has no recycle bin' },
  noMethod: {
    'GET settings/recycle_bin': 'the SDK has no recycle bin',
    'DELETE settings/recycle_bin': 'the SDK has no recycle bin',
    'GET settings/recycle_bin/{id}': 'the SDK has no recycle bin',
    'DELETE settings/recycle_bin/{id}': 'the SDK has no recycle bin',
  },
};

/** How each SDK from 6.0 on differs; they have the same topics, and `adapters.mjs` for how they are called. */
const DIFFERENCES = {
  '@zohocrm/typescript-sdk-8.0': { version: 'v8' },
  '@zohocrm/nodejs-sdk-8.0': { version: 'v8' },
  '@zohocrm/typescript-sdk-7.0': { version: 'v7', ...BEFORE_8 },
  '@zohocrm/typescript-sdk-6.0': { version: 'v6', ...BEFORE_8 },
} satisfies Record<string, Pick<OfficialSdk, 'version'> & Partial<OfficialSdk>>;

export function modernSdk(name: keyof typeof DIFFERENCES): Promise<void> {
  const own: Partial<OfficialSdk> & Pick<OfficialSdk, 'version'> = DIFFERENCES[name];
  return officialSdk({
    package: name,
    connect: './connect.mjs',
    topics: topics(...TOPICS),
    asColleague: topics('sign-in'),
    afterRestart: topics('after-restart'),
    ...own,
    noMethod: { ...NO_METHOD, ...own.noMethod },
  });
}
