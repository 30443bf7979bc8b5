import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { done } from '../crm.mjs';
import { channel } from './notifications.mjs';

export const title = 'goes on';

/** Written while nobody listens at the channel's address any more. */
let owed;

export const cases = {
  async 'with the token it had kept, without asking for another'({ session: { folder }, signedIn, create, arrived }) {
    const kept = readFileSync(join(folder, 'tokens.txt'), 'utf8');
    [owed] = await create('Leads', { Last_Name: 'Curie', Company: 'Sorbonne' });
    assert.equal(readFileSync(join(folder, 'tokens.txt'), 'utf8'), kept);
    assert.ok(kept.includes(signedIn.getAccessToken()));
    assert.deepEqual(arrived, []);
  },

  async 'and with its channel, which gets what was owed at its new address'(crm) {
    const { sdk, adapter, notifyUrl, notified, params } = crm;
    const { Notifications } = sdk;
    const operations = new Notifications.NotificationsOperations();
    done(
      await operations.updateNotification(channel(Notifications, '1000000068001', { notifyUrl })),
      200,
      'Successfully updated the subscribe details',
      'getWatch',
    );
    await notified('Leads', 'insert', [owed]);
    await notified('Leads', 'insert', await crm.create('Leads', { Last_Name: 'Joliot', Company: 'Sorbonne' }));
    done(
      await operations.deleteNotification(
        await params(Notifications.DeleteNotificationParam, { CHANNEL_IDS: adapter.channelIds('1000000068001') }),
      ),
      200,
      'Successfully un-subscribed from actions-watch',
      'getWatch',
    );
    const none = await operations.getNotifications(await params());
    assert.equal(none.getStatusCode(), 204);
  },
};
