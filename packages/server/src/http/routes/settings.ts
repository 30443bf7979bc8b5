import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/error.ts';
import type { Module } from '../../domain/module.ts';
import { fieldId } from '../../domain/modules/catalog.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import { type Metadata, modifiedAt } from '../../services/metadata.ts';
import { type Answer, type Call, type CrmRouteContext, resource } from '../call.ts';
import { modifiedSince } from '../modified-since.ts';
import { fieldBody } from '../wire/field.ts';
import { moduleBody, relatedListBody } from '../wire/module.ts';

/** `settings/modules`, `settings/fields`, `settings/related_lists`: what clients ask before they send records. */
export function settingsRoutes(
  app: FastifyInstance,
  context: CrmRouteContext,
  { metadata }: { readonly metadata: Metadata },
): void {
  const reads = (part: string) => () => ({ family: 'settings', part, operations: ['READ'] }) as const;
  const askedModule = (call: Call): Module => metadata.getModule(call.principal, requireModule(call));

  resource(app, context, '/settings/modules', {
    GET: { scope: reads('modules'), handle: async (call) => listModules(call, metadata) },
  });

  resource(app, context, '/settings/modules/:module', {
    GET: {
      scope: reads('modules'),
      handle: async ({ params, principal }) => {
        const module = metadata.getModule(principal, params.module ?? '');
        return { status: 200, body: { modules: [moduleBody(module, principal)] } };
      },
    },
  });

  resource(app, context, '/settings/fields', {
    GET: {
      scope: reads('fields'),
      handle: async (call) => {
        const module = askedModule(call);
        const bodies = module.fields.map((field) => fieldBody(call.principal, module, field, call.version));
        return { status: 200, body: { fields: bodies } };
      },
    },
  });

  resource(app, context, '/settings/fields/:id', {
    GET: {
      scope: reads('fields'),
      handle: async (call) => {
        const module = askedModule(call);
        const org = call.principal.org.id;
        const field = module.fields.find((known) => fieldId(org, module, known) === call.params.id);
        if (!field) throw new AppError('INVALID_DATA', 'the field id given seems to be invalid', { api_name: 'id' });
        return { status: 200, body: { fields: [fieldBody(call.principal, module, field, call.version)] } };
      },
    },
  });

  resource(app, context, '/settings/related_lists', {
    GET: {
      scope: reads('related_lists'),
      handle: async (call) => {
        const module = askedModule(call);
        const lists = metadata
          .listRelated(call.principal, module)
          .map((related, i) => relatedListBody(call.principal.org.id, module, related, i + 1, call.version));
        return lists.length > 0 ? { status: 200, body: { related_lists: lists } } : { status: 204 };
      },
    },
  });
}

/** Asked for those modified since a time: only them. */
function listModules(call: Call, metadata: Metadata): Answer {
  const { principal } = call;
  const since = modifiedSince(call) ?? Number.NEGATIVE_INFINITY;
  const all = metadata.listModules(principal);
  const modified = all.filter((module) => modifiedAt(module) > since);
  if (modified.length > 0) {
    return { status: 200, body: { modules: modified.map((module) => moduleBody(module, principal)) } };
  }
  return { status: all.length > 0 ? 304 : 204 };
}

function requireModule({ query, version }: Call): string {
  const name = query.get('module');
  if (name) return name;
  const details = Object.fromEntries(VERSION_RULES[version].missingParamKeys.map((key) => [key, 'module']));
  throw new AppError('REQUIRED_PARAM_MISSING', 'One of the expected parameter is missing', details);
}
