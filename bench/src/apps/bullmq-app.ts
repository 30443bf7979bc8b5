import { type BulkJobOptions, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { bodyOf } from '../event.ts';
import { inBatches, serveApp } from './app.ts';
import { createPoster } from './post.ts';

const QUEUE = 'notifications';
/** Jobs added by one call. */
const BATCH = 1000;
const WORKERS = 1;
const CONCURRENCY = 50;
const OPTIONS: BulkJobOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: true,
};

interface NewJob {
  /** The channel's number. */
  readonly name: string;
  readonly data: string;
  readonly opts: BulkJobOptions;
}

serveApp(async ({ shape, storeUrl }) => {
  const connect = (): Redis => new Redis(storeUrl, { maxRetriesPerRequest: null, enableAutoPipelining: false });
  const connections = [connect(), ...Array.from({ length: WORKERS }, connect)];
  const [adding, ...working] = connections;
  if (adding === undefined) throw new Error('no connection');
  const queue = new Queue<string>(QUEUE, { connection: adding });
  const { post, close } = createPoster(shape.urls);
  const workers = working.map(
    (connection) =>
      new Worker<string>(QUEUE, ({ name, id, data }) => post(Number(name), `${name}-${id}`, data), {
        connection,
        concurrency: Math.ceil(CONCURRENCY / WORKERS),
      }),
  );
  for (const worker of workers) worker.on('error', () => {});
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));

  function jobsOf(serial: number): NewJob[] {
    const data = bodyOf(serial);
    const to = shape.to === 'each' ? [...shape.urls.keys()] : [serial % shape.urls.length];
    return to.map((channel) => ({ name: String(channel), data, opts: OPTIONS }));
  }

  return {
    async take(from, events) {
      const perEvent = shape.to === 'each' ? shape.urls.length : 1;
      for (const serials of inBatches(from, events, Math.max(1, Math.floor(BATCH / perEvent))))
        await queue.addBulk(serials.flatMap(jobsOf));
    },
    async takeOne(serial) {
      await queue.addBulk(jobsOf(serial));
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.close()));
      await queue.close();
      for (const connection of connections) connection.disconnect();
      await close();
    },
  };
});
