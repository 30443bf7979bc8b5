import type { FastifyInstance } from 'fastify';
import type { JudgeUrl } from '../../domain/egress.ts';
import type { ScopeNeed, ScopeOperation } from '../../domain/scope.ts';
import type { WatchRequest } from '../../domain/watch.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { Compat } from '../../domain/wire/compat.ts';
import type { Channels } from '../../services/channels.ts';
import { type Answer, type Call, type CrmRouteContext, resource } from '../call.ts';
import { notFound } from '../errors.ts';
import { type AnswerContext, watchAnswer } from '../watch/answer.ts';
import type { Read } from '../watch/faults.ts';
import { listAnswer, readListQuery } from '../watch/list.ts';
import { onlyDeletesEvents, readDelete, readWatch } from '../watch/request.ts';

export interface WatchParts {
  readonly channels: Channels;
  readonly compat: Compat;
  /** Refuses notify URLs that would never be connected to. */
  readonly judgeReceiver: JudgeUrl;
}

/** `/crm/{version}/actions/watch`; which scopes open what: reference §6.4. */
export function watchRoutes(app: FastifyInstance, context: CrmRouteContext, parts: WatchParts): void {
  const answerContext = ({ principal, version, base }: Call): AnswerContext => ({
    principal,
    version,
    base,
    compat: parts.compat,
  });

  async function apply(call: Call, entries: readonly Read<WatchRequest>[], success: 200 | 201): Promise<Answer> {
    const requests = entries.flatMap((entry) => (entry.kind === 'read' ? [entry.value] : []));
    const results = await parts.channels.apply(call.principal, call.version, requests);
    return watchAnswer(entries, results, success, answerContext(call));
  }

  resource(app, context, '/actions/watch', {
    POST: {
      scope: () => notifications('CREATE', 'WRITE'),
      handle: (call) => apply(call, readWatch(call, 'POST', parts.judgeReceiver), 201),
    },
    GET: {
      scope: () => notifications('READ'),
      async handle(call) {
        const query = readListQuery(call);
        return listAnswer(query, await parts.channels.list(call.principal, query), answerContext(call));
      },
    },
    PUT: {
      scope: () => notifications('WRITE', 'UPDATE'),
      handle: (call) => apply(call, readWatch(call, 'PUT', parts.judgeReceiver), 200),
    },
    PATCH: {
      scope: (call) =>
        onlyDeletesEvents(call) ? notifications('WRITE', 'UPDATE', 'DELETE') : notifications('WRITE', 'UPDATE'),
      handle: (call) => apply(call, readWatch(call, 'PATCH', parts.judgeReceiver), 200),
    },
    DELETE: {
      scope: ({ version }) => notifications(...VERSION_RULES[version].deleteScopes),
      handle: (call) => apply(call, readDelete(call), 200),
    },
  });

  // Channels have no paths of their own; without this one it would be read as a related list.
  app.all('/actions/watch/*', { config: { isRefusal: true } }, () => {
    throw notFound();
  });
}

const notifications = (...operations: ScopeOperation[]): ScopeNeed => ({ family: 'notifications', operations });
