import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BIN_MS } from '../../src/domain/deleted-record.ts';
import type { RecordId } from '../../src/domain/ids.ts';
import { type Purging, startPurging } from '../../src/services/purging.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const HOUR_MS = 3_600_000;

let http: HttpFixture;
let clock: ManualClock;
let purging: Purging;
const warnings: string[] = [];
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

beforeEach(async () => {
  http = await openHttp();
  clock = createManualClock(http.time.now);
  warnings.length = 0;
  const { deleted, accounts } = http.store;
  const logger = { ...silent, warn: (_: object, text: string) => void warnings.push(text) };
  purging = startPurging({ deleted, accounts, clock, logger });
});
afterEach(async () => {
  await purging.stop();
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

describe('purging', () => {
  test('removes the values of what is too old, once an hour by the clock', async () => {
    const id = await deleteOne();
    const { org } = http.principal;
    const hasValues = async () => (await http.store.deleted.findMany(org.id, [id]))[0]?.bin !== undefined;
    clock.advance(BIN_MS - HOUR_MS);
    await purging.stop();
    expect(await hasValues()).toBe(true);
    const { deleted, accounts } = http.store;
    purging = startPurging({ deleted, accounts, clock, logger: silent });
    clock.advance(HOUR_MS - 1);
    expect(clock.waiting()).toBe(1);
    clock.advance(1);
    await vi.waitFor(async () => expect(await hasValues()).toBe(false));
    await purging.stop();
    expect(clock.waiting()).toBe(0);
    expect(warnings).toEqual([]);
  });

  test('goes on after the store failed', async () => {
    await http.store.close();
    clock.advance(HOUR_MS);
    await vi.waitFor(() => expect(warnings).not.toEqual([]));
    clock.advance(HOUR_MS);
    await vi.waitFor(() => expect(warnings).toHaveLength(2));
    expect(new Set(warnings)).toEqual(new Set(['deleted records cannot be removed, trying again in an hour']));
  });
});
