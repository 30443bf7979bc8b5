import { officialSdk } from './suite.ts';

await officialSdk('@zohocrm/nodejs-sdk-8.0');
