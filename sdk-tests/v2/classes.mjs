import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** Gives the classes of each SDK, those of a topic together, under the same names. */
export const CLASSES = {
  '@zohocrm/typescript-sdk-2.1': (name) => {
    const { Records: Record, Orgs: Org, ...sdk } = require(name);
    return { ...sdk, Record, Org };
  },

  // Has no index: each class is in a file of its own.
  '@zohocrm/nodejs-sdk-2.0': (name) => {
    const root = join(dirname(require.resolve(`${name}/routes/param`)), '..');
    const folder = (path) => {
      const files = readdirSync(join(root, path)).filter((file) => file.endsWith('.js'));
      return Object.assign({}, ...files.map((file) => require(join(root, path, file))));
    };
    const topic = (path) => folder(`core/com/zoho/crm/api/${path}`);
    return {
      ...folder('routes'),
      ...folder('routes/dc'),
      ...folder('routes/logger'),
      ...folder('models/authenticator'),
      ...folder('models/authenticator/store'),
      ...folder('utils/util'),
      Fields: topic('fields'),
      Modules: topic('modules'),
      Notes: topic('notes'),
      Notifications: topic('notification'),
      Org: topic('org'),
      Record: topic('record'),
      RelatedLists: topic('related_lists'),
      RelatedRecords: topic('related_records'),
      Tags: topic('tags'),
      Users: topic('users'),
    };
  },
};
