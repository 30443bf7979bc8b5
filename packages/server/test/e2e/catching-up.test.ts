import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Change, ChangedRecord, Operation } from '../../src/domain/change.ts';
import type { LiveChannel } from '../../src/domain/channel.ts';
import type { UserId } from '../../src/domain/ids.ts';
import { matchOne } from '../../src/domain/matching.ts';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { rowsIn } from '../support/test-data.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const CHANNEL = '/_watchbell/v1/channels/1';

let dataDir: string;
let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-catching-up-'));
  receiver = await startReceiver();
  app = await startLiveApp({ dataDir, flags: { retrySchedule: '0s,10s,1m,5m' } });
});
afterEach(async () => {
  await receiver.close();
  await app.stop();
});

/** What a notification tells: all that a receiver needs to know of a change. */
interface Told {
  readonly server_time: number;
  readonly module: string;
  readonly operation: string;
  readonly ids: readonly string[];
}
interface Item {
  readonly number: number;
  readonly id: string;
  readonly state: string;
  readonly body: string;
}
interface FeedPage {
  readonly notifications: readonly Item[];
  readonly removed: readonly object[];
  readonly through: number;
  readonly more: boolean;
}
interface Gaps {
  readonly numbers: readonly { readonly from: number; readonly to: number; readonly state: string }[];
  readonly lapses: readonly { readonly kind: string; readonly changes: number; readonly can_rematch: boolean }[];
  readonly last_number: number;
  readonly more: boolean;
}

async function ask<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await app.owner.call(method, path, body);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body as Body;
}

async function open(events: readonly string[], hours: number): Promise<void> {
  const channel_expiry = `${new Date(app.clock.now() + hours * HOUR).toISOString().slice(0, 19)}Z`;
  const entry = { channel_id: '1', events, notify_url: receiver.origin, channel_expiry };
  await ask('POST', '/crm/v8/actions/watch', { watch: [entry] });
}

/** Changes of several kinds, some of which the channel does not watch, each a second after the one before. */
async function write(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const { data } = await ask<{ data: [{ details: { id: string } }] }>('POST', '/crm/v8/Contacts', {
      data: [{ Last_Name: `Boyle ${i}` }, { Last_Name: `Curie ${i}` }],
    });
    const { id } = data[0].details;
    app.clock.advance(SECOND);
    await ask('PUT', `/crm/v8/Contacts/${id}`, { data: [{ Phone: `555-01${i}` }] });
    app.clock.advance(SECOND);
    await ask('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'Boyle', Company: 'Zylker' }] });
    app.clock.advance(SECOND);
    if (i % 2 === 0) await ask('DELETE', `/crm/v8/Contacts/${id}`);
    app.clock.advance(SECOND);
  }
}

/** Time goes by in steps, so that what falls due on the way is tried. */
async function wait(duration: number, step: number): Promise<void> {
  for (let waited = 0; waited < duration; waited += step) {
    app.clock.advance(step);
    await app.app.idle();
  }
}

/** A reader that knows nothing but its channel's id and where its own cursor stands. */
function reader() {
  const had = new Map<number, Item>();
  return {
    had,
    /** Reads on from its cursor, page by page, and says up to where it has everything. */
    async catchUp(): Promise<void> {
      for (;;) {
        const page = await ask<FeedPage>('GET', `${CHANNEL}/feed?cursor=reader&limit=7`);
        for (const item of page.notifications) had.set(item.number, item);
        expect(page.removed).toEqual([]);
        await ask('PUT', `${CHANNEL}/feed/cursors/reader`, { number: page.through });
        if (!page.more) return;
      }
    },
    begin: () => ask('PUT', `${CHANNEL}/feed/cursors/reader`, { number: 0 }),
    told: (): Told[] => [...had.values()].map(({ body }) => JSON.parse(body) as Told),
  };
}

const gaps = (query = ''): Promise<Gaps> => ask('GET', `${CHANNEL}/gaps${query}`);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
const asText = ({ server_time, module, operation, ids }: Told): string =>
  `${server_time} ${module} ${operation} ${[...ids].sort().join()}`;

/** What the change log says that the channel, as it was at each change, is owed: nothing but the log is asked. */
async function owedByTheLog(): Promise<string[]> {
  const changes = await rowsIn<{
    number: number;
    module: string;
    operation: Operation;
    at: number;
    records: string;
    channel_version: number;
  }>(dataDir, 'SELECT number, module, operation, at, records, channel_version FROM record_change ORDER BY number');
  const revisions = await rowsIn<{ version: number; snapshot: string }>(
    dataDir,
    'SELECT version, snapshot FROM channel_revision ORDER BY version',
  );
  return changes.flatMap((row) => {
    const snapshot = revisions.findLast(({ version }) => Number(version) <= Number(row.channel_version))?.snapshot;
    if (snapshot === undefined) return [];
    const change: Change = {
      number: Number(row.number),
      module: row.module,
      operation: row.operation,
      at: Number(row.at),
      by: '' as UserId,
      channelVersion: Number(row.channel_version),
      records: JSON.parse(row.records) as ChangedRecord[],
    };
    return matchOne(change, JSON.parse(snapshot) as LiveChannel).map(({ module, operation, ids }) =>
      asText({ server_time: change.at, module, operation, ids }),
    );
  });
}

/** Every change that matched has one number that the reader has; the numbers are 1 … last, and none is another's. */
async function expectComplete(had: ReadonlyMap<number, Item>, told: readonly Told[]): Promise<void> {
  const owed = await owedByTheLog();
  expect(owed.length).toBeGreaterThan(10);
  expect([...had.keys()].sort((a, b) => a - b)).toEqual(upTo(owed.length));
  expect(new Set([...had.values()].map(({ id }) => id)).size).toBe(owed.length);
  expect(told.map(asText).sort()).toEqual([...owed].sort());
  expect((await gaps()).last_number).toBe(owed.length);
}

/** What its receiver took, each once, by id. */
const taken = (from = 0): Map<string, Told> =>
  new Map(receiver.received.slice(from).map(({ headers, body }) => [String(headers['webhook-id']), body as Told]));

test('a receiver that was down for an hour catches up by the feed, and by a replay of what was given up', async () => {
  const mine = reader();
  await open(['Contacts.all'], 24);
  await mine.begin();
  await write(2);
  await app.app.idle();
  await mine.catchUp();

  receiver.behave(failing);
  await write(3);
  await wait(30 * MINUTE, MINUTE);
  await write(2);
  await wait(28 * MINUTE, 4 * MINUTE);
  await write(1);
  await app.app.idle();
  receiver.behave(ok);
  const missed = receiver.received.length;

  // It sees what it may lack: what was given up, and what is tried again.
  const before = await gaps();
  const states = new Set(before.numbers.map(({ state }) => state));
  expect([...states].sort()).toEqual(['parked', 'pending']);
  expect(before.lapses).toEqual([]);
  const first = before.numbers[0]?.from ?? 0;
  expect((await gaps('?cursor=reader')).numbers).toEqual(before.numbers);

  await mine.catchUp();
  await expectComplete(mine.had, mine.told());
  // By its own word it has everything now, whatever the receiver took.
  expect((await gaps('?cursor=reader')).numbers).toEqual([]);

  // The receiver itself gets the rest: what was given up by a replay, the others as they fall due.
  const job = await ask<{ id: string }>('POST', `${CHANNEL}/replays`, { which: 'parked', rate: 1000 });
  await app.app.idle();
  expect(await ask('GET', `/_watchbell/v1/jobs/${job.id}`)).toMatchObject({ state: 'done', failed: 0 });
  await wait(10 * MINUTE, MINUTE);
  expect(await gaps()).toMatchObject({ numbers: [], lapses: [] });
  const lacked = [...mine.had.values()].filter(({ number }) => number >= first);
  expect([...taken(missed).keys()].sort()).toEqual(lacked.map(({ id }) => id).sort());
});

test('a receiver whose channel lapsed for a day catches up by a re-match and the feed', async () => {
  const mine = reader();
  await open(['Contacts.all'], 1);
  await mine.begin();
  await write(2);
  await app.app.idle();
  await mine.catchUp();

  // Nobody renews it: what happens is kept as a range of changes.
  await wait(HOUR, 20 * MINUTE);
  for (let i = 0; i < 4; i += 1) {
    await write(3);
    await wait(6 * HOUR, 2 * HOUR);
  }
  await mine.catchUp();
  const last = mine.had.size;
  expect(await gaps()).toMatchObject({
    numbers: [],
    last_number: last,
    lapses: [{ kind: 'expired', can_rematch: false }],
  });

  // Renewed, it watches less: what it missed is what it watched by then.
  await open(['Contacts.create'], 24);
  await write(2);
  await app.app.idle();
  await mine.catchUp();
  expect(mine.had.size).toBeGreaterThan(last);
  expect(await gaps()).toMatchObject({ numbers: [], lapses: [{ kind: 'expired', can_rematch: true }] });
  const { jobs } = await ask<{ jobs: readonly { id: string }[] }>('POST', `${CHANNEL}/rematches`, { all: true });
  expect(jobs).toHaveLength(1);
  await write(1);
  await app.app.idle();
  expect(await ask('GET', `/_watchbell/v1/jobs/${jobs[0]?.id}`)).toMatchObject({ state: 'done', note: null });

  await mine.catchUp();
  expect(await gaps()).toMatchObject({ numbers: [], lapses: [] });
  await expectComplete(mine.had, mine.told());
  // Its receiver was sent the same, each once; what was re-matched is marked.
  expect([...taken().values()].map(asText).sort()).toEqual(mine.told().map(asText).sort());
  expect(receiver.received).toHaveLength(mine.had.size);
  const marked = receiver.received.filter(({ headers }) => headers['watchbell-rematch'] === jobs[0]?.id);
  expect(marked.length).toBeGreaterThan(20);
});
