import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { CRM } from '../../src/http/openapi/crm/index.ts';
import { OPERATIONS } from '../../src/http/openapi/operations.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';
import { faultsOf } from './openapi-rules.ts';

// biome-ignore lint/suspicious/noExplicitAny: the document is looked into freely.
type Document = any;

let http: HttpFixture;
let document: Document;
let authorization: string;

beforeAll(async () => {
  http = await openHttp();
  authorization = `Zoho-oauthtoken ${await http.signIn()}`;
  document = (await http.app.inject('/_watchbell/openapi.json')).json();
});
afterAll(() => http.close());

/** Every method and URL that the server has a handler for, from its own listing. */
function listing(): string[] {
  const found: string[] = [];
  const path: string[] = [];
  for (const line of http.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', node = ''] = /^([│├└─\s]*?(?:├── |└── ))(.*)$/.exec(line) ?? [];
    if (node === '') continue;
    const depth = indent.length / 4 - 1;
    const [, part = '', methods = ''] = /^(.*?)(?: \(([A-Z, ]+)\))?$/.exec(node) ?? [];
    path.splice(depth, path.length, part);
    for (const method of methods.split(', ').filter((name) => name !== '' && name !== 'HEAD')) {
      found.push(`${method} ${path.join('')}`);
    }
  }
  return found;
}

const described = (): string[] =>
  Object.entries<Document>(document.paths).flatMap(([path, item]) =>
    Object.entries<Document>(item).flatMap(([method, operation]) => {
      const version = operation.parameters?.find((parameter: Document) => parameter.name === 'version');
      const versions: string[] = version?.schema.enum ?? [''];
      return versions.map((one) => `${method.toUpperCase()} ${path.replace('{version}', one)}`);
    }),
  );

/** Whether a path that is served takes a method: else the refusal says so. */
async function takes(key: string): Promise<boolean> {
  const [method = '', path = ''] = key.split(' ');
  const url = path.replaceAll(/\{\w+\}/g, '1').replace(/\*$/, '/1');
  const answer = await http.app.inject({ method: method as 'GET', url, headers: { authorization, host: 'localhost' } });
  return !/"(?:INVALID_REQUEST_METHOD|INVALID_URL_PATTERN)"/.test(answer.body);
}

describe('the API document', () => {
  test('has every operation that is served, under the versions that it is served under, and no other', async () => {
    const served = listing().map((key) => key.replaceAll(/:(\w+)/g, '{$1}'));
    expect(served.length).toBeGreaterThan(8 * 50);
    const refused: string[] = [];
    for (const key of served.filter((one) => !described().includes(one))) {
      if (await takes(key)) refused.push(key);
    }
    expect(refused, 'add these to http/openapi, or give their routes a schema with summary and tags').toEqual([]);
    expect(described().filter((key) => !served.includes(key))).toEqual([]);
    for (const key of described().filter((one) => !one.includes('/crm/v') || one.includes('/crm/v8/'))) {
      expect(await takes(key), key).toBe(true);
    }
  });

  test('uses every description that was written', () => {
    const written = Object.keys({ ...CRM, ...OPERATIONS });
    const used = Object.entries<Document>(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(written.filter((key) => !used.includes(key))).toEqual([]);
  });

  test('keeps to OpenAPI 3.1', () => {
    expect(faultsOf(document)).toEqual([]);
  });

  test('says where its reader reached the server, and which program answers', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Watchbell', version: '0.0.0' },
      servers: [{ url: 'http://127.0.0.1:8686' }],
    });
  });

  test('says so to each reader', async () => {
    const proxied = await openHttp({ trustProxy: 1 });
    onTestFinished(() => proxied.close());
    const bases = [];
    for (const name of ['a.example', 'b.example', undefined]) {
      const headers = name === undefined ? {} : { 'x-forwarded-host': name };
      const answer = await proxied.app.inject({ url: '/_watchbell/openapi.json', headers });
      bases.push(answer.json().servers[0].url);
    }
    expect(bases).toEqual(['http://a.example', 'http://b.example', 'http://127.0.0.1:8686']);
  });

  test('has a page that needs nothing but this server, and may do nothing else', async () => {
    const answer = await http.app.inject('/_watchbell/docs');
    const policy = String(answer.headers['content-security-policy']);
    expect(answer.headers['content-type']).toBe('text/html;charset=UTF-8');
    expect(policy).toContain("default-src 'none'");
    for (const tag of ['script', 'style']) {
      const [, text = ''] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(answer.body) ?? [];
      expect(text.length).toBeGreaterThan(100);
      const hash = createHash('sha256').update(text).digest('base64');
      expect(policy).toContain(`${tag}-src 'sha256-${hash}'`);
    }
    expect(answer.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test('says which scopes open a call, and what needs the admin token or none', () => {
    const watch = document.paths['/crm/{version}/actions/watch'];
    const names = ['ALL', 'CREATE', 'WRITE'].map((name) => `ZohoCRM.notifications.${name}`);
    expect(watch.post.security).toEqual(names.map((name) => ({ oauth: [name] })));
    expect(document.paths['/crm/{version}/settings/fields'].get.security[0]).toEqual({
      oauth: ['ZohoCRM.settings.fields.ALL'],
    });
    expect(document.paths['/metrics'].get.security).toEqual([{ operator: [] }]);
    expect(document.paths['/healthz'].get.security).toEqual([]);
    for (const [path, item] of Object.entries<Document>(document.paths)) {
      if (!path.startsWith('/_watchbell/v1/')) continue;
      const isOperators = /^\/_watchbell\/v1\/(?:orgs|inbox|clock)/.test(path);
      const family = path === '/_watchbell/v1/changes' ? 'modules' : 'notifications';
      for (const { security } of Object.values<Document>(item)) {
        if (isOperators) expect(security, path).toEqual([{ operator: [] }]);
        else expect(security[0], path).toEqual({ oauth: [`ZohoCRM.${family}.ALL`] });
      }
    }
  });

  test("takes parameters, bodies and answers of our own API from its routes' schemas", () => {
    const { get } = document.paths['/_watchbell/v1/inbox/{name}'];
    expect(get.parameters.map((parameter: Document) => [parameter.name, parameter.in, parameter.required])).toEqual([
      ['name', 'path', true],
      ['wait', 'query', undefined],
      ['count', 'query', undefined],
      ['after', 'query', undefined],
    ]);
    expect(get.responses[200].content['application/json'].schema.properties.dropped).toMatchObject({ type: 'integer' });
  });

  test('names all versions of each call under /crm', () => {
    for (const [path, item] of Object.entries<Document>(document.paths)) {
      if (!path.startsWith('/crm/')) continue;
      for (const { parameters } of Object.values<Document>(item))
        expect(parameters[0].schema.enum).toEqual(API_VERSIONS);
    }
  });
});
