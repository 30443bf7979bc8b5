import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { done } from '../crm.mjs';
import { channel, disable } from './notifications.mjs';

export const title = 'goes on';

const CHANNEL = '1000000068001';

/** Written while nobody listens at the channel's address any more. */
let owed;

export const cases = {
  async 'with the token it had kept, without asking for another'({ session: { folder }, create, arrived }) {
    const kept = readFileSync(join(folder, 'tokens.txt'), 'utf8');
    [owed] = await create('Leads', { Last_Name: 'Curie', Company: 'Sorbonne' });
    assert.equal(readFileSync(join(folder, 'tokens.txt'), 'utf8'), kept);
    assert.deepEqual(arrived, []);
  },

  async 'and with its channel, which gets what was owed at its new address'(crm) {
    const { sdk, notifyUrl, notified, params, create } = crm;
    const operations = new sdk.Notifications.NotificationOperations();
    const moved = channel(sdk.Notifications, CHANNEL, { events: ['Leads.all'], notifyUrl });
    const patched = await operations.updateNotification(moved);
    done(patched, 200, 'Successfully updated the subscribe details', 'getWatch');
    await notified('Leads', 'insert', [owed]);
    await notified('Leads', 'insert', await create('Leads', { Last_Name: 'Joliot', Company: 'Sorbonne' }));
    await disable({ sdk, params }, CHANNEL);
    assert.equal((await operations.getNotificationDetails(await params())).getStatusCode(), 204);
  },
};
