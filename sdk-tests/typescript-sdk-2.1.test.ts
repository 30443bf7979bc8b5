import { olderSdk } from './older.ts';

await olderSdk({ package: '@zohocrm/typescript-sdk-2.1', version: 'v2.1' });
