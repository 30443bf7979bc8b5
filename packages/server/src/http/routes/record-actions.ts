import type { FastifyInstance } from 'fastify';
import type { ScopeNeed } from '../../domain/scope.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { Bulk, MassAction, MassAnswer } from '../../services/bulk.ts';
import type { Owners } from '../../services/owners.ts';
import { type Answer, type Call, type CrmRouteContext, resource } from '../call.ts';
import { allowing, moduleOf, statusOf } from '../record-answer.ts';
import {
  MASS_MESSAGES,
  readBodyIds,
  readOwner,
  readRelatedModules,
  readValues,
  refuseViews,
  wireJob,
  wireMassResults,
} from '../wire/record-actions.ts';
import { requireList } from '../wire/record-input.ts';

const OWNER_CHANGED = 'owner is successfully updated';

/** `/{module}/actions/…` and `/{module}/{id}/actions/…`: another owner, and what is done to many records at once. */
export function recordActionRoutes(
  app: FastifyInstance,
  context: CrmRouteContext,
  { owners, bulk }: { readonly owners: Owners; readonly bulk: Bulk },
): void {
  // `notify` asks for a mail to the new owner: none is ever sent.
  const changeOwner = async (call: Call, ids: readonly string[]): Promise<Answer> => {
    const body = call.body();
    const related = readRelatedModules(body);
    const results = await owners.change(call.principal, moduleOf(call), ids, readOwner(body), related);
    return {
      status: statusOf(
        results.map(({ result }) => result),
        VERSION_RULES[call.version].mixedStatus,
      ),
      body: { data: wireMassResults(results, OWNER_CHANGED) },
    };
  };

  resource(app, context, '/:module/actions/change_owner', {
    POST: allowing(['CREATE', 'UPDATE', 'WRITE'], (call) => changeOwner(call, readBodyIds(call.body()))),
  });
  resource(app, context, '/:module/:id/actions/change_owner', {
    POST: allowing(['CREATE', 'UPDATE', 'WRITE'], (call) => changeOwner(call, [call.params.id ?? ''])),
  });

  resource(app, context, '/:module/actions/mass_update', {
    POST: {
      scope: massScope('mass_update', ['UPDATE', 'WRITE']),
      handle: async (call) => {
        const body = call.body();
        refuseViews(body);
        const overwrite = body.over_write === true;
        const ids = readBodyIds(body);
        const done = await bulk.update(call.principal, moduleOf(call), ids, readValues(body), overwrite);
        return massAnswer(call, 'mass_update', done);
      },
    },
    GET: { scope: massScope('mass_update', ['READ', 'UPDATE']), handle: (call) => status(call, 'mass_update') },
  });
  resource(app, context, '/:module/actions/mass_delete', {
    POST: {
      scope: massScope('mass_delete', ['DELETE']),
      handle: async (call) => {
        const body = call.body();
        refuseViews(body);
        const done = await bulk.remove(call.principal, moduleOf(call), readBodyIds(body));
        return massAnswer(call, 'mass_delete', done);
      },
    },
    GET: { scope: massScope('mass_delete', ['READ', 'DELETE']), handle: (call) => status(call, 'mass_delete') },
  });

  async function status(call: Call, action: MassAction): Promise<Answer> {
    const [id = ''] = requireList(call.query, 'job_id', call.version);
    const job = await bulk.job(call.principal, moduleOf(call), action, id);
    return { status: 200, body: { data: [wireJob(action, job)] } };
  }
}

const massScope =
  (family: MassAction, operations: ScopeNeed['operations']) =>
  (call: Call): ScopeNeed => ({ family, part: moduleOf(call), operations });

function massAnswer({ version }: Call, action: MassAction, done: MassAnswer): Answer {
  const messages = MASS_MESSAGES[action];
  switch (done.kind) {
    case 'results': {
      const results = done.results.map(({ result }) => result);
      return {
        status: statusOf(results, VERSION_RULES[version].mixedStatus),
        body: { data: wireMassResults(done.results, messages.done) },
      };
    }
    case 'job': {
      const details = { job_id: done.id };
      return {
        status: 200,
        body: { data: [{ code: 'SUCCESS', details, message: messages.scheduled, status: 'success' }] },
      };
    }
  }
}
