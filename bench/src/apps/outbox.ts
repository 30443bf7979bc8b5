import pg from 'pg';
import { bodyOf } from '../event.ts';
import { type App, type AppSetting, inBatches } from './app.ts';
import { createBell } from './bell.ts';
import { createPoster, type Post } from './post.ts';

/** How events come: many in one transaction, or each in that of the change that made it, so many at a time. */
export type Comes = 'together' | 'singly';

/** Rows inserted by one statement. */
const INSERTED_AT_ONCE = 500;
const CONNECTIONS = 20;
const CLAIMED_AT_ONCE = 500;
/** While one sends what it claimed, the other claims what comes next. */
const DISPATCHERS = 2;
/** For what is to be tried again, and what other processes inserted. */
const LOOK_EVERY_MS = 1000;
const PRUNE_EVERY_MS = 60_000;

/** An event is stored once, however many are to hear of it. Who is done with a row deletes it. */
const SCHEMA = `
  CREATE TABLE subscription (id integer PRIMARY KEY, url text NOT NULL);
  CREATE TABLE event (id bigint PRIMARY KEY, body text NOT NULL, at timestamptz NOT NULL DEFAULT now());
  CREATE SEQUENCE event_id CACHE 100;
  CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL,
    subscription_id integer NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now()
  );`;

const SUBSCRIBE = `
  INSERT INTO subscription (id, url)
  SELECT place - 1, url FROM unnest($1::text[]) WITH ORDINALITY AS given (url, place)`;

const given = (columns: string): string => `
  WITH given AS MATERIALIZED (SELECT nextval('event_id') AS id, * FROM unnest(${columns}),
    kept AS (INSERT INTO event (id, body) SELECT id, body FROM given)`;

const INSERT_FOR_ONE = {
  name: 'insert-for-one',
  text: `${given('$1::text[], $2::integer[]) AS given (body, subscription_id)')}
    INSERT INTO outbox (event_id, subscription_id) SELECT id, subscription_id FROM given`,
};

const INSERT_FOR_EACH = {
  name: 'insert-for-each',
  text: `${given('$1::text[]) AS given (body)')}
    INSERT INTO outbox (event_id, subscription_id) SELECT given.id, subscription.id FROM given, subscription`,
};

/** In a transaction that is held open until all are sent: if this process ends before, the rows are there again. */
const CLAIM = {
  name: 'claim',
  text: `
    DELETE FROM outbox WHERE id = ANY (ARRAY(
      SELECT id FROM outbox WHERE due_at <= now() ORDER BY id LIMIT ${CLAIMED_AT_ONCE} FOR UPDATE SKIP LOCKED))
    RETURNING id, event_id, subscription_id, attempts, (SELECT body FROM event WHERE event.id = event_id) AS body`,
};

const TRY_AGAIN = `
  INSERT INTO outbox (id, event_id, subscription_id, attempts, due_at) OVERRIDING SYSTEM VALUE
  SELECT id, event_id, subscription_id, attempts + 1, now() + least(2 ^ attempts, 3600) * interval '1 s'
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[])
    AS failed (id, event_id, subscription_id, attempts)`;

const PRUNE = `
  DELETE FROM event WHERE at < now() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM outbox WHERE event_id = event.id)`;

interface Row {
  readonly id: string;
  readonly event_id: string;
  readonly subscription_id: number;
  readonly attempts: number;
  readonly body: string;
}

export async function startOutbox(
  { shape: { urls, to }, storeUrl: connectionString }: AppSetting,
  comes: Comes,
): Promise<App> {
  const pool = new pg.Pool({ connectionString, max: CONNECTIONS });
  await pool.query(SCHEMA);
  await pool.query(SUBSCRIBE, [urls]);
  const poster = createPoster(urls);
  const dispatchers = await Promise.all(Array.from({ length: DISPATCHERS }, () => connected(connectionString)));
  const bell = createBell();
  let isStopping = false;

  async function dispatch(client: pg.Client): Promise<void> {
    // What a crash of the machine takes back is only that something was sent.
    await client.query('SET synchronous_commit = off');
    while (!isStopping) {
      const heard = bell.heard();
      await client.query('BEGIN');
      const { rows } = await client.query<Row>(CLAIM);
      // There may be more.
      if (rows.length === CLAIMED_AT_ONCE) bell.ring();
      const failed = await send(rows, poster.post);
      if (failed.length > 0) await client.query(TRY_AGAIN, columnsOf(failed));
      await client.query('COMMIT');
      if (rows.length === 0) await bell.rungSince(heard);
    }
  }

  const timers = [
    setInterval(bell.ring, LOOK_EVERY_MS),
    setInterval(() => pool.query(PRUNE).catch(() => {}), PRUNE_EVERY_MS),
  ];
  const dispatching = dispatchers.map(dispatch);

  async function insert(serials: readonly number[]): Promise<void> {
    const bodies = serials.map((serial) => bodyOf(serial));
    if (to === 'each') await pool.query({ ...INSERT_FOR_EACH, values: [bodies] });
    else await pool.query({ ...INSERT_FOR_ONE, values: [bodies, serials.map((serial) => serial % urls.length)] });
    bell.ring();
  }

  async function take(from: number, events: number): Promise<void> {
    const rowsPerEvent = to === 'each' ? urls.length : 1;
    const atOnce = comes === 'singly' ? 1 : Math.ceil(INSERTED_AT_ONCE / rowsPerEvent);
    const batches = inBatches(from, events, atOnce);
    const callers = comes === 'singly' ? CONNECTIONS : 1;
    await Promise.all(
      Array.from({ length: callers }, async () => {
        // They take turns at the same batches.
        for (let next = batches.next(); !next.done; next = batches.next()) await insert(next.value);
      }),
    );
  }

  return {
    take,
    takeOne: (serial) => insert([serial]),
    async stop() {
      isStopping = true;
      for (const timer of timers) clearInterval(timer);
      for (const _ of dispatchers) bell.ring();
      await Promise.all(dispatching);
      await Promise.all(dispatchers.map((client) => client.end()));
      await pool.end();
      await poster.close();
    },
  };
}

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** Those that were not acknowledged. */
async function send(rows: readonly Row[], post: Post): Promise<readonly Row[]> {
  const failed: Row[] = [];
  const one = (row: Row): Promise<void> =>
    post(row.subscription_id, row.id, row.body).catch(() => void failed.push(row));
  await Promise.all(rows.map(one));
  return failed;
}

const columnsOf = (rows: readonly Row[]): unknown[][] => [
  rows.map(({ id }) => id),
  rows.map(({ event_id }) => event_id),
  rows.map(({ subscription_id }) => subscription_id),
  rows.map(({ attempts }) => attempts),
];
