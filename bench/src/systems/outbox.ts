import { startDatabase } from '../services/postgres.ts';
import type { System } from '../system.ts';
import { startApp } from './app-process.ts';

export const outbox: System = {
  name: 'outbox',
  durability: 'each commit is on disk',
  start: async ({ shape }) => startApp('outbox-app', shape, await startDatabase()),
};
