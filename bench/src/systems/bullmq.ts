import { type Fsync, startRedis } from '../services/redis.ts';
import type { System } from '../system.ts';
import { startApp } from './app-process.ts';

const bullmq = (name: string, fsync: Fsync, durability: string): System => ({
  name,
  durability,
  start: async ({ dir, shape }) => startApp('bullmq-app', shape, await startRedis(dir, fsync)),
});

/** Redis as it is set up where nothing but a second may be lost. */
export const bullmqEverysec = bullmq('bullmq', 'everysec', 'up to a second is lost');

/** Redis that answers only when what was written is on disk. */
export const bullmqAlways = bullmq('bullmq-always', 'always', 'each write is on disk');
