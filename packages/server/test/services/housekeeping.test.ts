import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BIN_MS } from '../../src/domain/deleted-record.ts';
import type { OrgId, RecordId } from '../../src/domain/ids.ts';
import { type Housekeeping, startHousekeeping } from '../../src/services/housekeeping.ts';
import { createPace } from '../../src/services/pace.ts';
import type { Store } from '../../src/storage/store.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { addOrgs, createRecords, openBatches } from '../storage/suite/sample.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RETENTION_MS = 24 * HOUR_MS;

let http: HttpFixture;
let clock: ManualClock;
let metrics: Metrics;
let housekeeping: Housekeeping;
/** Organisations that another node keeps. */
let elsewhere: Set<OrgId>;
let lines: [level: string, text: string, data: object][];

const log = (level: string) => (data: object, text: string) => void lines.push([level, text, data]);
const texts = (level: string) => lines.filter(([of]) => of === level).map(([, text]) => text);

function start(store: Partial<Store> = {}): Housekeeping {
  metrics = createMetrics();
  return startHousekeeping({
    store: store.housekeeping ?? http.store.housekeeping,
    deleted: store.deleted ?? http.store.deleted,
    accounts: store.accounts ?? http.store.accounts,
    writer: { submit: () => Promise.reject(new Error('nothing is to be ended here')), drain: async () => undefined },
    clock,
    retentionMs: RETENTION_MS,
    isMine: (org) => !elsewhere.has(org),
    metrics,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  });
}

beforeEach(async () => {
  http = await openHttp();
  clock = createManualClock(http.time.now);
  lines = [];
  elsewhere = new Set();
  housekeeping = start();
});
afterEach(async () => {
  await housekeeping.stop();
  await http.close();
});

async function deleteOne(): Promise<RecordId> {
  const authorization = `Zoho-oauthtoken ${await http.signIn()}`;
  const send = async (method: 'POST' | 'DELETE', path: string, body?: object) =>
    (
      await http.app.inject({
        method,
        url: `/crm/v8/${path}`,
        headers: { authorization, host: 'localhost' },
        ...(body && { payload: JSON.stringify(body) }),
      })
    ).json();
  const made = await send('POST', 'Leads', { data: [{ Last_Name: 'Old', Company: 'c' }] });
  const id = made.data[0].details.id as RecordId;
  await send('DELETE', `Leads?ids=${id}`);
  return id;
}

describe('housekeeping', () => {
  test('removes the values of deleted records when they are too old, a minute after the start and every hour', async () => {
    const id = await deleteOne();
    const { org } = http.principal;
    const hasValues = async () => (await http.store.deleted.findMany(org.id, [id]))[0]?.bin !== undefined;
    clock.advance(BIN_MS - 2 * HOUR_MS);
    await housekeeping.idle();
    await housekeeping.stop();
    expect(await hasValues()).toBe(true);
    clock.advance(2 * HOUR_MS - 2 * MINUTE_MS);
    housekeeping = start();
    clock.advance(MINUTE_MS);
    await housekeeping.idle();
    expect(await hasValues()).toBe(true);
    clock.advance(HOUR_MS - 1);
    await housekeeping.idle();
    expect(await hasValues()).toBe(true);
    clock.advance(1);
    await housekeeping.idle();
    expect(await hasValues()).toBe(false);
    await housekeeping.stop();
    expect(clock.waiting()).toBe(0);
    expect(texts('warn')).toEqual([]);
  });

  test('tells what it removed, in a line and in metrics, and nothing when there was nothing', async () => {
    clock.advance(MINUTE_MS);
    await housekeeping.idle();
    expect(texts('info')).toEqual([]);
    await deleteOne();
    clock.advance(RETENTION_MS + HOUR_MS);
    await housekeeping.idle();
    const [[, text, data] = []] = lines.filter(([level]) => level === 'info');
    expect(text).toBe('housekeeping');
    expect(data).toEqual({ record_change: 2, ms: expect.any(Number) });
    const told = await metrics.text();
    expect(told).toContain('watchbell_housekeeping_rows_total{table="record_change"} 2');
    expect(told).toMatch(/watchbell_housekeeping_seconds_count [1-9]/);
  });

  test('says how old the oldest change is that it left', async () => {
    await deleteOne();
    clock.advance(RETENTION_MS - HOUR_MS);
    await housekeeping.idle();
    expect(await metrics.text()).toContain(`watchbell_oldest_change_seconds ${(RETENTION_MS - HOUR_MS) / 1000}`);
  });

  test('goes on after the store failed', async () => {
    await http.store.close();
    clock.advance(MINUTE_MS);
    await vi.waitFor(() => expect(texts('warn')).not.toEqual([]));
    clock.advance(HOUR_MS);
    await vi.waitFor(() => expect(texts('warn')).toHaveLength(2));
    expect(new Set(texts('warn'))).toEqual(new Set(['housekeeping failed, trying again in an hour']));
  });

  test('leaves what a suspended organisation has, and is not stopped by one that fails', async () => {
    const [failing, suspended, well] = ['5000001', '5000002', '5000003'] as OrgId[];
    if (!failing || !suspended || !well) throw new Error('three ids');
    await addOrgs(http.store, failing, suspended, well);
    const batches = openBatches(http.store);
    batches.now = clock.now();
    for (const org of [failing, suspended, well]) await batches.run(org, {}, (set) => createRecords(set));
    await batches.run(suspended, {}, (set) => {
      set.writes.org = { ...set.org, suspendedAt: set.now };
    });
    await housekeeping.stop();
    const { housekeeping: store } = http.store;
    housekeeping = start({
      housekeeping: {
        ...store,
        newestChange: (org, until) =>
          org === failing ? Promise.reject(new Error('of this one alone')) : store.newestChange(org, until),
      },
    });
    clock.advance(RETENTION_MS + 2 * HOUR_MS);
    await housekeeping.idle();
    const left = async (org: OrgId) => (await store.oldestChange(org)) !== undefined;
    expect(await Promise.all([failing, suspended, well].map(left))).toEqual([true, true, false]);
    expect(lines.filter(([level]) => level === 'warn')[0]?.[2]).toMatchObject({ org: failing });
  });

  test("leaves what is another node's to do, until it is its own", async () => {
    await deleteOne();
    elsewhere.add(http.principal.org.id);
    clock.advance(RETENTION_MS + 2 * HOUR_MS);
    await housekeeping.idle();
    expect(texts('info')).toEqual([]);
    elsewhere.clear();
    clock.advance(HOUR_MS);
    await housekeeping.idle();
    expect(texts('info')).toEqual(['housekeeping']);
  });

  test('lets an erasure wait until it has left the organisation, and comes to it no more', async () => {
    const [erased] = ['5000001'] as OrgId[];
    if (!erased) throw new Error('an id');
    await addOrgs(http.store, erased);
    const batches = openBatches(http.store);
    batches.now = clock.now();
    await batches.run(erased, {}, (set) => createRecords(set));
    await housekeeping.stop();
    const { housekeeping: store } = http.store;
    let reach = () => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    let visits = 0;
    housekeeping = start({
      housekeeping: {
        ...store,
        async newestChange(org, until) {
          if (org === erased) {
            visits += 1;
            reach();
            await gate;
          }
          return store.newestChange(org, until);
        },
      },
    });
    clock.advance(MINUTE_MS);
    await reached;
    let hasLeft = false;
    const leaving = housekeeping.leave(erased).then(() => {
      hasLeft = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasLeft).toBe(false);
    go();
    await leaving;
    await batches.run(erased, {}, (set) => {
      set.writes.org = { ...set.org, erasingAt: set.now };
    });
    clock.advance(HOUR_MS);
    await housekeeping.idle();
    expect(visits).toBe(1);
  });
});

describe('its pace', () => {
  test('takes more while that is quick, and less when it is not', async () => {
    const pace = createPace({ leastRows: 10, mostRows: 80, aimMs: 1_000_000 });
    const sizes: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      sizes.push(pace.size());
      await pace.timed(async () => undefined);
    }
    expect(sizes).toEqual([10, 20, 40, 80, 80]);
    const slow = createPace({ leastRows: 10, mostRows: 80, aimMs: -1 });
    await slow.timed(async () => undefined);
    expect(slow.size()).toBe(10);
  });

  test('rests no more once it is stopped', async () => {
    const pace = createPace({ leastRows: 1, mostRows: 1, aimMs: 1 });
    pace.stop();
    expect(pace.isStopped()).toBe(true);
    expect(await pace.timed(async () => 'done')).toBe('done');
  });
});
