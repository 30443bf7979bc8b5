import { startDatabase } from '../services/postgres.ts';
import type { System } from '../system.ts';
import { startApp } from './app-process.ts';

export const pgBoss: System = {
  name: 'pg-boss',
  durability: 'each commit is on disk',
  start: async ({ shape }) => startApp('pg-boss-app', shape, await startDatabase()),
};
