import { startDatabase } from '../services/postgres.ts';
import type { System } from '../system.ts';
import { startApp } from './app-process.ts';

const createOutbox = (name: string, app: string): System => ({
  name,
  durability: 'each commit is on disk',
  start: async ({ shape }) => startApp(app, shape, await startDatabase()),
});

/** Events are put into it many at once. */
export const outbox = createOutbox('outbox', 'outbox-app');

/** Each event is put into it by a transaction of its own: that of the change which made it. */
export const outboxSingly = createOutbox('outbox-singly', 'outbox-singly-app');
