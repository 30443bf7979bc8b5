import { olderSdk } from './older.ts';

const NO_COUNT = 'the SDK has no call that counts records';

await olderSdk({
  package: '@zohocrm/nodejs-sdk-2.0',
  version: 'v2',
  leftOut: { 'counts all records, and those that a search finds': NO_COUNT },
  noMethod: { 'GET {module}/actions/count': NO_COUNT },
});
