import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NotificationId } from '../../src/domain/ids.ts';
import type { SetupInput } from '../../src/services/accounts.ts';
import { createRecordServices } from '../../src/services/record-services.ts';
import type { Records } from '../../src/services/records.ts';
import { seedSample } from '../../src/services/sample.ts';
import { createWriter } from '../../src/services/writer.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';
import { createManualClock } from '../support/manual-clock.ts';

const INPUT: SetupInput = {
  orgName: 'Elsewhere Ltd',
  timeZone: 'Europe/Berlin',
  email: 'root@example.com',
  firstName: '',
  lastName: 'Root',
  clientName: 'First client',
};

let http: HttpFixture;
beforeEach(async () => {
  http = await openHttp();
});
afterEach(() => http.close());

async function signIn(client: { clientId: string; clientSecret: string; refreshToken: string }) {
  const answer = await http.auth.exchange({ grantType: 'refresh_token', ...client });
  if (answer.kind !== 'issued') throw new Error(answer.error);
  return http.auth.authenticate(`Bearer ${answer.accessToken}`);
}

describe('setup', () => {
  test('makes an organisation whose credentials work', async () => {
    const made = await http.accounts.setup(INPUT);
    const principal = await signIn(made);
    expect(principal.org).toMatchObject({ name: 'Elsewhere Ltd', timeZone: 'Europe/Berlin' });
    expect(principal.org.id).toMatch(/^[1-8]\d{6}$/);
    expect(principal.user).toMatchObject({ email: 'root@example.com', firstName: '', lastName: 'Root' });
    expect(principal.profile).toMatchObject({ name: 'Administrator', deniedModules: [] });
    expect(await http.auth.operator(made.adminToken)).toEqual({ orgId: principal.org.id });
  });

  test('makes another organisation each time', async () => {
    const principals = [await signIn(await http.accounts.setup(INPUT)), await signIn(await http.accounts.setup(INPUT))];
    expect(principals[0]?.org.id).not.toBe(principals[1]?.org.id);
  });

  const bad: readonly [keyof SetupInput, string, string][] = [
    ['orgName', ' ', 'name'],
    ['orgName', 'x'.repeat(101), 'name'],
    ['orgName', 'a\0b', 'name'],
    ['timeZone', 'Mars/Olympus', 'time_zone'],
    ['email', 'root', 'email'],
    ['email', `${'x'.repeat(250)}@example.com`, 'email'],
    ['firstName', 'x'.repeat(101), 'first_name'],
    ['lastName', '', 'last_name'],
    ['clientName', '', 'client_name'],
  ];

  test.each(bad)('refuses a %s of %j and makes nothing', async (field, value, name) => {
    const before = await http.store.accounts.listOrgs();
    const attempt = http.accounts.setup({ ...INPUT, [field]: value });
    await expect(attempt).rejects.toMatchObject({ code: 'INVALID_DATA', details: { api_name: name } });
    expect(await http.store.accounts.listOrgs()).toEqual(before);
  });
});

describe('the sample organisation', () => {
  test('is made once and kept, and is empty until all of the sample is written', async () => {
    const again = await http.accounts.ensureDev({ timeZone: 'UTC' });
    expect(again.isEmpty).toBe(true);
    expect(again.principal).toEqual(http.principal);
    const { records, count } = sampleWriter();
    for (const reach of [0, 1, 2, 3]) {
      let left = reach;
      const cutShort: Pick<Records, 'create'> = {
        create: async (...call) => {
          if (left === 0) throw new Error('killed');
          left -= 1;
          return records.create(...call);
        },
      };
      await expect(seedSample(cutShort, http.principal)).rejects.toThrow('killed');
      expect((await http.accounts.ensureDev({ timeZone: 'UTC' })).isEmpty).toBe(true);
    }
    await seedSample(records, http.principal);
    expect(await Promise.all(['Accounts', 'Contacts', 'Leads', 'Deals'].map(count))).toEqual([5, 10, 6, 6]);
    expect((await http.accounts.ensureDev({ timeZone: 'UTC' })).isEmpty).toBe(false);
  });

  /** The services of records on the store of this file, and how many records a module has. */
  function sampleWriter() {
    const { store } = http;
    const writer = createWriter({
      store: store.writing,
      clock: createManualClock(),
      randomId: () => randomUUID() as NotificationId,
      onCommitted: () => {},
      maxQueued: 10,
      maxBatchWeight: 1000,
    });
    const parts = { writer, reads: store.records, relatedReads: store.related, accounts: store.accounts };
    const { records } = createRecordServices(parts);
    const count = (module: string) => store.recordLists.count(http.principal.org.id, module);
    return { records, count };
  }

  test('has its credentials again after they were removed', async () => {
    const { orgId, id } = { orgId: http.principal.org.id, id: http.principal.user.id };
    const { hashSecret } = await import('../../src/services/secret.ts');
    await http.store.tokens.remove(hashSecret('1000.dev.refresh'));
    await http.accounts.ensureDev({ timeZone: 'UTC' });
    expect(
      await signIn({ clientId: '1000.DEV', clientSecret: 'dev-secret', refreshToken: '1000.dev.refresh' }),
    ).toMatchObject({ org: { id: orgId }, user: { id } });
  });
});

test('a colleague acts under a profile and scopes of their own', async () => {
  const org = http.principal.org.id;
  const profile = await http.accounts.addProfile(org, { name: 'Narrow', deniedModules: ['Deals'] });
  const user = await http.accounts.addUser(org, {
    email: 'ada@example.com',
    firstName: 'Ada',
    lastName: 'Colleague',
    profileId: profile.id,
  });
  const client = await http.accounts.addClient(org, 'Second client');
  const scopes = ['ZohoCRM.modules.READ'];
  const refreshToken = await http.accounts.makeRefreshToken({ orgId: org, userId: user.id, scopes, ...client });
  expect(await signIn({ ...client, refreshToken })).toMatchObject({
    org: http.principal.org,
    user,
    profile,
    catalog: http.principal.catalog,
    clientId: client.clientId,
    scopes,
  });
  expect(user.id).not.toBe(http.principal.user.id);
  // Serials of records start at ten million and never come up to this range.
  expect(Number(user.id.slice(7))).toBeGreaterThanOrEqual(900_000_000_000);
});
