import { modernSdk } from './modern.ts';

await modernSdk({ package: '@zohocrm/typescript-sdk-8.0', version: 'v8' });
