import assert from 'node:assert/strict';
import { has, plain } from '../crm.mjs';

export const title = 'users and organisation';

export const cases = {
  async 'reads the organisation'({ sdk: { Org }, session: { org } }) {
    const response = await new Org.OrgOperations().getOrganization();
    const [found] = plain(response.getObject().getOrg());
    has(found, { zgid: org });
  },

  async 'lists the users, and finds itself'({ sdk: { Users }, params, headers }) {
    const operations = new Users.UsersOperations();
    const all = await operations.getUsers(await params(Users.GetUsersParam, { TYPE: 'ActiveUsers' }), await headers());
    const me = await operations.getUsers(await params(Users.GetUsersParam, { TYPE: 'CurrentUser' }), await headers());
    const [self] = plain(me.getObject().getUsers());
    has(self, { email: 'patricia@example.com', status: 'active' });
    assert.ok(plain(all.getObject().getUsers()).some(({ id }) => id === self.id));
    const one = await operations.getUser(BigInt(self.id), await headers());
    has(plain(one.getObject().getUsers()), [{ id: self.id, email: self.email }]);
  },
};
