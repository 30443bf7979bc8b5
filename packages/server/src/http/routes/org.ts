import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/error.ts';
import { isId, type UserId } from '../../domain/ids.ts';
import type { Metadata } from '../../services/metadata.ts';
import { type Answer, type Call, type CrmRouteContext, resource } from '../call.ts';
import { readPaging } from '../paging.ts';
import { orgBody, userBody } from '../wire/user.ts';

/** Everybody known here is active and confirmed, so these lists are the same … */
const EVERYBODY = ['AllUsers', 'ActiveUsers', 'ConfirmedUsers', 'ActiveConfirmedUsers'];
/** … and these are empty. */
const NOBODY = ['DeactiveUsers', 'NotConfirmedUsers', 'DeletedUsers'];

/** `org` and `users`: who the caller is and works with. */
export function orgRoutes(
  app: FastifyInstance,
  context: CrmRouteContext,
  { metadata }: { readonly metadata: Metadata },
): void {
  resource(app, context, '/org', {
    GET: {
      scope: () => ({ family: 'org', operations: ['READ'] }),
      handle: async ({ principal }) => ({ status: 200, body: { org: [orgBody(principal.org)] } }),
    },
  });

  resource(app, context, '/users', {
    GET: {
      scope: () => ({ family: 'users', operations: ['READ'] }),
      handle: (call) => listUsers(call, metadata),
    },
  });

  resource(app, context, '/users/:id', {
    GET: {
      scope: () => ({ family: 'users', operations: ['READ'] }),
      handle: async ({ params: { id = '' }, principal }) => {
        if (!isId(id)) throw new AppError('INVALID_DATA', 'the id given seems to be invalid', { api_name: 'id' });
        const member = await metadata.findMember(principal.org.id, id as UserId);
        return member ? { status: 200, body: { users: [userBody(member)] } } : { status: 204 };
      },
    },
  });
}

async function listUsers({ query, principal }: Call, metadata: Metadata): Promise<Answer> {
  const type = query.get('type') ?? 'AllUsers';
  const { page, perPage } = readPaging(query);
  if (type === 'CurrentUser') return usersAnswer([userBody(principal)], { page: 1, perPage, moreRecords: false });
  if (NOBODY.includes(type)) return { status: 204 };
  if (!EVERYBODY.includes(type)) {
    throw new AppError('INVALID_DATA', 'invalid data', {
      api_name: 'type',
      supported_values: ['CurrentUser', ...EVERYBODY, ...NOBODY],
    });
  }
  const { members, moreMembers } = await metadata.listMembers(principal.org.id, page, perPage);
  return usersAnswer(members.map(userBody), { page, perPage, moreRecords: moreMembers });
}

function usersAnswer(
  users: readonly object[],
  { page, perPage, moreRecords }: { page: number; perPage: number; moreRecords: boolean },
): Answer {
  if (users.length === 0) return { status: 204 };
  return {
    status: 200,
    body: { users, info: { per_page: perPage, count: users.length, page, more_records: moreRecords } },
  };
}
