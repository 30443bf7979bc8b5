import { modernSdk } from './modern.ts';

await modernSdk('@zohocrm/nodejs-sdk-8.0');
