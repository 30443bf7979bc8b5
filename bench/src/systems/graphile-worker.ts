import { startDatabase } from '../services/postgres.ts';
import type { System } from '../system.ts';
import { startApp } from './app-process.ts';

export const graphileWorker: System = {
  name: 'graphile-worker',
  durability: 'each commit is on disk',
  start: async ({ shape }) => startApp('graphile-worker-app', shape, await startDatabase()),
};
