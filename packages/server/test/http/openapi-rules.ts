import { createRequire } from 'node:module';

/** The validator that Fastify brings, with the schema of schemas that OpenAPI 3.1 builds on. */
const ofFastify = createRequire(createRequire(import.meta.url).resolve('fastify'));
const { Ajv2020 } = createRequire(ofFastify.resolve('@fastify/ajv-compiler'))('ajv/dist/2020.js');

// biome-ignore lint/suspicious/noExplicitAny: the document is looked into freely.
type Node = any;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const KEYS: Readonly<Record<string, readonly string[]>> = {
  document: ['openapi', 'info', 'jsonSchemaDialect', 'servers', 'paths', 'webhooks', 'components', 'security', 'tags'],
  operation: [
    'tags',
    'summary',
    'description',
    'externalDocs',
    'operationId',
    'parameters',
    'requestBody',
    'responses',
    'callbacks',
    'deprecated',
    'security',
    'servers',
  ],
  parameter: [
    'name',
    'in',
    'description',
    'required',
    'deprecated',
    'schema',
    'example',
    'examples',
    'style',
    'explode',
  ],
  response: ['description', 'headers', 'content', 'links'],
  media: ['schema', 'example', 'examples', 'encoding'],
};

/** What in a document breaks the rules of OpenAPI 3.1.0, each with where it is. */
export function faultsOf(document: Node): string[] {
  const faults: string[] = [];
  const fault = (where: string, what: string) => faults.push(`${where}: ${what}`);
  const only = (where: string, kind: string, node: Node) => {
    for (const key of Object.keys(node)) if (!KEYS[kind]?.includes(key)) fault(where, `has the unknown key ${key}`);
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });

  function schema(where: string, node: Node): void {
    if (!ajv.validateSchema(node)) fault(where, `is no JSON schema: ${ajv.errorsText(ajv.errors)}`);
  }

  function media(where: string, content: Node): void {
    for (const [type, one] of Object.entries<Node>(content ?? {})) {
      if (!/^[a-z]+\/[a-z0-9.+-]+$/.test(type)) fault(where, `${type} is no media type`);
      only(where, 'media', one);
      schema(`${where} ${type}`, one.schema);
      if (one.example === undefined) continue;
      const name = one.schema.$ref?.split('/').at(-1);
      const target = { ...(name ? document.components.schemas[name] : one.schema), components: document.components };
      const isValid = ajv.compile(target);
      if (!isValid(one.example)) fault(where, `its example does not fit: ${ajv.errorsText(isValid.errors)}`);
    }
  }

  function response(where: string, node: Node): void {
    if (node.$ref !== undefined) return;
    only(where, 'response', node);
    if (typeof node.description !== 'string' || node.description === '') fault(where, 'has no description');
    media(where, node.content);
  }

  function operation(where: string, path: string, node: Node, ids: Set<string>): void {
    only(where, 'operation', node);
    if (!node.summary) fault(where, 'has no summary');
    if (ids.has(node.operationId)) fault(where, `has an operationId that is taken: ${node.operationId}`);
    ids.add(node.operationId);
    const seen = new Set<string>();
    for (const parameter of node.parameters ?? []) {
      only(where, 'parameter', parameter);
      const key = `${parameter.in} ${parameter.name}`;
      if (seen.has(key)) fault(where, `has the parameter ${key} twice`);
      seen.add(key);
      if (!['path', 'query', 'header', 'cookie'].includes(parameter.in)) fault(where, `${key}: unknown place`);
      if (parameter.in === 'path' && parameter.required !== true) fault(where, `${key} must be required`);
      if (!parameter.description && !where.includes('/_watchbell/')) fault(where, `${key} has no description`);
      schema(`${where} ${key}`, parameter.schema);
    }
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `path ${name}`);
    const given = [...seen].filter((key) => key.startsWith('path '));
    if (named.sort().join() !== given.sort().join()) fault(where, `path parameters are ${given}, not ${named}`);
    if (node.requestBody) media(`${where} body`, node.requestBody.content);
    if (Object.keys(node.responses ?? {}).length === 0) fault(where, 'has no answers');
    for (const [status, answer] of Object.entries<Node>(node.responses)) {
      if (!/^(?:[1-5]\d\d|default)$/.test(status)) fault(where, `${status} is no status`);
      response(`${where} ${status}`, answer);
    }
    for (const requirement of node.security) {
      for (const [name, scopes] of Object.entries<Node>(requirement)) {
        const scheme = document.components.securitySchemes[name];
        if (!scheme) fault(where, `the security scheme ${name} is not there`);
        const known = Object.keys(scheme?.flows?.clientCredentials.scopes ?? {});
        for (const scope of scopes) if (!known.includes(scope)) fault(where, `the scope ${scope} is not listed`);
      }
    }
  }

  only('document', 'document', document);
  if (!/^3\.1\.\d+$/.test(document.openapi)) fault('openapi', 'is not 3.1');
  if (!document.info?.title || !document.info?.version) fault('info', 'needs title and version');
  const ids = new Set<string>();
  for (const [path, item] of Object.entries<Node>(document.paths)) {
    if (!path.startsWith('/')) fault(path, 'does not begin with a slash');
    for (const [method, node] of Object.entries<Node>(item)) {
      if (METHODS.includes(method)) operation(`${method.toUpperCase()} ${path}`, path, node, ids);
      else fault(path, `has the unknown key ${method}`);
    }
  }
  for (const [name, node] of Object.entries(document.components.schemas)) schema(`schema ${name}`, node);
  for (const [name, node] of Object.entries(document.components.responses)) response(`response ${name}`, node);
  for (const reference of referencesIn(document)) {
    const found = reference
      .slice(2)
      .split('/')
      .reduce((node: Node, key) => node?.[key], document);
    if (found === undefined) fault(reference, 'leads nowhere');
  }
  return faults;
}

function referencesIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value] : referencesIn(value),
  );
}
