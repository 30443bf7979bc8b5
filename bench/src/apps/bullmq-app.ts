import { type BulkJobOptions, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { bodyOf } from '../event.ts';
import { inBatches, serveApp } from './app.ts';
import { createPoster } from './post.ts';

const QUEUE = 'notifications';
const ADDED_AT_ONCE = 200;
/** More than there are connections to the receiver: while 50 are sent, others are fetched or told as done. */
const CONCURRENCY = 100;
const OPTIONS: BulkJobOptions = { attempts: 10, backoff: { type: 'exponential', delay: 1000 } };

interface NewJob {
  /** The channel's number. */
  readonly name: string;
  readonly data: string;
  readonly opts: BulkJobOptions;
}

serveApp(async ({ shape: { urls, to }, storeUrl }) => {
  const connect = (): Redis => new Redis(storeUrl, { maxRetriesPerRequest: null });
  const adding = connect();
  const working = connect();
  const queue = new Queue<string>(QUEUE, { connection: adding });
  const poster = createPoster(urls);
  const worker = new Worker<string>(QUEUE, ({ name, id, data }) => poster.post(Number(name), `${name}-${id}`, data), {
    connection: working,
    concurrency: CONCURRENCY,
    removeOnComplete: { count: 0 },
    // A POST is given up long before the lock ends.
    skipLockRenewal: true,
  });
  // Without a listener it would end the process when Redis is ended.
  worker.on('error', () => {});
  await worker.waitUntilReady();

  function jobsOf(serial: number): NewJob[] {
    const data = bodyOf(serial);
    const channels = to === 'each' ? [...urls.keys()] : [serial % urls.length];
    return channels.map((channel) => ({ name: String(channel), data, opts: OPTIONS }));
  }

  return {
    async take(from, events) {
      const perEvent = to === 'each' ? urls.length : 1;
      for (const serials of inBatches(from, events, Math.ceil(ADDED_AT_ONCE / perEvent)))
        await queue.addBulk(serials.flatMap(jobsOf));
    },
    async takeOne(serial) {
      await queue.addBulk(jobsOf(serial));
    },
    async stop() {
      await worker.close();
      await queue.close();
      for (const connection of [adding, working]) connection.disconnect();
      await poster.close();
    },
  };
});
