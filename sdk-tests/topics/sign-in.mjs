import assert from 'node:assert/strict';
import { has, plain, refusal } from '../crm.mjs';
import { channel } from './notifications.mjs';

export const title = 'another user, by a grant token';

export const cases = {
  async 'exchanges the grant token and is that user'({ sdk: { Users }, session, signedIn, params, headers }) {
    assert.ok(signedIn.getRefreshToken().length > 0);
    const operations = new Users.UsersOperations();
    const me = await operations.getUsers(await params(Users.GetUsersParam, { TYPE: 'CurrentUser' }), await headers());
    has(plain(me.getObject().getUsers()), [{ email: session.colleague.email }]);
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
    const response = await new Notifications.NotificationsOperations().enableNotifications(body);
    has(refusal(response), { status: 401, code: 'OAUTH_SCOPE_MISMATCH' });
  },

  async 'refreshes its access token'({ session: { base }, signedIn, create }) {
    const before = signedIn.getAccessToken();
    await signedIn.refreshAccessToken(signedIn, `${base}/oauth/v2/token`);
    assert.notEqual(signedIn.getAccessToken(), before);
    await create('Leads', { Last_Name: 'Later', Company: 'Own' });
  },

  async 'revokes its refresh token, which is good no more'({ session: { base }, signedIn }) {
    // `revoke(id)` of these SDKs never reaches the server; this is the call that it is meant to make. They then fail to
    // read the answer, whatever it is.
    await signedIn
      .revokeRefreshToken(signedIn.getRefreshToken(), `${base}/oauth/v2/token/revoke`)
      .catch(() => undefined);
    await assert.rejects(signedIn.refreshAccessToken(signedIn, `${base}/oauth/v2/token`), (error) => {
      assert.match(JSON.stringify({ ...error, message: error.message }), /INVALID TOKEN|invalid_code/);
      return true;
    });
  },
};
