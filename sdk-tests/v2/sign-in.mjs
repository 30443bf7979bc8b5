import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { has, plain, refusal } from '../crm.mjs';
import { channel } from './notifications.mjs';

export const title = 'another user, by a grant token';

export const cases = {
  async 'exchanges the grant token and is that user'({ sdk: { Users }, session, signedIn, params, headers }) {
    const operations = new Users.UsersOperations();
    const me = await operations.getUsers(await params(Users.GetUsersParam, { TYPE: 'CurrentUser' }), await headers());
    has(plain(me.getObject().getUsers()), [{ email: session.colleague.email }]);
    assert.ok(signedIn.getRefreshToken().length > 0);
    assert.ok(readFileSync(join(session.folder, 'tokens.txt'), 'utf8').includes(signedIn.getRefreshToken()));
  },

  async 'is refused the module that the profile denies, and may use others'({ operations, body, create }) {
    assert.equal((await create('Leads', { Last_Name: 'Mine', Company: 'Own' })).length, 1);
    const refused = await operations('Solutions')
      .createRecords(body({ Solution_Title: 'x' }))
      .then(
        (response) => plain(response.getObject()),
        (error) => error.details,
      );
    assert.match(JSON.stringify(refused), /NO_PERMISSION/);
  },

  async 'is refused what its scopes do not cover'({ sdk: { Notifications }, notifyUrl }) {
    const body = channel(Notifications, '1000000068009', { events: ['Leads.all'], notifyUrl });
    const response = await new Notifications.NotificationOperations().enableNotifications(body);
    has(refusal(response), { status: 401, code: 'OAUTH_SCOPE_MISMATCH' });
  },

  async 'refreshes its access token, and keeps the new one'({ sdk, session: { folder, colleague }, signedIn, create }) {
    const path = join(folder, 'tokens.txt');
    const before = signedIn.getAccessToken();
    await signedIn.refreshAccessToken(new sdk.UserSignature(colleague.email), new sdk.FileStore(path));
    const after = signedIn.getAccessToken();
    assert.notEqual(after, before);
    assert.ok(readFileSync(path, 'utf8').includes(after));
    await create('Leads', { Last_Name: 'Later', Company: 'Own' });
  },
};
