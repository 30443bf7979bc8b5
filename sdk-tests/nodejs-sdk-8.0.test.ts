import { modernSdk } from './modern.ts';

await modernSdk({ package: '@zohocrm/nodejs-sdk-8.0', version: 'v8' });
