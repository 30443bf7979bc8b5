import { modernSdk } from './modern.ts';

await modernSdk('@zohocrm/typescript-sdk-8.0');
