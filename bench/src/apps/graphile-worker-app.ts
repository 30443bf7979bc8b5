import { Logger, run, type Task } from 'graphile-worker';
import pg from 'pg';
import { bodyOf } from '../event.ts';
import { inBatches, serveApp } from './app.ts';
import { createPoster } from './post.ts';

const ADDED_AT_ONCE = 500;
/** More than there are connections to the receiver, so that none of them waits. */
const CONCURRENCY = 200;
const FETCHED_AT_ONCE = 1000;
const TOLD_EVERY_MS = 20;

interface Payload {
  /** The channel's number. */
  readonly channel: number;
  readonly body: string;
}

const CREATE_SUBSCRIPTIONS = 'CREATE TABLE subscription (channel integer PRIMARY KEY)';
const SUBSCRIBE = 'INSERT INTO subscription SELECT generate_series(0, $1::integer - 1)';

const add = (channel: string, from: string): string => `
  SELECT FROM graphile_worker.add_jobs(ARRAY(
    SELECT ('post', json_build_object('channel', ${channel}, 'body', body), NULL, NULL, NULL, NULL, NULL, NULL)::graphile_worker.job_spec
    FROM ${from}))`;

/** What `addJobs` of the library does, but without sending all jobs back. */
const ADD_FOR_ONE = {
  name: 'add-for-one',
  text: add('channel', 'unnest($1::text[], $2::integer[]) AS given (body, channel)'),
};

const ADD_FOR_EACH = {
  name: 'add-for-each',
  text: add('channel', 'unnest($1::text[]) AS given (body), subscription'),
};

serveApp(async ({ shape: { urls, to }, storeUrl: connectionString }) => {
  const poster = createPoster(urls);
  const post: Task = (payload, { job }) => {
    const { channel, body } = payload as Payload;
    return poster.post(channel, job.id, body);
  };
  const runner = await run({
    preset: {
      worker: {
        connectionString,
        concurrentJobs: CONCURRENCY,
        localQueue: { size: FETCHED_AT_ONCE },
        completeJobBatchDelay: TOLD_EVERY_MS,
        failJobBatchDelay: TOLD_EVERY_MS,
        logger: new Logger(() => () => {}),
      },
    },
    taskList: { post },
    parsedCronItems: [],
    noHandleSignals: true,
  });
  const pool = new pg.Pool({ connectionString });
  await pool.query(CREATE_SUBSCRIPTIONS);
  await pool.query(SUBSCRIBE, [urls.length]);

  async function insert(serials: readonly number[]): Promise<void> {
    const bodies = serials.map((serial) => bodyOf(serial));
    if (to === 'each') await pool.query({ ...ADD_FOR_EACH, values: [bodies] });
    else await pool.query({ ...ADD_FOR_ONE, values: [bodies, serials.map((serial) => serial % urls.length)] });
  }

  return {
    async take(from, events) {
      const perEvent = to === 'each' ? urls.length : 1;
      for (const serials of inBatches(from, events, Math.ceil(ADDED_AT_ONCE / perEvent))) await insert(serials);
    },
    takeOne: (serial) => insert([serial]),
    async stop() {
      await runner.stop();
      await pool.end();
      await poster.close();
    },
  };
});
