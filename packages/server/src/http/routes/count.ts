import type { FastifyInstance } from 'fastify';
import type { RecordLists } from '../../services/record-lists.ts';
import type { Search } from '../../services/search.ts';
import { type CrmRouteContext, resource } from '../call.ts';
import { allowing, moduleOf } from '../record-answer.ts';
import { hasQuestion, readQuestion } from './search.ts';

/** `/{module}/actions/count`: of all records, or of those that a search would find. */
export function countRoutes(
  app: FastifyInstance,
  context: CrmRouteContext,
  { recordLists, search }: { readonly recordLists: RecordLists; readonly search: Search },
): void {
  resource(app, context, '/:module/actions/count', {
    GET: allowing(['READ'], async (call) => {
      const { principal, query, version } = call;
      const module = moduleOf(call);
      const count = hasQuestion(query)
        ? await search.count(principal, module, readQuestion(query, version))
        : await recordLists.count(principal, module);
      return { status: 200, body: { count } };
    }),
  });
}
