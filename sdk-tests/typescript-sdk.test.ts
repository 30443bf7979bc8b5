import { officialSdk } from './suite.ts';

await officialSdk('@zohocrm/typescript-sdk-8.0');
