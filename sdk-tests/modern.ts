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

type Differences = Pick<OfficialSdk, 'package' | 'version'> & Partial<OfficialSdk>;

/** The SDKs from 6.0 on, which have the same classes and methods but for some differences. */
export const modernSdk = (differences: Differences): Promise<void> =>
  officialSdk({
    connect: './connect.mjs',
    topics: topics(...TOPICS),
    asColleague: topics('sign-in'),
    afterRestart: topics('after-restart'),
    ...differences,
    noMethod: { ...NO_METHOD, ...differences.noMethod },
  });
