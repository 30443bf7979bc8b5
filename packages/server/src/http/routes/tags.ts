import type { FastifyInstance } from 'fastify';
import type { ScopeOperation } from '../../domain/scope.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { TaggedRecords, Tags } from '../../services/tags.ts';
import { type Answer, type Call, type CrmOperation, type CrmRouteContext, resource } from '../call.ts';
import { allowing, moduleOf, statusOf } from '../record-answer.ts';
import { readBodyIds } from '../wire/record-actions.ts';
import { readList, requireList } from '../wire/record-input.ts';
import { readNamedTags, readTags, wireTag, wireTagged, wireTagResult } from '../wire/tag.ts';

/** `settings/tags`, and which records have which: `…/actions/add_tags`, `…/actions/remove_tags`. */
export function tagRoutes(app: FastifyInstance, context: CrmRouteContext, { tags }: { readonly tags: Tags }): void {
  const settings = (operations: readonly ScopeOperation[], handle: CrmOperation['handle']): CrmOperation => ({
    scope: () => ({ family: 'settings', part: 'tags', operations }),
    handle,
  });

  resource(app, context, '/settings/tags', {
    GET: settings(['READ'], async (call) => {
      const { principal } = call;
      const found = await tags.list(principal, askedModule(call));
      if (found.tags.length === 0) return { status: 204 };
      const bodies = found.tags.map((tag) => wireTag(tag, found.user, principal.org.timeZone));
      return { status: 200, body: { tags: bodies, info: { count: bodies.length, allowed_count: bodies.length } } };
    }),
    POST: settings(['CREATE', 'WRITE'], async (call) => {
      const made = await tags.create(call.principal, askedModule(call), readTags(call.body(), call.query));
      const status = made.every(({ ok }) => ok) ? 201 : statusOf(inserted(made), mixed(call));
      return { status, body: { tags: made.map((tag) => wireTagResult(tag, call, 'created')) } };
    }),
    PUT: settings(['UPDATE', 'WRITE'], async (call) => {
      const named = await tags.rename(call.principal, askedModule(call), readNamedTags(call.body()));
      return {
        status: statusOf(updated(named), mixed(call)),
        body: { tags: named.map((tag) => wireTagResult(tag, call, 'updated')) },
      };
    }),
  });

  resource(app, context, '/settings/tags/:id', {
    PUT: settings(['UPDATE', 'WRITE'], async (call) => {
      const named = readNamedTags(call.body(), call.params.id);
      const done = await tags.rename(call.principal, askedModule(call), named);
      return {
        status: statusOf(updated(done), mixed(call)),
        body: { tags: done.map((tag) => wireTagResult(tag, call, 'updated')) },
      };
    }),
    DELETE: settings(['DELETE'], async (call) => {
      const gone = await tags.remove(call.principal, call.params.id ?? '');
      return { status: gone.ok ? 200 : 400, body: { tags: [wireTagResult(gone, call, 'deleted')] } };
    }),
  });

  resource(app, context, '/settings/tags/:id/actions/records_count', {
    GET: settings(['READ'], async (call) => {
      const count = await tags.count(call.principal, askedModule(call), call.params.id ?? '');
      return { status: 200, body: { count: String(count) } };
    }),
  });

  const add = async (call: Call, ids: readonly string[]): Promise<Answer> => {
    const body = hasTagNames(call) ? {} : call.body();
    const overwrite = body.over_write === true || call.query.get('over_write') === 'true';
    const named = readTags(body, call.query);
    return tagged(call, await tags.add(call.principal, moduleOf(call), ids, named, overwrite));
  };
  const remove = async (call: Call, ids: readonly string[]): Promise<Answer> => {
    const names = readTags(hasTagNames(call) ? {} : call.body(), call.query).map(({ name }) => name);
    return tagged(call, await tags.take(call.principal, moduleOf(call), ids, names));
  };
  for (const [action, apply] of [
    ['add_tags', add],
    ['remove_tags', remove],
  ] as const) {
    resource(app, context, `/:module/actions/${action}`, {
      POST: allowing(['CREATE', 'UPDATE', 'WRITE'], (call) => apply(call, readIds(call))),
    });
    resource(app, context, `/:module/:id/actions/${action}`, {
      POST: allowing(['CREATE', 'UPDATE', 'WRITE'], (call) => apply(call, [call.params.id ?? ''])),
    });
  }
}

const askedModule = ({ query, version }: Call): string => requireList(query, 'module', version)[0] ?? '';

/** Tags may be named in the URL, as the API had it first. */
const hasTagNames = ({ query }: Call): boolean => query.has('tag_names');

const readIds = (call: Call): readonly string[] =>
  readList(call.query, 'ids') ??
  (hasTagNames(call) ? requireList(call.query, 'ids', call.version) : readBodyIds(call.body()));

const mixed = ({ version }: Call): number => VERSION_RULES[version].mixedStatus;

type Judged = readonly ({ readonly ok: true } | { readonly ok: false })[];
const judged = (all: Judged, operation: 'insert' | 'update') =>
  all.map((one) =>
    one.ok
      ? { ok: true as const, value: { operation } }
      : { ok: false as const, refusal: { code: 'INVALID_DATA' as const, message: '', details: {} } },
  );
const inserted = (all: Judged) => judged(all, 'insert');
const updated = (all: Judged) => judged(all, 'update');

function tagged(call: Call, written: TaggedRecords): Answer {
  const count = written.results.filter(({ ok }) => ok).length;
  return {
    status: statusOf(written.results, mixed(call)),
    body: { data: wireTagged(written), wf_scheduler: 'false', success_count: String(count), locked_count: '0' },
  };
}
