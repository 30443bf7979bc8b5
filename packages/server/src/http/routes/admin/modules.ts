import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/error.ts';
import type { OrgId } from '../../../domain/ids.ts';
import type { Module } from '../../../domain/module.ts';
import { findField, findModule } from '../../../domain/modules/catalog.ts';
import type { Catalogs } from '../../../services/catalogs.ts';
import {
  FieldChanges,
  FieldDefinition,
  ModuleChanges,
  ModuleDefinition,
  readField,
  readFieldChanges,
  readModule,
  readModuleChanges,
  ShownField,
  ShownModule,
  showField,
  showModule,
} from '../../wire/module-definition.ts';
import { administersOrg, readJsonBody } from './access.ts';
import type { AdminParts } from './parts.ts';

const Org = Type.Object({ org: Type.String({ pattern: '^[1-8]\\d{6}$', description: 'Seven digits' }) });
const OneModule = Type.Object({ ...Org.properties, module: Type.String({ description: 'API name' }) });
const OneField = Type.Object({ ...OneModule.properties, field: Type.String({ description: 'API name' }) });
const Removed = Type.Object({ status: Type.String() });
const tags = ['modules'];

/** Modules and fields of an organisation, for its operator: usable by its users at once. */
export function moduleRoutes(
  app: FastifyInstance,
  { catalogs, auth, limiter }: { readonly catalogs: Catalogs } & Pick<AdminParts, 'auth' | 'limiter'>,
): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const path = '/_watchbell/v1/orgs/:org/modules';
  const hooks = { onRequest: administersOrg(auth, limiter) };
  const bodyHooks = { ...hooks, preValidation: readJsonBody };

  async function moduleOf(org: OrgId, name: string): Promise<Module> {
    const module = findModule(await catalogs.find(org), name);
    if (module) return module;
    throw new AppError('NOT_FOUND', 'There is no such module', { api_name: 'module' });
  }

  typed.get(
    path,
    {
      ...hooks,
      schema: {
        summary: 'List modules with their fields',
        tags,
        params: Org,
        response: { 200: Type.Object({ modules: Type.Array(ShownModule) }) },
      },
    },
    async ({ params }) => {
      const org = params.org as OrgId;
      return { modules: (await catalogs.find(org)).modules.map((module) => showModule(org, module)) };
    },
  );

  typed.post(
    path,
    {
      ...bodyHooks,
      schema: {
        summary: 'Add a module',
        tags,
        params: Org,
        body: ModuleDefinition,
        response: { 201: ShownModule },
      },
    },
    async ({ params, body }, reply) => {
      const org = params.org as OrgId;
      reply.code(201);
      return showModule(org, await catalogs.addModule(org, readModule(body)));
    },
  );

  typed.get(
    `${path}/:module`,
    { ...hooks, schema: { summary: 'Show a module', tags, params: OneModule, response: { 200: ShownModule } } },
    async ({ params }) => {
      const org = params.org as OrgId;
      return showModule(org, await moduleOf(org, params.module));
    },
  );

  typed.patch(
    `${path}/:module`,
    {
      ...bodyHooks,
      schema: {
        summary: "Change an added module's labels",
        tags,
        params: OneModule,
        body: ModuleChanges,
        response: { 200: ShownModule },
      },
    },
    async ({ params, body }) => {
      const org = params.org as OrgId;
      return showModule(org, await catalogs.changeModule(org, params.module, readModuleChanges(body)));
    },
  );

  typed.delete(
    `${path}/:module`,
    {
      ...hooks,
      schema: {
        summary: 'Remove an added module that has no records',
        tags,
        params: OneModule,
        response: { 200: Removed },
      },
    },
    async ({ params }) => {
      await catalogs.removeModule(params.org as OrgId, params.module);
      return { status: 'removed' };
    },
  );

  typed.post(
    `${path}/:module/fields`,
    {
      ...bodyHooks,
      schema: {
        summary: 'Add a field',
        tags,
        params: OneModule,
        body: FieldDefinition,
        response: { 201: ShownField },
      },
    },
    async ({ params, body }, reply) => {
      const org = params.org as OrgId;
      const field = await catalogs.addField(org, params.module, readField(body));
      reply.code(201);
      return showField(org, await moduleOf(org, params.module), field);
    },
  );

  typed.patch(
    `${path}/:module/fields/:field`,
    {
      ...bodyHooks,
      schema: {
        summary: 'Change the label or pick list of an added field, or whether it is mandatory',
        tags,
        params: OneField,
        body: FieldChanges,
        response: { 200: ShownField },
      },
    },
    async ({ params, body }) => {
      const org = params.org as OrgId;
      await catalogs.changeField(org, params.module, params.field, readFieldChanges(body));
      const module = await moduleOf(org, params.module);
      const field = findField(module, params.field);
      if (!field) throw new AppError('NOT_FOUND', 'There is no such field', { api_name: 'field' });
      return showField(org, module, field);
    },
  );

  typed.delete(
    `${path}/:module/fields/:field`,
    {
      ...hooks,
      schema: {
        summary: 'Remove an added field; values stored in it are shown no more',
        tags,
        params: OneField,
        response: { 200: Removed },
      },
    },
    async ({ params }) => {
      await catalogs.removeField(params.org as OrgId, params.module, params.field);
      return { status: 'removed' };
    },
  );
}
