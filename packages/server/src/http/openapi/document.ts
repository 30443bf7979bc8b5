import type { ApiVersion } from '../../domain/wire/api-version.ts';
import { CRM } from './crm/index.ts';
import type { DescribedAnswer, Description, ParameterName } from './description.ts';
import { OPERATIONS } from './operations.ts';
import { PARAMETERS } from './parameters.ts';
import type { ServedRoute } from './routes.ts';
import { SCHEMAS } from './schemas.ts';
import { securityOf, securitySchemes } from './security.ts';
import type { JsonSchema, Parameter } from './shapes.ts';

const JSON_TYPE = 'application/json';
const DESCRIPTIONS: Readonly<Record<string, Description | undefined>> = { ...CRM, ...OPERATIONS };

/** All that is served, as OpenAPI 3.1. Pure: `base` is where its reader reached the server. */
export function apiDocument(routes: readonly ServedRoute[], base: string, version: string): JsonSchema {
  const paths: Paths = {};
  for (const [key, group] of groupRoutes(routes)) {
    const [route] = group;
    const description = route && describe(key, route);
    if (!route || !description) continue;
    const one = { [route.method.toLowerCase()]: operation(key, description, route, group) };
    paths[route.path] = { ...paths[route.path], ...one };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Watchbell',
      version,
      summary: 'A self-hosted Notification API, wire-compatible with Zoho CRM',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: base }],
    tags: tagsOf(paths),
    paths,
    components: { schemas: SCHEMAS, responses: RESPONSES, securitySchemes: securitySchemes(routes, base) },
  };
}

/** By path and method. */
type Paths = Record<string, Record<string, Operation>>;
type Operation = JsonSchema & { readonly tags: readonly string[] };

function groupRoutes(routes: readonly ServedRoute[]): Map<string, ServedRoute[]> {
  const groups = new Map<string, ServedRoute[]>();
  for (const route of routes) {
    const key = `${route.method} ${route.path}`;
    groups.set(key, [...(groups.get(key) ?? []), route]);
  }
  return groups;
}

/** Written by hand, or by the route's own schema. */
function describe(key: string, { path, schema, need }: ServedRoute): Description | undefined {
  const written = DESCRIPTIONS[key];
  if (written) return written;
  const { summary, tags, description } = schema ?? {};
  const [tag] = tags ?? [];
  if (summary === undefined || tag === undefined) return undefined;
  const whose = need ? 'Owners: ' : path.startsWith('/_watchbell/v1/orgs') ? 'Administration: ' : '';
  return {
    summary,
    tag: `${whose}${tag}`,
    ...(description !== undefined && { detail: description }),
    answers: {},
  };
}

/** One operation, as its first version has it; `group` are all its versions. */
function operation(
  key: string,
  description: Description,
  route: ServedRoute,
  group: readonly ServedRoute[],
): Operation {
  const { schema, path } = route;
  const versions = group.flatMap((route) => route.version ?? []);
  const parameters = [
    ...pathParameters(path, versions, schema?.params),
    ...(description.parameters ?? []).map(namedParameter),
    ...schemaParameters('query', schema?.querystring),
    ...schemaParameters('header', schema?.headers),
  ];
  const body = bodyOf(description, schema?.body);
  return {
    operationId: operationId(key),
    summary: description.summary,
    tags: [description.tag],
    ...(description.detail !== undefined && { description: description.detail }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: body }),
    responses: { ...describedAnswers(description), ...schemaAnswers(schema?.response), ...refusals(path) },
    security: securityOf(route, versions),
  };
}

const operationId = (key: string): string => key.replaceAll(/[^A-Za-z0-9]+/g, '_').replace(/_$/, '');

function pathParameters(path: string, versions: readonly ApiVersion[], params: unknown): Parameter[] {
  const own = propertiesOf(params);
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    if (name === 'version') return { ...PARAMETERS.version, schema: { type: 'string', enum: versions } };
    const { description = '', ...schema } = own[name] ?? {};
    if (own[name]) return { in: 'path', name, required: true, description: String(description), schema };
    const known = Object.entries(PARAMETERS).find(([key]) => key === `path ${name}`)?.[1];
    return known ?? { in: 'path', name, required: true, description: '', schema: { type: 'string' } };
  });
}

function namedParameter(name: ParameterName | `${ParameterName}!`): Parameter {
  const isRequired = name.endsWith('!');
  const parameter = PARAMETERS[name.replace(/!$/, '') as ParameterName];
  return isRequired ? { ...parameter, required: true } : parameter;
}

function schemaParameters(place: 'query' | 'header', given: unknown): Parameter[] {
  const required = isSchema(given) && Array.isArray(given.required) ? given.required : [];
  return Object.entries(propertiesOf(given)).map(([name, { description = '', ...schema }]) => ({
    in: place,
    name,
    description: String(description),
    schema,
    ...(required.includes(name) && !('default' in schema) && { required: true }),
  }));
}

function bodyOf({ body, form }: Description, schema: unknown): JsonSchema | undefined {
  if (!body) return isSchema(schema) ? { required: true, content: { [JSON_TYPE]: { schema } } } : undefined;
  const content = { schema: reference(body.schema), example: body.example };
  if (!form) return { required: true, content: { [JSON_TYPE]: content } };
  return { content: { 'application/x-www-form-urlencoded': content, 'multipart/form-data': content } };
}

const describedAnswers = ({ answers }: Description) =>
  Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, renderAnswer(answer)]));

const renderAnswer = ({ description, schema, contentType = JSON_TYPE }: DescribedAnswer): JsonSchema => ({
  description,
  ...(schema !== undefined && { content: { [contentType]: { schema: reference(schema) } } }),
});

function schemaAnswers(response: unknown): JsonSchema {
  if (!isSchema(response)) return {};
  return Object.fromEntries(
    Object.entries(response).map(([status, schema]) => {
      const hasBody = isSchema(schema) && schema.type !== 'null';
      const description = isSchema(schema) ? schema.description : undefined;
      return [
        status,
        {
          description: typeof description === 'string' ? description : 'Done',
          ...(hasBody && { content: { [JSON_TYPE]: { schema } } }),
        },
      ];
    }),
  );
}

/** What may be answered everywhere. */
const RESPONSES = {
  TooMany: {
    description: 'Too many requests, too many at once, or too many wrong tokens. Try again after Retry-After',
    headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer', minimum: 0 } } },
    content: { [JSON_TYPE]: { schema: reference('Error') } },
  },
  Refused: {
    description: 'The call was refused, or failed; nothing was changed',
    content: { [JSON_TYPE]: { schema: reference('Error') } },
  },
} as const;

const hasToken = (path: string): boolean => /^\/(?:crm|_watchbell\/v1|oauth)\//.test(path) || path === '/metrics';

const refusals = (path: string) => ({
  ...(hasToken(path) && { 429: { $ref: '#/components/responses/TooMany' } }),
  default: { $ref: '#/components/responses/Refused' },
});

/** In the order in which a reader looks for them; what only the operator may do comes last. */
const TAGS = ['Notifications', 'Records', 'Related records', 'Many records at once', 'Tags', 'Recycle bin'];
const LATER = ['Metadata and users', 'OAuth', 'Inbox (dev profile)', 'Clock (dev profile)', 'Running it'];

function tagsOf(paths: Paths): object[] {
  const used = new Set(Object.values(paths).flatMap((item) => Object.values(item).flatMap(({ tags }) => tags)));
  const others = [...used].filter((name) => ![...TAGS, ...LATER].includes(name)).sort();
  return [...TAGS, ...LATER, ...others].filter((name) => used.has(name)).map((name) => ({ name }));
}

/** A copy of a schema's properties; none for what has none. */
const propertiesOf = (schema: unknown): Readonly<Record<string, JsonSchema>> =>
  isSchema(schema) && isSchema(schema.properties) ? (schema.properties as Record<string, JsonSchema>) : {};

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

function reference(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}
