import PgBoss from 'pg-boss';
import { bodyOf } from '../event.ts';
import { inBatches, serveApp } from './app.ts';
import { createBell } from './bell.ts';
import { createPoster } from './post.ts';

const QUEUE = 'notifications';
const ADDED_AT_ONCE = 500;
const FETCHED_AT_ONCE = 500;
/** While one sends what it fetched, the other fetches what comes next. */
const POLLERS = 2;
/** For what is to be tried again, and what other processes added. */
const LOOK_EVERY_MS = 500;
const RETRY = { retryLimit: 10, retryDelay: 1, retryBackoff: true };

interface Data {
  /** The channel's number. */
  readonly channel: number;
  readonly body: string;
}

serveApp(async ({ shape: { urls, to }, storeUrl: connectionString }) => {
  const boss = new PgBoss({ connectionString, schedule: false });
  // Without a listener it would end the process when PostgreSQL is ended.
  boss.on('error', () => {});
  await boss.start();
  await boss.createQueue(QUEUE, { name: QUEUE, ...RETRY });
  const poster = createPoster(urls);
  const bell = createBell();
  let isStopping = false;

  /** As `boss.work` does, which waits for half a second between two looks, and fails all jobs of a batch with one. */
  async function poll(): Promise<void> {
    while (!isStopping) {
      const heard = bell.heard();
      const jobs = await boss.fetch<Data>(QUEUE, { batchSize: FETCHED_AT_ONCE, priority: false });
      // There may be more.
      if (jobs.length === FETCHED_AT_ONCE) bell.ring();
      if (jobs.length === 0) await bell.rungSince(heard);
      else await send(jobs);
    }
  }

  async function send(jobs: readonly PgBoss.Job<Data>[]): Promise<void> {
    const sent: string[] = [];
    const failed: string[] = [];
    const one = ({ id, data: { channel, body } }: PgBoss.Job<Data>): Promise<unknown> =>
      poster.post(channel, id, body).then(
        () => sent.push(id),
        () => failed.push(id),
      );
    await Promise.all(jobs.map(one));
    // Cheaper than to complete them, which keeps them for a while.
    if (sent.length > 0) await boss.deleteJob(QUEUE, sent);
    if (failed.length > 0) await boss.fail(QUEUE, failed);
  }

  function jobsOf(serial: number): PgBoss.JobInsert<Data>[] {
    const body = bodyOf(serial);
    const channels = to === 'each' ? [...urls.keys()] : [serial % urls.length];
    return channels.map((channel) => ({ name: QUEUE, data: { channel, body } }));
  }

  async function insert(serials: readonly number[]): Promise<void> {
    await boss.insert(serials.flatMap(jobsOf));
    bell.ring();
  }

  const polling = Array.from({ length: POLLERS }, poll);
  const timer = setInterval(bell.ring, LOOK_EVERY_MS);

  return {
    async take(from, events) {
      const perEvent = to === 'each' ? urls.length : 1;
      for (const serials of inBatches(from, events, Math.ceil(ADDED_AT_ONCE / perEvent))) await insert(serials);
    },
    takeOne: (serial) => insert([serial]),
    async stop() {
      isStopping = true;
      clearInterval(timer);
      for (const _ of polling) bell.ring();
      await Promise.all(polling);
      await boss.stop({ graceful: false, wait: true });
      await poster.close();
    },
  };
});
