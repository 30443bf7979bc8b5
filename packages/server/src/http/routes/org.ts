import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/error.ts';
import { isId, type UserId } from '../../domain/ids.ts';
import type { UserStatus } from '../../domain/org.ts';
import type { Metadata } from '../../services/metadata.ts';
import { type Answer, type Call, type CrmRouteContext, resource } from '../call.ts';
import { readPaging } from '../paging.ts';
import { orgBody, userBody } from '../wire/user.ts';

/** Who is in each list. Everybody has confirmed their address. */
const LISTS: ReadonlyMap<string, readonly UserStatus[]> = new Map(
  Object.entries<readonly UserStatus[]>({
    AllUsers: ['active', 'inactive'],
    ActiveUsers: ['active'],
    DeactiveUsers: ['inactive'],
    ConfirmedUsers: ['active', 'inactive'],
    NotConfirmedUsers: [],
    DeletedUsers: ['removed'],
    ActiveConfirmedUsers: ['active'],
  }),
);

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
  const statuses = LISTS.get(type);
  if (!statuses) {
    throw new AppError('INVALID_DATA', 'invalid data', {
      api_name: 'type',
      supported_values: ['CurrentUser', ...LISTS.keys()],
    });
  }
  const { members, moreMembers } = await metadata.listMembers(principal.org.id, statuses, page, perPage);
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
